use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;
use smol_str::SmolStr;

use crate::format::packed::{Malformed, Packed, Packer, Pair, Size};

/// The values of a session, each in its own encoding, in the order of their keys.
///
/// The values that were loaded stay where they are in their payload. Changes are kept beside them. So a request that
/// reads or changes one key does not look at the others, and the next payload takes those over as they are. A clone
/// shares everything until one of the two is changed.
#[derive(Clone, Default)]
pub(crate) struct Values {
    loaded: Packed,
    /// `None` while the values are those that were loaded.
    edited: Option<Arc<Edited>>,
}

/// One value in its encoding, as it was given to a session and goes into its payload.
pub(crate) type EncodedValue = Arc<[u8]>;

#[derive(Clone, Default)]
struct Edited {
    /// In ascending order of the keys.
    edits: SmallVec<[Edit; USUAL_COUNT]>,
    /// The size of all values, those that were loaded included.
    size: Size,
}

/// A key that was changed since the values were loaded.
#[derive(Clone)]
struct Edit {
    key: SmolStr,
    /// `None` if the key was removed.
    value: Option<EncodedValue>,
    place: InLoaded,
}

/// The place of a key among the entries that were loaded.
#[derive(Clone, Copy)]
enum InLoaded {
    At(usize),
    /// The key is not among them. It would stand before this one.
    Before(usize),
}

/// The place of a key among the edits.
#[derive(Clone, Copy)]
enum InEdits {
    At(usize),
    /// The key is not among them. It would stand before this one.
    Before(usize),
}

impl Values {
    /// Opens the values at the end of a payload: everything after the envelope.
    pub(crate) fn unpack(bytes: Bytes) -> Result<Self, Malformed> {
        Ok(Self { loaded: Packed::open(bytes)?, edited: None })
    }

    /// Puts the values at the end of a payload.
    pub(crate) fn pack(&self, payload: &mut Vec<u8>) -> Result<(), Malformed> {
        let mut packer = Packer::begin(payload, self.size())?;
        for (run, given) in self.pieces() {
            packer.copy(&self.loaded, run)?;
            if let Some((key, value)) = given {
                packer.add(key, value);
            }
        }
        packer.finish()
    }

