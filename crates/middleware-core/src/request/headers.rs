use std::borrow::Cow;

/// The header fields that a response gets because its session or its signed cookies were used.
///
/// For adapters, which know how to set a header but not which.
///
/// # Examples
///
/// ```
/// # use nexios_middleware_core::SessionManager;
/// # use nexios_signer::{Key, KeyRing};
/// # use nexios_store_memory::MemoryStore;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let manager = SessionManager::builder(MemoryStore::new()).keys(KeyRing::new(Key::generate()?)).build()?;
/// # let request = manager.request([b"theme=dark"]);
/// # request.session().await?.insert("seen", &true)?;
/// # let headers = request.end(200).await.headers([], []).expect("there is a cookie to send");
/// assert_eq!(headers.set_cookies().count(), 1);
/// assert_eq!(headers.cache_control, Some("no-store"));
/// assert!(headers.replaces(b"sessionid=made-by-the-application"));
/// assert!(!headers.replaces(b"theme=dark"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionHeaders {
    set_cookies: SetCookies,
    /// The value to which to set `Vary`: what was there, and `Cookie`. `None` if it was there.
    pub vary: Option<Cow<'static, str>>,
    /// The value to which to set `Cache-Control`.
    pub cache_control: Option<&'static str>,
    /// The value to which to set `Retry-After`, on the answer that takes the place of the application's.
    pub retry_after: Option<&'static str>,
}

impl SessionHeaders {
    pub(crate) fn new<'h>(
        looked_at: bool,
        set_cookies: SetCookies,
        vary: impl IntoIterator<Item = &'h [u8]>,
        cache_control: impl IntoIterator<Item = &'h [u8]>,
    ) -> Self {
        // A shared cache must not hand one visitor's cookie to another (CVE-2023-30861), but what the application has
        // said itself is not weakened.
        let is_public = !set_cookies.is_empty() && !mentions(cache_control, &[b"no-store", b"private"]);
        Self {
            set_cookies,
            vary: if looked_at { with_cookie(vary) } else { None },
            cache_control: is_public.then_some("no-store"),
            retry_after: None,
        }
    }

    /// `Set-Cookie` lines to add to those there are, of which none must be [replaced](Self::replaces) by one of them.
    pub fn set_cookies(&self) -> impl Iterator<Item = &str> {
        self.set_cookies.iter()
    }

    /// The same, as texts that can become the values of headers without a copy.
    pub fn into_set_cookies(self) -> impl Iterator<Item = String> {
        self.set_cookies.session.into_iter().chain(self.set_cookies.signed)
    }

    /// Whether one of our cookies takes the place of a `Set-Cookie` line that the application has made: two cookies of one
    /// name would leave the choice to the browser.
    pub fn replaces(&self, set_cookie_line: &[u8]) -> bool {
        self.set_cookies.iter().any(|ours| cookie_name(ours.as_bytes()) == cookie_name(set_cookie_line))
    }
}

/// The `Set-Cookie` lines of a response. The usual one takes no allocation beside its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SetCookies {
    /// The session's.
    pub(crate) session: Option<String>,
    /// Those of the signed cookies.
    pub(crate) signed: Vec<String>,
}

impl SetCookies {
    pub(crate) const fn is_empty(&self) -> bool {
        self.session.is_none() && self.signed.is_empty()
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        self.session.iter().chain(&self.signed).map(String::as_str)
    }
}

fn cookie_name(set_cookie_line: &[u8]) -> &[u8] {
    set_cookie_line.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii()
}

/// `Vary` with `Cookie` in it, or `None` if that is so already: the page depends on who asks.
fn with_cookie<'h>(lines: impl IntoIterator<Item = &'h [u8]>) -> Option<Cow<'static, str>> {
    let mut merged = String::new();
    for line in lines {
        if mentions([line], &[b"cookie", b"*"]) {
            return None;
        }
        // Field names are ASCII; anything else in this header means nothing to anybody.
        for name in String::from_utf8_lossy(line).split(',').map(str::trim).filter(|name| !name.is_empty()) {
            merged.push_str(name);
            merged.push_str(", ");
        }
    }
    if merged.is_empty() {
        return Some(Cow::Borrowed("Cookie"));
    }
    merged.push_str("Cookie");
    Some(merged.into())
}

/// Whether one of the comma-separated elements is one of `names`.
///
/// One with an argument is another thing: `private="X-User"` lets shared caches store the rest (RFC 9111, 5.2.2.7).
fn mentions<'h>(lines: impl IntoIterator<Item = &'h [u8]>, names: &[&[u8]]) -> bool {
    let mut elements = lines.into_iter().flat_map(|line| line.split(|byte| *byte == b','));
    elements.any(|element| names.iter().any(|name| element.trim_ascii().eq_ignore_ascii_case(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(
        set_cookie: bool,
        vary: &[&str],
        cache_control: &[&str],
    ) -> (Option<Cow<'static, str>>, Option<&'static str>) {
        let set_cookies = SetCookies { session: set_cookie.then(|| "a=b".to_owned()), signed: Vec::new() };
        let headers = SessionHeaders::new(
            true,
            set_cookies,
            vary.iter().map(|line| line.as_bytes()),
            cache_control.iter().map(|line| line.as_bytes()),
        );
        (headers.vary, headers.cache_control)
    }

    #[test]
    fn vary_is_merged_into_what_is_there() {
        for (before, after) in [
            (&[][..], Some("Cookie")),
            (&["Accept-Encoding"], Some("Accept-Encoding, Cookie")),
            (&["Accept-Encoding,Origin", "Accept"], Some("Accept-Encoding, Origin, Accept, Cookie")),
            (&["accept, COOKIE"], None),
            (&["Origin", "cookie"], None),
            (&["*"], None),
            (&["X-Cookie"], Some("X-Cookie, Cookie")),
            (&[""], Some("Cookie")),
        ] {
            assert_eq!(headers(false, before, &[]).0.as_deref(), after, "{before:?}");
        }
    }

    #[test]
    fn a_response_with_our_cookie_is_not_stored_by_caches() {
        for (before, after) in [
            (&[][..], Some("no-store")),
            (&["no-store"], None),
            (&["Private, max-age=60"], None),
            (&["private=\"x\""], Some("no-store")),
            (&["public, max-age=60"], Some("no-store")),
            (&["no-cache"], Some("no-store")),
        ] {
            assert_eq!(headers(true, &[], before).1, after, "{before:?}");
        }
    }

    #[test]
    fn our_cookie_takes_the_place_of_one_of_the_same_name() {
        let lines = ["a=b; Path=/", "theme=dark"].map(str::to_owned);
        let [session, theme] = lines.clone();
        let headers = SessionHeaders::new(true, SetCookies { session: Some(session), signed: vec![theme] }, [], []);
        for (line, replaced) in [
            ("a=c", true),
            (" a =c; HttpOnly", true),
            ("theme=", true),
            ("A=c", false),
            ("ab=c", false),
            ("b=a=", false),
        ] {
            assert_eq!(headers.replaces(line.as_bytes()), replaced, "{line}");
        }
        assert!(headers.set_cookies().eq(&lines));
        assert!(headers.into_set_cookies().eq(lines));
    }

    #[test]
    fn without_a_cookie_caching_is_the_applications_business() {
        assert_eq!(headers(false, &[], &["public"]).1, None);
    }
}
