//! The headers of a response, computed by pure functions.

use std::borrow::Cow;

use nexios_cookie_config::is_same_cookie;

/// The `Set-Cookie` lines of a response. In the usual case, nothing but the text itself is allocated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SetCookies {
    /// The line of the session's cookie.
    pub(super) session: Option<String>,
    /// The lines of the signed cookies.
    pub(super) signed: Vec<String>,
}

impl SetCookies {
    pub(super) const fn is_empty(&self) -> bool {
        self.session.is_none() && self.signed.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.session.iter().chain(&self.signed).map(String::as_str)
    }

    /// Returns whether one of our cookies replaces a `Set-Cookie` line that the application has made, because both are
    /// for one cookie. Of two such lines, the browser would keep the last.
    pub(super) fn replace(&self, set_cookie_line: &[u8]) -> bool {
        self.iter().any(|ours| is_same_cookie(ours.as_bytes(), set_cookie_line))
    }
}

impl IntoIterator for SetCookies {
    type Item = String;
    type IntoIter = std::iter::Chain<std::option::IntoIter<String>, std::vec::IntoIter<String>>;

    fn into_iter(self) -> Self::IntoIter {
        self.session.into_iter().chain(self.signed)
    }
}

/// Returns the value of `Vary` with `Cookie` added, because the page depends on who asks; `None` if it says so
/// already.
pub(super) fn with_cookie<'h>(lines: impl IntoIterator<Item = &'h [u8]>) -> Option<Cow<'static, str>> {
    let mut merged = String::new();
    for line in lines {
        if mentions([line], &[b"cookie", b"*"]) {
            return None;
        }
        // Field names are ASCII. Anything else in this header has no meaning.
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

/// Returns whether the application has forbidden shared caches to store the response.
pub(super) fn is_private<'h>(cache_control: impl IntoIterator<Item = &'h [u8]>) -> bool {
    mentions(cache_control, &[b"no-store", b"private"])
}

/// Returns whether a header of the application's answer stays when that answer is replaced by the answer to a failure.
///
/// The others describe a body that is not sent, or an action that the application wanted (`Location`, `HX-Redirect`). A
/// failure must not look like a success.
pub(super) fn survives_failure(name: &str) -> bool {
    // Another layer's session may have moved to a new id, and caches must still keep to what they were told about
    // cookies.
    const COOKIES: [&str; 3] = ["set-cookie", "cache-control", "vary"];
    // With these, a script of another origin can read the failure. Without them, it sees a network error.
    const CROSS_ORIGIN: [&str; 2] = ["cross-origin-resource-policy", "timing-allow-origin"];
    // With these, the failure can be found in other logs and in traces.
    const TRACING: [&str; 10] = [
        "x-request-id",
        "request-id",
        "x-correlation-id",
        "correlation-id",
        "traceparent",
        "tracestate",
        "traceresponse",
        "x-amzn-trace-id",
        "x-cloud-trace-context",
        "server-timing",
    ];
    // These are about the site, not about the answer.
    const SITE: [&str; 2] = ["strict-transport-security", "x-content-type-options"];
    let named = [&COOKIES[..], &CROSS_ORIGIN, &TRACING, &SITE];
    named.iter().any(|names| names.contains(&name)) || name.starts_with("access-control-") || name.starts_with("x-b3-")
}

/// Returns whether a header describes the body of a response, and so does not fit another body.
pub(super) fn describes_body(name: &str) -> bool {
    matches!(name, "content-encoding" | "content-length" | "content-range" | "etag" | "last-modified")
}

/// Returns whether one of the comma-separated elements is one of `names`.
///
/// An element with an argument is another thing: `private="X-User"` lets shared caches store the rest (RFC 9111,
/// 5.2.2.7).
fn mentions<'h>(lines: impl IntoIterator<Item = &'h [u8]>, names: &[&[u8]]) -> bool {
    let mut elements = lines.into_iter().flat_map(elements);
    elements.any(|element| names.iter().any(|name| element.trim_ascii().eq_ignore_ascii_case(name)))
}

/// Splits a line at the commas that are not in a quoted string (RFC 9110, 5.6.1 and 5.6.4). A string that is not closed
/// goes on to the end of the line.
fn elements(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    line.split(move |byte| {
        if std::mem::take(&mut is_escaped) {
            return false;
        }
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\\' => is_escaped = is_quoted,
            _ => {}
        }
        *byte == b',' && !is_quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines<'a>(lines: &'a [&str]) -> impl Iterator<Item = &'a [u8]> {
        lines.iter().map(|line| line.as_bytes())
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
            assert_eq!(with_cookie(lines(before)).as_deref(), after, "{before:?}");
        }
    }

    #[test]
    fn only_no_store_and_private_make_a_response_private() {
        for (before, private) in [
            (&[][..], false),
            (&["no-store"], true),
            (&["Private, max-age=60"], true),
            (&["private=\"x\""], false),
            (&["private=\"x, no-store, y\""], false),
            (&["private=\"x, y\", no-store"], true),
            (&["community=\"\\\", no-store, \\\"\""], false),
            (&["community=\"\\\\\", no-store"], true),
            (&["community=\"x, no-store"], false),
            (&["community=x\\, no-store"], true),
            (&["public, max-age=60"], false),
            (&["no-cache"], false),
        ] {
            assert_eq!(is_private(lines(before)), private, "{before:?}");
        }
    }

    #[test]
    fn our_cookie_takes_the_place_of_one_of_the_same_name() {
        let ours = ["a=b; Path=/", "theme=dark"].map(str::to_owned);
        let [session, theme] = ours.clone();
        let cookies = SetCookies { session: Some(session), signed: vec![theme] };
        for (line, replaced) in [
            ("a=c", true),
            (" a =c; HttpOnly", true),
            ("theme=", true),
            ("A=c", false),
            ("ab=c", false),
            ("b=a=", false),
        ] {
            assert_eq!(cookies.replace(line.as_bytes()), replaced, "{line}");
        }
        assert!(cookies.iter().eq(&ours));
        assert!(cookies.into_iter().eq(ours));
    }

    #[test]
    fn headers_that_describe_the_dropped_answer_are_removed() {
        for (name, survives) in [
            ("set-cookie", true),
            ("cache-control", true),
            ("vary", true),
            ("access-control-allow-origin", true),
            ("access-control-expose-headers", true),
            ("x-request-id", true),
            ("traceparent", true),
            ("strict-transport-security", true),
            ("content-type", false),
            ("content-length", false),
            ("content-encoding", false),
            ("etag", false),
            ("last-modified", false),
            ("location", false),
            ("x-accel-redirect", false),
            ("hx-redirect", false),
        ] {
            assert_eq!(survives_failure(name), survives, "{name}");
        }
    }
}
