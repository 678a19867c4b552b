//! The encoding of one value: MessagePack with field names, human-readable on both sides.
//!
//! It describes itself. So a struct that has gained an `Option` or a `#[serde(default)]` field still reads what was
//! stored before, and a wrong type is an error for that key alone.

use serde::Serialize;
use serde::de::DeserializeOwned;
use smallvec::SmallVec;

use crate::error::SessionError;
use crate::format::values::EncodedValue;

pub(crate) fn encode<T: Serialize + ?Sized>(key: &str, value: &T) -> Result<EncodedValue, SessionError> {
    // Most values are short. The buffer keeps them, and they are allocated once, with their final length.
    let mut buffer = SmallVec::<[u8; 128]>::new();
    let mut serializer = rmp_serde::Serializer::new(&mut buffer).with_struct_map().with_human_readable();
    match value.serialize(&mut serializer) {
        Ok(()) => Ok(buffer.as_slice().into()),
        Err(_) => Err(SessionError::not_encodable::<T>(key)),
    }
}

pub(crate) fn decode<T: DeserializeOwned>(key: &str, value: &[u8]) -> Result<T, SessionError> {
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(value).with_human_readable();
    T::deserialize(&mut deserializer).map_err(|_| SessionError::not_decodable::<T>(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::{Value, json};

    fn round_trip<T: Serialize + DeserializeOwned>(value: &T) -> T {
        decode("key", &encode("key", value).unwrap()).unwrap()
    }

    #[test]
    fn nested_and_large_values_round_trip() {
        let value = json!({
            "null": null, "yes": true, "small": 1, "negative": -7, "max": u64::MAX, "min": i64::MIN, "float": 1.0,
            "text": "x".repeat(10_000), "list": (0..1000).collect::<Vec<_>>(), "deep": {"a": [{"b": [[]]}, {}]},
        });
        assert_eq!(round_trip(&value), value);
    }

    #[test]
    fn a_float_stays_a_float() {
        assert!(round_trip(&json!(1.0)).is_f64());
    }

    #[test]
    fn self_describing_types_round_trip() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        #[serde(untagged)]
        enum Untagged {
            Number(u8),
            Text { text: String },
        }
        for value in [Untagged::Number(7), Untagged::Text { text: "seven".into() }] {
            assert_eq!(round_trip(&value), value);
        }
        let address: std::net::IpAddr = "127.0.0.1".parse().unwrap();
        assert_eq!(round_trip(&address), address);
        assert_eq!(decode::<String>("key", &encode("key", &address).unwrap()).unwrap(), "127.0.0.1");
    }

    #[test]
    fn a_struct_that_has_gained_fields_reads_what_was_stored_before() {
        #[derive(Serialize)]
        struct Before {
            name: &'static str,
            dropped: u8,
        }
        #[derive(Debug, PartialEq, Deserialize)]
        struct After {
            name: String,
            age: Option<u8>,
            #[serde(default)]
            tags: Vec<String>,
        }
        let stored = encode("key", &Before { name: "Ada", dropped: 1 }).unwrap();
        assert_eq!(decode::<After>("key", &stored).unwrap(), After { name: "Ada".into(), age: None, tags: vec![] });
    }

    #[test]
    fn an_error_names_key_and_type_but_not_the_value() {
        let message = decode::<u8>("age", &encode("age", "hush").unwrap()).unwrap_err().to_string();
        assert_eq!(message, "value of session key `age` is not a u8");
    }

    proptest! {
        #[test]
        fn any_bytes_decode_to_a_value_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
            let _ = decode::<Value>("key", &bytes);
        }

        #[test]
        fn every_integer_and_text_round_trips(number in any::<i64>(), text in any::<String>()) {
            prop_assert_eq!(round_trip(&number), number);
            prop_assert_eq!(round_trip(&text), text);
        }
    }
}