    /// Returns the same values, as they were put at the end of this payload.
    pub(crate) fn packed_in(&self, payload: &Bytes) -> Self {
        Self { loaded: Packed::at_end_of(payload, self.size()), edited: None }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&[u8]> {
        self.look_up(key).value
    }

    /// Plans to give `key` this value: finds the place, and computes the length of all values after it.
    pub(crate) fn plan_insert(&self, key: &str, value: &[u8]) -> Insertion {
        let LookUp { at, place, value: replaced } = self.look_up(key);
        Insertion { at, place, size: self.size().without(key, replaced).with(key, value) }
    }

    /// Carries out a plan that was made of these values, for the same key and value.
    pub(crate) fn carry_out(&mut self, insertion: Insertion, key: &str, value: EncodedValue) {
        self.edit(insertion, key, Some(value));
    }

    pub(crate) fn insert(&mut self, key: &str, value: EncodedValue) {
        let insertion = self.plan_insert(key, &value);
        self.carry_out(insertion, key, value);
    }

    /// Removes the value of `key`, and returns whether there was one.
    pub(crate) fn remove(&mut self, key: &str) -> bool {
        // Looked up first, so that the removal of an absent key does not copy what is shared.
        let LookUp { at, place, value: Some(removed) } = self.look_up(key) else { return false };
        let size = self.size().without(key, Some(removed));
        self.edit(Insertion { at, place, size }, key, None);
        true
    }

    fn edit(&mut self, Insertion { at, place, size }: Insertion, key: &str, value: Option<EncodedValue>) {
        let edited = Arc::make_mut(self.edited.get_or_insert_default());
        edited.size = size;
        match at {
            InEdits::At(at) => edited.edits[at].value = value,
            InEdits::Before(at) => edited.edits.insert(at, Edit { key: key.into(), value, place }),
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn len(&self) -> usize {
        self.size().len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Pair<'_>> {
        self.pieces().flat_map(|(run, given)| run.map(|nth| self.loaded.pair(nth)).chain(given))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.iter().map(|(key, _)| String::from_utf8_lossy(key))
    }

    /// Returns the number of bytes that the values take in a payload.
    pub(crate) fn encoded_len(&self) -> usize {
        self.size().encoded_len()
    }

    fn size(&self) -> Size {
        self.edited.as_deref().map_or_else(|| self.loaded.size(), |edited| edited.size)
    }

    fn edits(&self) -> &[Edit] {
        self.edited.as_deref().map_or(&[], |edited| &edited.edits)
    }

    fn look_up(&self, key: &str) -> LookUp<'_> {
        let edits = self.edits();
        match edits.binary_search_by(|edit| edit.key.as_str().cmp(key)) {
            Ok(nth) => {
                let Edit { place, value, .. } = &edits[nth];
                LookUp { at: InEdits::At(nth), place: *place, value: value.as_deref() }
            }
            Err(next) => {
                let (place, value) = match self.loaded.find(key.as_bytes()) {
                    Ok(nth) => (InLoaded::At(nth), Some(self.loaded.value(nth))),
                    Err(next) => (InLoaded::Before(next), None),
                };
                LookUp { at: InEdits::Before(next), place, value }
            }
        }
    }

    /// Returns all values in their order, in pieces: a run of loaded values that have stayed as they are, which may be
    /// empty, then one that was given, and so on.
    fn pieces(&self) -> impl Iterator<Item = (Range<usize>, Option<Pair<'_>>)> {
        let edits = self.edits();
        (0..=edits.len()).map(move |nth| {
            let start = nth.checked_sub(1).map_or(0, |before| match edits[before].place {
                InLoaded::At(replaced) => replaced + 1,
                InLoaded::Before(next) => next,
            });
            let Some(Edit { key, value, place: InLoaded::At(end) | InLoaded::Before(end) }) = edits.get(nth) else {
                return (start..self.loaded.size().len, None);
            };
            (start..*end, value.as_deref().map(|value| (key.as_bytes(), value)))
        })
    }
}

struct LookUp<'a> {
    at: InEdits,
    place: InLoaded,
    value: Option<&'a [u8]>,
}

/// The place for a value, and the size of all values with it. So a change that is checked first looks for its key only
/// once.
#[derive(Clone, Copy)]
pub(crate) struct Insertion {
    at: InEdits,
    place: InLoaded,
    size: Size,
}

impl Insertion {
    /// Returns the number of bytes that the values will take in a payload.
    pub(crate) const fn encoded_len(&self) -> usize {
        self.size.encoded_len()
    }
}

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

/// Leaves out the values, which may be secret.
impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values").field("len", &self.len()).field("encoded_len", &self.encoded_len()).finish()
    }
}

