use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

/// The values of a session, each in its own encoding, in the order of their keys.
///
/// What was loaded stays where it is in the payload, and only its place is kept: a request that reads one key pays next to
/// nothing for the others, and one that writes takes them over as they are. A clone shares everything until one of the two
/// is changed.
#[derive(Clone, Default)]
pub(crate) struct Values(Option<Arc<Entries>>);

/// One value in its encoding, as it was given to a session and goes into its payload.
pub(crate) type EncodedValue = Arc<[u8]>;

#[derive(Clone, Default)]
struct Entries {
    /// What those of the parts are in that were loaded.
    payload: Bytes,
    /// In ascending order of their keys, none of which occurs twice.
    entries: SmallVec<[Entry; USUAL_COUNT]>,
    encoded_len: usize,
}

#[derive(Clone)]
struct Entry {
    key: Part,
    value: Part,
}

/// A key or a value.
#[derive(Clone)]
enum Part {
    /// Here in the payload. Not a slice of it, whose clone and drop are atomic operations.
    Loaded {
        start: u32,
        end: u32,
    },
    Given(Arc<[u8]>),
}

impl Values {
    /// The values that are in a payload, given the places of so many keys and values. Each must be in it.
    pub(crate) fn in_payload<E: From<OutOfPlace>>(
        payload: &Bytes,
        count: usize,
        mut next_place: impl FnMut() -> Result<(Range<usize>, Range<usize>), E>,
    ) -> Result<Self, E> {
        if count == 0 {
            return Ok(Self::default());
        }
        // Put together where it stays: this is on the way of every request that reads.
        let mut shared = Arc::<Entries>::default();
        let entries = Arc::make_mut(&mut shared);
        entries.payload = payload.clone();
        entries.entries.reserve_exact(count);
        let mut last: &[u8] = &[];
        for nth in 0..count {
            let (key, value) = next_place()?;
            let bytes = &payload[key.clone()];
            if nth > 0 && last >= bytes {
                return Err(OutOfPlace.into());
            }
            last = bytes;
            entries.encoded_len += entry_len(key.len(), value.len());
            entries.entries.push(Entry { key: Part::loaded(key)?, value: Part::loaded(value)? });
        }
        Ok(Self(Some(shared)))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&[u8]> {
        let entries = self.0.as_deref()?;
        let at = entries.find(key).ok()?;
        Some(entries.value(at))
    }

    /// What it would be to give `key` this value.
    pub(crate) fn plan_insert(&self, key: &str, value: &[u8]) -> Insertion {
        let added = entry_len(key.len(), value.len());
        let Some(entries) = self.0.as_deref() else { return Insertion { at: Err(0), encoded_len: added } };
        let at = entries.find(key);
        let replaced = at.map_or(0, |at| entry_len(key.len(), entries.value(at).len()));
        Insertion { at, encoded_len: entries.encoded_len - replaced + added }
    }

    /// Carries out a plan that was made of these values for the same key and value.
    pub(crate) fn carry_out(&mut self, insertion: Insertion, key: &str, value: EncodedValue) {
        let entries = Arc::make_mut(self.0.get_or_insert_default());
        entries.encoded_len = insertion.encoded_len;
        let value = Part::Given(value);
        match insertion.at {
            Ok(at) => entries.entries[at].value = value,
            Err(at) => entries.entries.insert(at, Entry { key: Part::Given(key.as_bytes().into()), value }),
        }
    }

    pub(crate) fn insert(&mut self, key: &str, value: EncodedValue) {
        let insertion = self.plan_insert(key, &value);
        self.carry_out(insertion, key, value);
    }

    /// Says whether there was a value.
    pub(crate) fn remove(&mut self, key: &str) -> bool {
        // Found first, so that a key that is not there does not cost a copy of what is shared.
        let Some(Ok(at)) = self.0.as_deref().map(|entries| entries.find(key)) else { return false };
        let entries = Arc::make_mut(self.0.get_or_insert_default());
        entries.encoded_len -= entry_len(key.len(), entries.value(at).len());
        entries.entries.remove(at);
        true
    }

    pub(crate) fn clear(&mut self) {
        self.0 = None;
    }

    pub(crate) fn len(&self) -> usize {
        self.0.as_deref().map_or(0, |entries| entries.entries.len())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keys, which are UTF-8, and values.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> {
        let (payload, entries) = match self.0.as_deref() {
            Some(Entries { payload, entries, .. }) => (&payload[..], &entries[..]),
            None => (&[][..], &[][..]),
        };
        entries.iter().map(|entry| (entry.key.bytes(payload), entry.value.bytes(payload)))
    }

    pub(crate) fn keys(&self) -> impl ExactSizeIterator<Item = Cow<'_, str>> {
        self.iter().map(|(key, _)| String::from_utf8_lossy(key))
    }

    /// How many bytes the values take in a payload, at most.
    pub(crate) fn encoded_len(&self) -> usize {
        self.0.as_deref().map_or(0, |entries| entries.encoded_len)
    }
}

/// Where a value goes, and how long all will be then. A key is looked for once to check and to make a change.
#[derive(Clone, Copy)]
pub(crate) struct Insertion {
    /// In the place of the entry here, or else before it.
    at: Result<usize, usize>,
    encoded_len: usize,
}

impl Insertion {
    /// How many bytes the values will take in a payload, at most.
    pub(crate) const fn encoded_len(&self) -> usize {
        self.encoded_len
    }
}

impl Entries {
    /// Where a key is, or else where it would be.
    fn find(&self, key: &str) -> Result<usize, usize> {
        // Keys mostly differ in their lengths, which are compared sooner than their bytes.
        let is_it = |entry: &Entry| entry.key.bytes(&self.payload) == key.as_bytes();
        if self.entries.len() <= USUAL_COUNT
            && let Some(at) = self.entries.iter().position(is_it)
        {
            return Ok(at);
        }
        self.entries.binary_search_by(|entry| entry.key.bytes(&self.payload).cmp(key.as_bytes()))
    }

