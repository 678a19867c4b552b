//! Bytes as lower-case hex digits.
//!
//! Session ids print and parse themselves. This module does the same for the other bytes that become names of files:
//! principals' tags, random names, and single bytes.

/// The digits of one byte.
pub(crate) const fn of_byte(byte: u8) -> [u8; 2] {
    [DIGITS[(byte >> 4) as usize], DIGITS[(byte & 0xf) as usize]]
}

/// Writes the digits of `bytes` to `digits`, which has two places for each byte.
pub(crate) fn encode(bytes: &[u8], digits: &mut [u8]) {
    debug_assert_eq!(digits.len(), 2 * bytes.len(), "two digits for each byte");
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&of_byte(*byte));
    }
}

/// Returns the bytes that `digits` spells, or `None` if it is not exactly two lower-case digits for each byte.
pub(crate) fn decode<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(bytes)
}

/// Returns the value of a digit, or `None` for any other byte. Unlike `char::to_digit`, it refuses upper case.
const fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;
    use nexios_store_core::SessionId;
    use proptest::prelude::*;

    fn encoded(bytes: &[u8]) -> String {
        let mut digits = vec![0; 2 * bytes.len()];
        encode(bytes, &mut digits);
        String::from_utf8(digits).unwrap()
    }

    #[test]
    fn bytes_and_digits_are_two_forms_of_the_same() {
        for (bytes, digits) in [(&[][..], ""), (&[0], "00"), (&[0xff], "ff"), (&[0x01, 0x9a, 0xf0], "019af0")] {
            assert_eq!(encoded(bytes), digits);
        }
        assert_eq!(decode(b""), Some([]));
        assert_eq!(decode(b"019af0"), Some([0x01, 0x9a, 0xf0]));
    }

    #[test]
    fn no_other_spelling_is_decoded() {
        for digits in ["", "0", "000", "0000", "0A", "A0", "0g", "/0", "0:", "0`", " 0", "+1", "0x", "é"] {
            assert_eq!(decode::<1>(digits.as_bytes()), None, "{digits:?}");
        }
    }

    proptest! {
        #[test]
        fn every_array_is_decoded_from_its_digits(bytes in any::<[u8; 32]>()) {
            prop_assert_eq!(decode(encoded(&bytes).as_bytes()), Some(bytes));
        }

        #[test]
        fn any_text_is_decoded_as_what_it_spells_or_not_at_all(text in "[0-9a-gA-F]{31,33}") {
            match decode::<16>(text.as_bytes()) {
                Some(bytes) => prop_assert_eq!(encoded(&bytes), text),
                None => {
                    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                    prop_assert!(text.len() != 32 || !text.bytes().all(is_digit));
                }
            }
        }

        #[test]
        fn session_ids_are_spelled_in_the_same_way(bytes in any::<[u8; 16]>()) {
            prop_assert_eq!(encoded(&bytes).into_bytes(), SessionId::from_bytes(bytes).to_hex());
        }
    }
}
