use crate::scanner::{pairs, trim_end, trim_start};

/// Returns whether a `Set-Cookie` line, whoever made it, is for the cookie that `ours` sets or removes.
///
/// Browsers tell cookies apart by name, domain and path (RFC 6265, 5.3, step 11). Of two lines for one cookie they
/// keep the last, so a response should have only one. Where `theirs` names no path, the browser takes that of the
/// request, which is not known here; then it is taken to be ours.
///
/// # Examples
///
/// ```
/// use nexios_cookie_config::{CookieConfig, is_same_cookie};
///
/// let ours = CookieConfig::default().set_cookie("a1b2", None)?;
/// assert!(is_same_cookie(ours.as_bytes(), b"sessionid=evil; Path=/"));
/// assert!(!is_same_cookie(ours.as_bytes(), b"sessionid=; Path=/old; Max-Age=0"), "the cookie of an earlier release");
/// # Ok::<(), nexios_cookie_config::CookieError>(())
/// ```
pub fn is_same_cookie(ours: &[u8], theirs: &[u8]) -> bool {
    let (ours, theirs) = (Target::of(ours), Target::of(theirs));
    let is_same_domain = match (ours.domain, theirs.domain) {
        (Some(ours), Some(theirs)) => ours.eq_ignore_ascii_case(theirs),
        (ours, theirs) => ours == theirs,
    };
    ours.name.is_some()
        && ours.name == theirs.name
        && is_same_domain
        && theirs.path.is_none_or(|path| ours.path == Some(path))
}

struct Target<'l> {
    /// Without it, the line is for no cookie.
    name: Option<&'l [u8]>,
    /// Without it, the cookie is for the setting host only.
    domain: Option<&'l [u8]>,
    path: Option<&'l [u8]>,
}

impl<'l> Target<'l> {
    fn of(set_cookie_line: &'l [u8]) -> Self {
        let mut pairs = pairs(set_cookie_line).map(|pair| {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let mut half = || halves.next().map(|half| trim_end(trim_start(half)));
            (half().unwrap_or_default(), half())
        });
        let name = pairs.next().and_then(|(name, value)| value.map(|_| name));
        let mut target = Self { name, domain: None, path: None };
        // Of two attributes of one name, the last counts.
        for (attribute, value) in pairs {
            let value = value.unwrap_or_default();
            if attribute.eq_ignore_ascii_case(b"domain") {
                target.domain = Some(value.strip_prefix(b".").unwrap_or(value)).filter(|value| !value.is_empty());
            } else if attribute.eq_ignore_ascii_case(b"path") {
                target.path = Some(value).filter(|value| value.starts_with(b"/"));
            }
        }
        target
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_cookie_of_the_same_name_domain_and_path_is_replaced() {
        let domain = "HttpOnly; Path=/app; Domain=example.org";
        for (ours, theirs, is_replaced) in [
            ("Path=/", "id=2", true),
            ("Path=/", " id = 2 ; path=/ ", true),
            ("Path=/", "id=", true),
            ("Path=/", "id=2; Path=/app", false),
            ("Path=/", "id=2; Path=/app; Path=/", true),
            ("Path=/", "id=; Max-Age=0; Path=/; Domain=example.org", false),
            ("Path=/", "id=2; Domain=; Path=app", true),
            ("Path=/", "ID=2; Path=/", false),
            ("Path=/", "ids=2; Path=/", false),
            ("Path=/", "other=id=2; Path=/", false),
            (domain, "id=2; Path=/app; Domain=.EXAMPLE.org", true),
            (domain, "id=2; Path=/; Domain=example.org", false),
            (domain, "id=2; Path=/app", false),
            (domain, "id=2; Path=/app; Domain=www.example.org", false),
        ] {
            let line = format!("id=1; {ours}");
            assert_eq!(is_same_cookie(line.as_bytes(), theirs.as_bytes()), is_replaced, "{line}: {theirs}");
        }
    }
}