    fn value(&self, at: usize) -> &[u8] {
        self.entries[at].value.bytes(&self.payload)
    }
}

impl Part {
    fn bytes<'a>(&'a self, payload: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Loaded { start, end } => &payload[*start as usize..*end as usize],
            Self::Given(bytes) => bytes,
        }
    }

    fn loaded(place: Range<usize>) -> Result<Self, OutOfPlace> {
        let number = |at| u32::try_from(at).map_err(|_| OutOfPlace);
        Ok(Self::Loaded { start: number(place.start)?, end: number(place.end)? })
    }
}

/// The keys of a payload do not ascend, or it is too long.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OutOfPlace;

impl<K: AsRef<str>> FromIterator<(K, EncodedValue)> for Values {
    fn from_iter<I: IntoIterator<Item = (K, EncodedValue)>>(entries: I) -> Self {
        let mut values = Self::default();
        entries.into_iter().for_each(|(key, value)| values.insert(key.as_ref(), value));
        values
    }
}

impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

/// Without the values, which may be anything.
impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values").field("len", &self.len()).field("encoded_len", &self.encoded_len()).finish()
    }
}

const fn entry_len(key_len: usize, value_len: usize) -> usize {
    key_len + value_len + LENGTH_FIELDS
}

/// What the lengths of a key and of a value take, at most: a varint below 2^32 has five bytes in `bincode`.
const LENGTH_FIELDS: usize = 2 * 5;

