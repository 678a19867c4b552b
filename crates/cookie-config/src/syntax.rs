//! The text that each part of a cookie allows, and how errors describe it.

pub(crate) const NAME: &str = "an RFC 6265 token of 1 to 256 letters, digits and any of !#$%&'*+-.^_`|~";

/// A token of RFC 9110, 5.6.2, which is what RFC 6265bis, 4.1.1 asks of a name.
pub(crate) fn is_name(text: &str) -> bool {
    let is_token_char = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    (1..=256).contains(&text.len()) && text.bytes().all(is_token_char)
}

pub(crate) const DOMAIN: &str =
    "a host name of at most 253 letters, digits and hyphens in labels of 1 to 63, and no IP address";

/// A host name of RFC 1123, 2.1, in its ASCII form, without a dot at either end.
pub(crate) fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label) && !ends_in_a_number(text)
}

/// Whether browsers take the host for an IPv4 address, as the URL standard has it: `127.1` and `0x7f.0x1` are some.
/// (<https://url.spec.whatwg.org/#ends-in-a-number-checker>)
fn ends_in_a_number(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default().as_bytes();
    match last {
        [b'0', b'x' | b'X', digits @ ..] => digits.iter().all(u8::is_ascii_hexdigit),
        digits => digits.iter().all(u8::is_ascii_digit),
    }
}

pub(crate) const PATH: &str = "at most 1024 printable ASCII characters without `;`, of which the first is `/`";

/// Browsers ignore attributes above 1024 bytes (RFC 6265bis, 5.6).
pub(crate) fn is_path(text: &str) -> bool {
    text.starts_with('/') && text.len() <= 1024 && text.bytes().all(|b| matches!(b, b' '..=b'~') && b != b';')
}

/// `cookie-octet`s of RFC 6265bis, 4.1.1. Quotes around them, which the grammar allows as well, would come back as a
/// part of the value; they are refused.
pub(crate) fn is_value(text: &str) -> bool {
    let is_octet = |b: u8| b.is_ascii_graphic() & !matches!(b, b'"' | b',' | b';' | b'\\');
    // Without stopping at the first that is none, so that the compiler can look at sixteen at a time: values are good as a
    // rule, and are made by every request that writes.
    text.bytes().fold(true, |all, b| all & is_octet(b))
}