/// Up to this many edits take no allocation of their own.
const USUAL_COUNT: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn given<'a>(key: &'a str, value: &[u8]) -> (&'a str, EncodedValue) {
        (key, value.into())
    }

    fn packed(values: &Values) -> Bytes {
        let mut payload = Vec::new();
        values.pack(&mut payload).unwrap();
        payload.into()
    }

    fn loaded<const N: usize>(entries: [(&str, &[u8]); N]) -> (Bytes, Values) {
        let payload = packed(&entries.map(|(key, value)| given(key, value)).into_iter().collect());
        let values = Values::unpack(payload.clone()).unwrap();
        (payload, values)
    }

    #[test]
    fn the_size_follows_every_change() {
        let mut values: Values = [given("cart", b"12345"), given("name", b"Ada")].into_iter().collect();
        assert_eq!(values.encoded_len(), 4 + 2 * 8 + "cart12345nameAda".len());
        values.insert("cart", b"1"[..].into());
        assert_eq!(values.encoded_len(), 4 + 2 * 8 + "cart1nameAda".len());
        assert!(!values.remove("other"));
        assert!(values.remove("cart"));
        assert!(!values.remove("cart"));
        assert_eq!((values.encoded_len(), values.get("cart")), (4 + 8 + "nameAda".len(), None));
        values.clear();
        assert_eq!((values.encoded_len(), values.len()), (4, 0));
    }

    #[test]
    fn loaded_values_are_not_copied() {
        let (payload, mut values) = loaded([("cart", b"12345"), ("name", b"Ada")]);
        let ada = payload[payload.len() - 3..].as_ptr();
        assert_eq!(values.get("name").map(<[u8]>::as_ptr), Some(ada));
        values.insert("cart", b"1"[..].into());
        assert_eq!(values.get("name").map(<[u8]>::as_ptr), Some(ada), "nor by a write of another key");
        assert_eq!(values.get("cart"), Some(&b"1"[..]));
    }

    #[test]
    fn saved_values_are_kept_in_one_payload() {
        let (_, mut values) = loaded([("cart", b"12345"), ("name", b"Ada")]);
        values.insert("cart", b"1"[..].into());
        values.remove("name");
        values.insert("theme", b"dark"[..].into());
        let payload: Bytes = [&b"the envelope"[..], &packed(&values)].concat().into();
        let saved = values.packed_in(&payload);
        assert!(saved == values && saved.edited.is_none());
        assert_eq!(saved.encoded_len(), values.encoded_len());
        assert_eq!(saved.get("theme").map(<[u8]>::as_ptr), Some(payload[payload.len() - 4..].as_ptr()));
    }

    /// As from a store that does not return what it was given.
    #[test]
    fn a_key_that_is_not_utf8_is_shown_lossily() {
        let (payload, _) = loaded([("name", b"Ada")]);
        let mut changed = payload.to_vec();
        let key_at = payload.len() - "nameAda".len();
        changed[key_at] = 0xff;
        let values = Values::unpack(changed.into()).unwrap();
        assert_eq!(values.keys().collect::<Vec<_>>(), ["\u{fffd}ame"]);
        assert_eq!((values.get("name"), values.get("\u{fffd}ame")), (None, None));
    }

    /// As from a store that does not return what it was given: the two keys are `ab` and the `b` in it.
    #[test]
    fn keys_that_overlap_can_all_be_removed() {
        let payload = b"\x02\0\0\0 \x02\0\0\0\x01\0\0\0 \x02\0\0\0\x03\0\0\0 abx";
        let mut values = Values::unpack(payload.iter().copied().filter(|byte| *byte != b' ').collect()).unwrap();
        assert!(values.remove("ab") && values.remove("b"));
        assert_eq!((values.len(), values.encoded_len()), (0, 4));
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
        /// Saves the values and loads them again.
        Reload,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let value = || prop::collection::vec(any::<u8>(), 0..5);
        let step = prop_oneof![
            16 => (0..20_u8, value()).prop_map(|(key, value)| Step::Insert(key, value)),
            8 => (0..20_u8).prop_map(Step::Remove),
            1 => Just(Step::Clear),
            2 => Just(Step::Reload),
        ];
        prop::collection::vec(step, 0..60)
    }

    proptest! {
        /// As from a store that does not return what it was given. Nothing of this may panic.
        #[test]
        fn a_damaged_table_is_refused_or_packed_into_a_sound_one(
            mut ends in prop::collection::vec(any::<[u8; 2]>().prop_map(|ends| ends.map(|end| u32::from(end % 20))), 1..6),
            parts in prop::collection::vec(0..3_u8, 0..20),
            steps in prop::collection::vec((prop::collection::vec(0..3_u8, 0..3), any::<bool>()), 0..6),
        ) {
            ends.last_mut().unwrap()[1] = u32::try_from(parts.len()).unwrap();
            let mut payload = u32::try_from(ends.len()).unwrap().to_le_bytes().to_vec();
            payload.extend(ends.as_flattened().iter().flat_map(|end| end.to_le_bytes()));
            payload.extend(parts);
            let mut values = Values::unpack(payload.into()).unwrap();
            for (key, is_given) in steps {
                let key = str::from_utf8(&key).unwrap();
                if is_given {
                    values.insert(key, b"given"[..].into());
                } else {
                    values.remove(key);
                }
                prop_assert_eq!(values.get(key), is_given.then_some(&b"given"[..]));
                prop_assert!(values.encoded_len() < 1000);
            }
            let mut payload = Vec::new();
            if values.pack(&mut payload).is_ok() {
                let payload = payload.into();
                prop_assert!(values.packed_in(&payload) == values);
                prop_assert!(Values::unpack(payload).unwrap() == values);
            }
        }

        #[test]
        fn values_behave_like_a_map(steps in steps()) {
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
                    Step::Reload => {
                        let payload = packed(&values);
                        prop_assert_eq!(payload.len(), values.encoded_len());
                        values = Values::unpack(payload).unwrap();
                    }
                }
                let parts_len: usize = map.iter().map(|(key, value)| key.len() + value.len()).sum();
                prop_assert_eq!((values.len(), values.encoded_len()), (map.len(), 4 + 8 * map.len() + parts_len));
                prop_assert!(values.iter().eq(map.iter().map(|(key, value)| (key.as_bytes(), &value[..]))));
                prop_assert!(values.keys().eq(map.keys().map(String::as_str)));
                for key in (0..20).map(|key| format!("key {key}")) {
                    prop_assert_eq!(values.get(&key), map.get(&key).map(Vec::as_slice));
                }
            }
        }
    }
}
