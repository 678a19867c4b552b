/// Each value of the cookies of this name in a `Cookie` header.
pub(crate) fn values<'h>(header: &'h [u8], name: &[u8]) -> impl Iterator<Item = &'h [u8]> {
    pairs(header).filter_map(move |pair| value_of(pair, name))
}

/// Whether a `Set-Cookie` line is for a cookie of this name.
pub(crate) fn sets(line: &[u8], name: &[u8]) -> bool {
    pairs(line).next().is_some_and(|pair| value_of(pair, name).is_some())
}

// RFC 6265bis, 5.6: a semicolon ends a pair wherever it stands, also between quotes; the first `=` ends the name, and
// only blanks and tabs are taken from around name and value.

fn pairs(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        // Vectorised: a header can be as long as the server lets it be, and this is most of the work for one that is not
        // for us.
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

fn trim_start(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    text
}

fn trim_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}
