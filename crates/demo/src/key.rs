/// Decodes the percent-encoded segment of a path, or returns `None` if the result is not UTF-8.
pub fn decode_key(segment: &str) -> Option<String> {
    let decoded = percent_encoding::percent_decode_str(segment).decode_utf8().ok()?;
    Some(decoded.into_owned())
}
