use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::KeyRing;

/// Reads the keys from a string, separated by commas, as [`KeyRing::from_text`] does.
///
/// The error of this implementation never contains any part of the string. The error of a format may: `toml`, for
/// example, shows the line that it was reading. Print such an error without its source line, or read the keys with
/// [`KeyRing::from_env`].
impl<'de> Deserialize<'de> for KeyRing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not `deserialize_str`: `serde_json` would then show a number in an error of its own, before the visitor sees
        // it.
        deserializer.deserialize_any(KeyRingVisitor)
    }
}

struct KeyRingVisitor;

impl Visitor<'_> for KeyRingVisitor {
    type Value = KeyRing;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string of keys, separated by commas")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<KeyRing, E> {
        KeyRing::from_text(text).map_err(E::custom)
    }

    // The default methods would show the number in the error, and it may be a secret that somebody forgot to quote.

    fn visit_i64<E: Error>(self, _: i64) -> Result<KeyRing, E> {
        Err(number_instead_of_string())
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<KeyRing, E> {
        Err(number_instead_of_string())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<KeyRing, E> {
        Err(number_instead_of_string())
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<KeyRing, E> {
        Err(number_instead_of_string())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<KeyRing, E> {
        Err(number_instead_of_string())
    }
}

fn number_instead_of_string<E: Error>() -> E {
    E::custom("keys are a number, but must be a string")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<KeyRing, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_string_of_keys_is_read_like_the_variable() {
        let ring = parse(r#""0123456789abcdefghijklmnopqrstuv, ABCDEFGHIJKLMNOPQRSTUVWXYZ012345""#).unwrap();
        assert_eq!(ring.len(), 2);
    }

    #[test]
    fn any_other_value_is_an_error_that_does_not_show_it() {
        for (json, expected) in [
            (r#""""#, "key is empty"),
            (r#""3141592""#, "key is shorter than 32 bytes"),
            (r#""0123456789abcdefghijklmnopqrstuv,3141592""#, "key 2 of 2 is shorter than 32 bytes"),
            ("3141592", "keys are a number, but must be a string"),
            ("-3141592", "keys are a number, but must be a string"),
            ("3141592.5", "keys are a number, but must be a string"),
            ("true", "expected a string of keys, separated by commas"),
            ("null", "expected a string of keys, separated by commas"),
            (r#"["3141592"]"#, "expected a string of keys, separated by commas"),
            (r#"{"key": "3141592"}"#, "expected a string of keys, separated by commas"),
        ] {
            let message = parse(json).unwrap_err();
            assert!(message.contains(expected) && !message.contains("3141592"), "{json}: {message}");
        }
    }
}
