/// The text that a segment of a path stands for, or `None` if that is not UTF-8.
pub fn decode_key(segment: &str) -> Option<String> {
    let decoded = percent_encoding::percent_decode_str(segment).decode_utf8().ok()?;
    Some(decoded.into_owned())
}
