//! The check that the numbers of a JSON text can come back as they went in.
//!
//! `serde_json::Value` keeps an integer from `i64::MIN` to `u64::MAX` as it is. It turns any other integer into a
//! float, which loses digits, and a float that is too small into zero. Its feature `arbitrary_precision` keeps such
//! numbers as text. But a feature is switched on for the whole workspace, and this one changes what a number is. So the
//! demo looks at the text instead.

use std::num::IntErrorKind;

/// Returns whether no number in the JSON text is out of range.
///
/// A text that is not JSON may give either answer.
pub(crate) fn all_numbers_fit(json: &[u8]) -> bool {
    let mut rest = json;
    while let Some((first, after)) = rest.split_first() {
        rest = match first {
            b'"' => after_string(after),
            b'-' | b'0'..=b'9' => {
                let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
                let end = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
                let (number, after) = rest.split_at(end);
                // The bytes are ASCII.
                if !std::str::from_utf8(number).is_ok_and(fits) {
                    return false;
                }
                after
            }
            _ => after,
        };
    }
    true
}

/// Returns what comes after the end of a string, without its first quotation mark.
fn after_string(mut rest: &[u8]) -> &[u8] {
    loop {
        rest = match rest {
            [b'"', after @ ..] => return after,
            [b'\\', _, after @ ..] | [_, after @ ..] => after,
            [] => return rest,
        }
    }
}

/// Returns whether a number is an integer from `i64::MIN` to `u64::MAX`, or a float that is neither too large for an
/// `f64` nor so small that it would become zero. Anything else fits, because the parser refuses it.
fn fits(number: &str) -> bool {
    if number.contains(['.', 'e', 'E']) {
        let digits = number.split(['e', 'E']).next().unwrap_or_default();
        let is_zero = !digits.contains(|digit: char| ('1'..='9').contains(&digit));
        return number.parse::<f64>().map_or(true, |float| float.is_finite() && (float != 0.0 || is_zero));
    }
    match number.parse::<i64>().map_err(|error| *error.kind()) {
        Err(IntErrorKind::PosOverflow) => number.parse::<u64>().is_ok(),
        Err(IntErrorKind::NegOverflow) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_fit_and_numbers_that_do_not() {
        for (number, expected) in [
            ("0", true),
            ("-0", true),
            ("-9223372036854775808", true),
            ("-9223372036854775809", false),
            ("18446744073709551615", true),
            ("18446744073709551616", false),
            ("123456789012345678901234567890", false),
            ("123456789012345678901234567890.0", true),
            ("0.1", true),
            ("1e23", true),
            ("1.7976931348623157e308", true),
            ("1.7976931348623159e308", false),
            ("1e400", false),
            ("-1E+400", false),
            ("5e-324", true),
            ("1e-400", false),
            ("0.0e-400", true),
            ("-0.0", true),
            ("0e99999999999999999999", true),
        ] {
            assert_eq!(fits(number), expected, "{number}");
            for json in [number.to_owned(), format!("[1,{number}]"), format!(r#"{{"\\":"\"","a" : {number} }}"#)] {
                assert_eq!(all_numbers_fit(json.as_bytes()), expected, "{json}");
            }
            let text = format!(r#"["a \" {number}", "\\"]"#);
            assert!(all_numbers_fit(text.as_bytes()), "{text}: a text is no number");
        }
    }

    #[test]
    fn what_is_not_json_is_left_to_the_parser() {
        for text in ["", "-", "1.2.3", "1-2", "e", "\"", "\"\\", "\"\\\"", "--1", "nan"] {
            assert!(all_numbers_fit(text.as_bytes()), "{text}");
        }
        assert!(all_numbers_fit(&[0xff, b'1', 0xff]));
    }
}
