use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;

/// The values of a session, each in its own encoding, in the order of their keys.
///
/// A clone shares the map until one of the two is changed.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Values {
    map: Arc<BTreeMap<ByteString, Bytes>>,
    bytes: usize,
}

impl Values {
    pub(crate) fn get(&self, key: &str) -> Option<&Bytes> {
        self.map.get(key)
    }

    pub(crate) fn insert(&mut self, key: ByteString, value: Bytes) {
        self.bytes = self.encoded_len_with(&key, &value);
        Arc::make_mut(&mut self.map).insert(key, value);
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<Bytes> {
        // Asked first, so that a key that is not there does not cost a copy of a shared map.
        if !self.map.contains_key(key) {
            return None;
        }
        let removed = Arc::make_mut(&mut self.map).remove(key)?;
        self.bytes -= size_of_entry(key, &removed);
        Some(removed)
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&ByteString, &Bytes)> {
        self.map.iter()
    }

    /// How many bytes the values take in a payload, at most.
    pub(crate) const fn encoded_len(&self) -> usize {
        self.bytes
    }

    /// The same, once `key` has `value`.
    pub(crate) fn encoded_len_with(&self, key: &str, value: &Bytes) -> usize {
        let replaced = self.get(key).map_or(0, |replaced| size_of_entry(key, replaced));
        self.bytes - replaced + size_of_entry(key, value)
    }
}

impl FromIterator<(ByteString, Bytes)> for Values {
    fn from_iter<I: IntoIterator<Item = (ByteString, Bytes)>>(entries: I) -> Self {
        let mut map = BTreeMap::new();
        // Not `collect`, which sorts a `Vec` first: entries come in order from a payload, and are few.
        for (key, value) in entries {
            map.insert(key, value);
        }
        let bytes = map.iter().map(|(key, value)| size_of_entry(key, value)).sum();
        Self { map: Arc::new(map), bytes }
    }
}

/// Without the values, which may be anything.
impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values").field("len", &self.len()).field("bytes", &self.bytes).finish()
    }
}

fn size_of_entry(key: &str, value: &Bytes) -> usize {
    key.len() + value.len() + LENGTH_FIELDS
}

/// What the lengths of a key and of a value take, at most: a varint below 2^32 has five bytes in `bincode`.
const LENGTH_FIELDS: usize = 2 * 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &'static str) -> ByteString {
        ByteString::from_static(text)
    }

    #[test]
    fn the_size_follows_every_change() {
        let mut values = Values::default();
        values.insert(key("cart"), Bytes::from_static(b"12345"));
        values.insert(key("name"), Bytes::from_static(b"Ada"));
        assert_eq!(values.encoded_len(), 4 + 5 + 4 + 3 + 2 * LENGTH_FIELDS);
        values.insert(key("cart"), Bytes::from_static(b"1"));
        assert_eq!(values.encoded_len(), 4 + 1 + 4 + 3 + 2 * LENGTH_FIELDS);
        assert_eq!(values, values.iter().map(|(k, v)| (k.clone(), v.clone())).collect());
        assert_eq!(values.remove("other"), None);
        assert_eq!(values.remove("cart").as_deref(), Some(&b"1"[..]));
        assert_eq!(values.encoded_len(), 4 + 3 + LENGTH_FIELDS);
        values.clear();
        assert_eq!((values.encoded_len(), values.len()), (0, 0));
    }

    #[test]
    fn a_clone_keeps_what_it_had() {
        let mut values: Values = [(key("a"), Bytes::from_static(b"1"))].into_iter().collect();
        let before = values.clone();
        values.insert(key("a"), Bytes::from_static(b"2"));
        assert_eq!(before.get("a").map(|value| &value[..]), Some(&b"1"[..]));
    }
}
