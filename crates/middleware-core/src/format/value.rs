//! The encoding of one value: MessagePack with field names, human-readable on both sides.
//!
//! It describes itself. So a struct that has gained an `Option` or a `#[serde(default)]` field still reads what was
//! stored before, and a wrong type is an error for that key alone. What could not be read back is refused.

use serde::Serialize;
use serde::de::DeserializeOwned;
use smallvec::SmallVec;

use crate::error::SessionError;
use crate::format::limited::{Limited, MAX_NESTING};
use crate::format::plain::Plain;
use crate::format::values::EncodedValue;

pub(crate) fn encode<T: Serialize + ?Sized>(key: &str, value: &T) -> Result<EncodedValue, SessionError> {
    // Most values are short. The buffer keeps them, and they are allocated once, with their final length.
    let mut buffer = SmallVec::<[u8; 128]>::new();
    let mut serializer = rmp_serde::Serializer::new(&mut buffer).with_struct_map().with_human_readable();
    match value.serialize(Limited::new(&mut serializer)) {
        Ok(()) => Ok(buffer.as_slice().into()),
        Err(_) => Err(SessionError::not_encodable::<T>(key)),
    }
}

pub(crate) fn decode<T: DeserializeOwned>(key: &str, value: &[u8]) -> Result<T, SessionError> {
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(value).with_human_readable();
    deserializer.set_max_depth(READ_NESTING);
    T::deserialize(&mut deserializer).map_err(|_| SessionError::not_decodable::<T>(key))
}

/// Decodes a value as it is or, if it is not a `T`, from its plain form.
pub(crate) fn decode_for_list<T: DeserializeOwned>(key: &str, value: &[u8]) -> Result<T, SessionError> {
    decode(key, value).or_else(|error| {
        let plain = decode::<Plain>(key, value).and_then(|plain| encode(key, &plain));
        plain.and_then(|plain| decode(key, &plain)).map_err(|_| error)
    })
}

/// The decoder counts one level more than there are.
const READ_NESTING: usize = MAX_NESTING as usize + 1;

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

    fn list(levels: usize) -> Value {
        (1..levels).fold(json!([]), |inner, _| Value::Array(vec![inner]))
    }

    fn map(levels: usize) -> Value {
        (1..levels).fold(json!({}), |inner, _| Value::Object([("a".to_owned(), inner)].into_iter().collect()))
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Chain {
        End,
        Newtype(Box<Self>),
        Struct { next: Box<Self> },
        Tuple(Box<Self>, u8),
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Matryoshka(Option<Box<Self>>);

    #[test]
    fn what_is_nested_as_deeply_as_allowed_can_be_read() {
        for value in [list(127), map(127)] {
            let encoded = encode("key", &value).unwrap();
            assert!(decode::<Value>("key", &encoded).unwrap() == value);
            assert!(decode_for_list::<Value>("key", &encoded).unwrap() == value);
            assert!(serde_json::from_str::<Value>(&value.to_string()).is_ok(), "and as JSON");
        }
        let links: [fn(Chain) -> Chain; 3] = [
            |next| Chain::Newtype(Box::new(next)),
            |next| Chain::Struct { next: Box::new(next) },
            |next| Chain::Tuple(Box::new(next), 1),
        ];
        for link in links {
            let chain = (0..127).fold(Chain::End, |next, _| link(next));
            assert!(round_trip(&chain) == chain);
            assert!(encode("key", &link(chain)).is_err());
        }
    }

    #[test]
    fn what_is_nested_too_deeply_is_refused() {
        for levels in [128, 5000] {
            // Not dropped, because that would overflow the stack of a test.
            for value in [list(levels), map(levels)].map(std::mem::ManuallyDrop::new) {
                assert!(encode("key", &*value).is_err(), "{levels}");
            }
            let doll = (0..levels).fold(Matryoshka(None), |inner, _| Matryoshka(Some(Box::new(inner))));
            assert!(encode("key", &std::mem::ManuallyDrop::new(doll).0).is_err(), "{levels}");
        }
        let foreign = [[0x91].repeat(5000), vec![0x90]].concat();
        assert!(decode::<Value>("key", &foreign).is_err(), "nor is it read");
    }

    /// Whatever their value, so that an application finds out at once.
    #[test]
    fn integers_of_128_bits_are_refused_at_once() {
        assert!(encode("key", &7_u128).is_err() && encode("key", &-7_i128).is_err());
        assert!(encode("key", &vec![Some(7_u128)]).is_err());
    }

    #[test]
    fn raw_json_is_refused_at_once() {
        let raw = serde_json::value::RawValue::from_string("[1, 2]".to_owned()).unwrap();
        assert!(encode("key", &raw).is_err() && encode("key", &[("a", raw)]).is_err());
    }

    /// Reads a value as a listing shows it.
    fn listed<T: Serialize + ?Sized>(value: &T) -> Value {
        decode_for_list("key", &encode("key", value).unwrap()).unwrap()
    }

    #[test]
    fn a_listing_shows_keys_as_text_and_bytes_as_numbers() {
        use std::collections::BTreeMap;
        assert_eq!(listed(&BTreeMap::from([(-1, "a"), (2, "b")])), json!({"-1": "a", "2": "b"}));
        assert_eq!(listed(&BTreeMap::from([(true, 1), (false, 0)])), json!({"true": 1, "false": 0}));
        assert_eq!(listed(&BTreeMap::from([((1, "a\"b\n"), 2)])), json!({"[1,\"a\\\"b\\u000a\"]": 2}));
        assert_eq!(listed(&BTreeMap::from([(None, 1), (Some(2), 3)])), json!({"null": 1, "2": 3}));
        assert_eq!(listed(&BTreeMap::from([(vec![BTreeMap::from([(1, 1)])], 2)])), json!({"[{\"1\":1}]": 2}));
        assert_eq!(listed(&BTreeMap::from([("a", vec![BTreeMap::from([(1, 2)])])])), json!({"a": [{"1": 2}]}));
        assert_eq!(listed(c"abc"), json!([97, 98, 99]));
        assert_eq!(listed(&(1.5_f32, 'x', u64::MAX, i64::MIN, c"")), json!([1.5, "x", u64::MAX, i64::MIN, []]));
        assert_eq!(
            decode_for_list::<u8>("key", &encode("key", "hush").unwrap()).unwrap_err().to_string(),
            "value of session key `key` is not a u8"
        );
    }

    #[test]
    fn a_value_that_can_be_read_is_listed_as_it_is() {
        use std::collections::BTreeMap;
        let keyed = BTreeMap::from([((1, true), 2)]);
        let encoded = encode("key", &keyed).unwrap();
        assert_eq!(decode_for_list::<BTreeMap<(u8, bool), u8>>("key", &encoded).unwrap(), keyed);
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
            let _ = decode_for_list::<Value>("key", &bytes);
        }

        #[test]
        fn every_integer_and_text_round_trips(number in any::<i64>(), text in any::<String>()) {
            prop_assert_eq!(round_trip(&number), number);
            prop_assert_eq!(round_trip(&text), text);
        }
    }
}