/// Up to so many entries take no allocation of their own: 256 bytes.
const USUAL_COUNT: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn given<'a>(key: &'a str, value: &[u8]) -> (&'a str, EncodedValue) {
        (key, value.into())
    }

    fn loaded(payload: &'static [u8], places: &[(Range<usize>, Range<usize>)]) -> Result<Values, OutOfPlace> {
        let mut rest = places.iter().cloned();
        Values::in_payload(&Bytes::from_static(payload), places.len(), || Ok(rest.next().unwrap()))
    }

    #[test]
    fn an_entry_takes_little() {
        assert_eq!(size_of::<Entry>(), 32);
    }

    #[test]
    fn the_size_follows_every_change() {
        let mut values: Values = [given("cart", b"12345"), given("name", b"Ada")].into_iter().collect();
        assert_eq!(values.encoded_len(), 4 + 5 + 4 + 3 + 2 * LENGTH_FIELDS);
        values.insert("cart", b"1"[..].into());
        assert_eq!(values.encoded_len(), 4 + 1 + 4 + 3 + 2 * LENGTH_FIELDS);
        assert!(!values.remove("other"));
        assert!(values.remove("cart"));
        assert_eq!((values.encoded_len(), values.get("cart")), (4 + 3 + LENGTH_FIELDS, None));
        values.clear();
        assert_eq!((values.encoded_len(), values.len()), (0, 0));
    }

    #[test]
    fn what_is_loaded_is_not_copied() {
        static PAYLOAD: &[u8] = b"cart12345nameAda";
        let mut values = loaded(PAYLOAD, &[(0..4, 4..9), (9..13, 13..16)]).unwrap();
        assert_eq!(values.get("name").map(<[u8]>::as_ptr), Some(PAYLOAD[13..].as_ptr()));
        assert_eq!(values.encoded_len(), 4 + 5 + 4 + 3 + 2 * LENGTH_FIELDS);
        values.insert("cart", b"1"[..].into());
        assert_eq!(
            values.get("name").map(<[u8]>::as_ptr),
            Some(PAYLOAD[13..].as_ptr()),
            "nor by a write of another key"
        );
        assert_eq!(values.get("cart"), Some(&b"1"[..]));
    }

    #[test]
    fn keys_that_do_not_ascend_are_refused() {
        for keys in [[0..1, 0..1], [1..2, 0..1]] {
            let [one, other] = keys;
            assert_eq!(loaded(b"ab1", &[(one, 2..3), (other, 2..3)]).err(), Some(OutOfPlace));
        }
    }

    #[test]
    fn a_clone_keeps_what_it_had() {
        let mut values: Values = [given("a", b"1")].into_iter().collect();
        let before = values.clone();
        values.insert("a", b"2"[..].into());
        assert_eq!(before.get("a"), Some(&b"1"[..]));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u8, Vec<u8>),
        Remove(u8),
        Clear,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let value = || prop::collection::vec(any::<u8>(), 0..5);
        let step = prop_oneof![
            8 => (0..20_u8, value()).prop_map(|(key, value)| Step::Insert(key, value)),
            4 => (0..20_u8).prop_map(Step::Remove),
            1 => Just(Step::Clear),
        ];
        prop::collection::vec(step, 0..60)
    }

    proptest! {
        #[test]
        fn they_are_what_a_map_would_be(steps in steps()) {
            let (mut values, mut map) = (Values::default(), BTreeMap::new());
            for step in steps {
                match step {
                    Step::Insert(key, value) => {
                        values.insert(&format!("key {key}"), value.as_slice().into());
                        map.insert(format!("key {key}"), value);
                    }
                    Step::Remove(key) => {
                        let key = format!("key {key}");
                        prop_assert_eq!(values.remove(&key), map.remove(&key).is_some());
                    }
                    Step::Clear => {
                        values.clear();
                        map.clear();
                    }
                }
                let expected_len: usize = map.iter().map(|(key, value)| entry_len(key.len(), value.len())).sum();
                prop_assert_eq!(values.encoded_len(), expected_len);
                prop_assert!(values.iter().eq(map.iter().map(|(key, value)| (key.as_bytes(), &value[..]))));
                prop_assert!(values.keys().eq(map.keys().map(String::as_str)));
            }
        }
    }
}
