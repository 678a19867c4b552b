/// The values of all cookies with this name in a `Cookie` header.
pub(crate) fn values<'h>(header: &'h [u8], name: &[u8]) -> impl Iterator<Item = &'h [u8]> {
    pairs(header).filter_map(move |pair| value_of(pair, name))
}

// RFC 6265bis, 5.6: a semicolon ends a pair, even between quotes. The first `=` ends the name. Only spaces and tabs are
// trimmed from name and value.

pub(crate) fn pairs(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        // `memchr` is vectorised. A header can be as long as the server allows, and for one without our cookie this
        // search is most of the work.
        let Some(end) = memchr::memchr(b';', text) else { return Some(text) };
        rest = Some(&text[end + 1..]);
        Some(&text[..end])
    })
}

fn value_of<'p>(pair: &'p [u8], name: &[u8]) -> Option<&'p [u8]> {
    let after_name = trim_start(pair).strip_prefix(name)?;
    let value = trim_start(after_name).strip_prefix(b"=")?;
    Some(trim_end(trim_start(value)))
}

pub(crate) fn trim_start(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    text
}

pub(crate) fn trim_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}
