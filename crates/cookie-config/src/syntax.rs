//! The text that each part of a cookie may contain, and the words in which errors describe it.

pub(crate) const NAME: &str = "an RFC 6265 token of 1 to 256 letters, digits and any of !#$%&'*+-.^_`|~";

/// Accepts a token of RFC 9110, 5.6.2: RFC 6265bis, 4.1.1 demands one for a name.
pub(crate) fn is_name(text: &str) -> bool {
    let is_token_char = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    (1..=256).contains(&text.len()) && text.bytes().all(is_token_char)
}

pub(crate) const DOMAIN: &str =
    "a host name of at most 253 letters, digits and hyphens in two or more labels of 1 to 63, and no IP address";

/// Accepts a host name of RFC 1123, 2.1, in its ASCII form, without a dot at either end. One of a single label is a
/// top-level domain, or a host such as `localhost`, for which browsers refuse the attribute.
pub(crate) fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(is_label) && !ends_in_a_number(text)
}

/// Returns whether browsers refuse the domain because unrelated sites lie below it, as with `co.uk` and `github.io`
/// (RFC 6265, 5.3, step 5).
#[cfg(feature = "public-suffix")]
pub(crate) fn is_public_suffix(domain: &str) -> bool {
    let domain = domain.to_ascii_lowercase();
    psl::suffix(domain.as_bytes()).is_some_and(|suffix| suffix.is_known() && suffix == domain.as_str())
}

/// Knows of none without the list of them, which comes with the feature `public-suffix`.
#[cfg(not(feature = "public-suffix"))]
pub(crate) const fn is_public_suffix(_: &str) -> bool {
    false
}

/// Returns `true` if browsers take the host for an IPv4 address, such as `127.1` or `0x7f.0x1`, by the rule of the URL
/// standard (<https://url.spec.whatwg.org/#ends-in-a-number-checker>).
fn ends_in_a_number(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default().as_bytes();
    match last {
        [b'0', b'x' | b'X', digits @ ..] => digits.iter().all(u8::is_ascii_hexdigit),
        digits => digits.iter().all(u8::is_ascii_digit),
    }
}

pub(crate) const PATH: &str = "at most 1024 printable ASCII characters without `;`, of which the first is `/`";

/// Accepts at most 1024 bytes: browsers ignore longer attributes (RFC 6265bis, 5.6).
pub(crate) fn is_path(text: &str) -> bool {
    text.starts_with('/') && text.len() <= 1024 && text.bytes().all(|b| matches!(b, b' '..=b'~') && b != b';')
}

/// Accepts `cookie-octet`s of RFC 6265bis, 4.1.1. The grammar also allows quotes around them, but those would come back
/// as part of the value, so they are refused.
pub(crate) fn is_value(text: &str) -> bool {
    let is_octet = |b: u8| b.is_ascii_graphic() & !matches!(b, b'"' | b',' | b';' | b'\\');
    // A fold does not stop at the first bad byte, so that the compiler can check sixteen bytes at a time. Almost all
    // values are good, and every request that writes makes one.
    text.bytes().fold(true, |all, b| all & is_octet(b))
}
