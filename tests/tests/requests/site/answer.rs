use http::Response;

/// An answer: status, headers in the order of the lines, body.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn of<B>(response: &Response<B>) -> Self {
        let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
        let headers = response.headers().iter();
        let headers = headers.map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect();
        Self { status: response.status().as_u16(), headers, body: String::new() }
    }

    pub(crate) fn with_body(self, body: String) -> Self {
        Self { body, ..self }
    }

    /// Returns every value of this header, in the order of the lines.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn cookies(&self) -> Vec<&str> {
        self.all("set-cookie")
    }

    /// Returns the only cookie, as `name=value`.
    pub(crate) fn cookie(&self) -> String {
        let [line] = self.cookies()[..] else { unreachable!("one cookie is set: {self:?}") };
        line.split(';').next().unwrap().to_owned()
    }

    /// Returns the remaining life of the only cookie, in seconds.
    pub(crate) fn max_age(&self) -> Option<u64> {
        let [line] = self.cookies()[..] else { unreachable!("one cookie is set: {self:?}") };
        line.split("; ").find_map(|part| part.strip_prefix("Max-Age="))?.parse().ok()
    }

    /// Returns the whole answer for comparison: the status, the headers by name, and the body. It leaves out what
    /// depends on the time of day, and shows the cookie of a session as `<id>`, and a time after which to try again,
    /// which is random, as `<soon>`.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut headers: Vec<_> = self.headers.iter().filter(|(name, _)| name != "date").collect();
        headers.sort_by_key(|(name, _)| name); // stable: lines of one name keep their order
        let shown = |(name, value): &(String, String)| match name.as_str() {
            "retry-after" if ["5", "6", "7", "8", "9"].contains(&value.as_str()) => format!("{name}: <soon>"),
            _ => format!("{name}: {}", without_ids(value)),
        };
        let headers = headers.into_iter().map(shown);
        [self.status.to_string()].into_iter().chain(headers).chain([self.body.clone()]).collect()
    }
}

fn without_ids(value: &str) -> String {
    let Some((name, rest)) = value.split_once('=') else { return value.to_owned() };
    let cookie = rest.split(';').next().unwrap();
    match cookie.split_once('.') {
        Some((id, tag)) if id.len() == 32 && tag.len() == 43 => {
            value.replace(&format!("{name}={cookie}"), &format!("{name}=<id>"))
        }
        _ => value.to_owned(),
    }
}
