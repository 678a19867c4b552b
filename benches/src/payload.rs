//! The values of the measured sessions: five keys each, which take 306, 1,009 or 4,059 bytes as JSON.

use serde_json::{Map, Value, json};

/// The size of a session, as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// 306 bytes.
    Small,
    /// 1,009 bytes, for the comparison of the stores of files.
    OfFile,
    /// 4,059 bytes, most of them in a list of 47 objects.
    Large,
}

/// The key that requests read and write. Its value is small in each size.
pub const KEY: &str = "visits";

/// The value of [`KEY`] in a new session.
pub const VISITS: u64 = 7;

/// Returns the keys and values of a session.
pub fn entries(size: Size) -> [(&'static str, Value); 5] {
    let (items, note_len) = match size {
        Size::Small => (2, 81),
        Size::OfFile => (2, 784),
        Size::Large => (47, 369),
    };
    let item = |number: usize| json!({ "sku": format!("SKU-{number:06}"), "name": "a thing of some kind", "quantity": 1, "cents": 1999 });
    [
        ("user", json!("ada@example.org")),
        ("theme", json!("dark")),
        (KEY, json!(VISITS)),
        ("note", json!("n".repeat(note_len))),
        ("cart", (0..items).map(item).collect()),
    ]
}

/// Returns the keys and values of a session as one JSON object.
pub fn map(size: Size) -> Map<String, Value> {
    entries(size).into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Reads the number that is under [`KEY`].
pub fn visits(value: Option<&Value>) -> u64 {
    value.and_then(Value::as_u64).expect("a number")
}

/// Returns the answer of a handler that has read [`KEY`].
pub fn shown(visits: Option<u64>) -> String {
    visits.map_or_else(|| "none".to_owned(), |visits| visits.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_size_has_the_bytes_that_its_name_says() {
        for (size, len) in [(Size::Small, 306), (Size::OfFile, 1009), (Size::Large, 4059)] {
            assert_eq!(Value::Object(map(size)).to_string().len(), len, "{size:?}");
        }
    }
}
