use std::sync::Arc;
use std::time::Duration;

use bytestring::ByteString;
use smallvec::SmallVec;
use smol_str::SmolStr;

use crate::error::SessionError;
use crate::format::values::{EncodedValue, Values};

/// The changes that a request has made since the session was loaded or saved.
///
/// They can be replayed on newer values than those they were recorded on. "This value for this key" and "no such key"
/// hold whatever was there, an update is computed anew, and keys that were not changed are left alone. That is how
/// parallel requests merge. Keys are independent of each other; for each key, only the changes that still matter are
/// kept.
#[derive(Clone, Default)]
pub(crate) struct Changes {
    cleared: bool,
    /// In ascending order of the keys. Most requests change one key or none, and most keys are short.
    keys: SmallVec<[(SmolStr, KeyChange); 1]>,
    /// The session's own idle timeout, if it was changed.
    pub(crate) idle_timeout: Option<Option<Duration>>,
    /// The session's own choice of a persistent cookie, if it was changed.
    pub(crate) persistent: Option<Option<bool>>,
    /// The name of the session's device, if it was changed.
    pub(crate) device: Option<Option<ByteString>>,
}

/// A function that computes a value, or that there is none, from the present one. Both are encoded, so they may be of
/// any type. If it fails, so does the commit.
pub(crate) type Update = Arc<dyn Fn(Option<&[u8]>) -> Result<Option<EncodedValue>, SessionError> + Send + Sync>;

#[derive(Clone, Default)]
struct KeyChange {
    start: Start,
    updates: Vec<Update>,
}

/// The value that the updates of a key begin with.
#[derive(Clone, Default)]
enum Start {
    /// The value that the key has when the changes are replayed.
    #[default]
    Present,
    /// This value, or none, whatever the key has by then.
    Given(Option<EncodedValue>),
}

impl Changes {
    pub(crate) fn is_empty(&self) -> bool {
        let chose_for_itself = self.idle_timeout.is_some() || self.persistent.is_some() || self.device.is_some();
        !self.cleared && self.keys.is_empty() && !chose_for_itself
    }

    /// Returns whether making these changes twice has the same result as making them once.
    pub(crate) fn are_repeatable(&self) -> bool {
        self.keys.iter().all(|(_, change)| change.updates.is_empty() || matches!(change.start, Start::Given(_)))
    }

    pub(crate) fn insert(&mut self, key: SmolStr, value: EncodedValue) {
        *self.change_of(key) = KeyChange { start: Start::Given(Some(value)), updates: Vec::new() };
    }

    pub(crate) fn remove(&mut self, key: SmolStr) {
        *self.change_of(key) = KeyChange { start: Start::Given(None), updates: Vec::new() };
    }

    pub(crate) fn update(&mut self, key: SmolStr, update: Update) {
        self.change_of(key).updates.push(update);
    }

    pub(crate) fn clear(&mut self) {
        self.cleared = true;
        self.keys.clear();
    }

    /// Forgets everything but the session's own settings.
    pub(crate) fn forget_values(&mut self) {
        self.cleared = false;
        self.keys.clear();
    }

    /// Adds changes that were made after these.
    pub(crate) fn append(&mut self, later: Self) {
        if later.cleared {
            self.clear();
        }
        for (key, change) in later.keys {
            let earlier = self.change_of(key);
            match change.start {
                Start::Given(_) => *earlier = change,
                Start::Present => earlier.updates.extend(change.updates),
            }
        }
        self.idle_timeout = later.idle_timeout.or(self.idle_timeout);
        self.persistent = later.persistent.or(self.persistent);
        self.device = later.device.or_else(|| self.device.take());
    }

    fn change_of(&mut self, key: SmolStr) -> &mut KeyChange {
        let at = self.keys.binary_search_by(|(other, _)| other.cmp(&key)).unwrap_or_else(|at| {
            self.keys.insert(at, (key, KeyChange::default()));
            at
        });
        &mut self.keys[at].1
    }

    /// Makes the same changes to `values`.
    ///
    /// Runs the application's update functions, so the state must not be locked.
    pub(crate) fn replay(&self, values: &mut Values) -> Result<(), SessionError> {
        if self.cleared {
            values.clear();
        }
        for (key, change) in &self.keys {
            match change.value(values.get(key))? {
                Some(value) => values.insert(key, value),
                None => _ = values.remove(key),
            }
        }
        Ok(())
    }
}

impl KeyChange {
    /// Returns the value of the key after the change, given its present one.
    fn value(&self, present: Option<&[u8]>) -> Result<Option<EncodedValue>, SessionError> {
        let mut value = match &self.start {
            Start::Present => present.map(Into::into),
            Start::Given(value) => value.clone(),
        };
        for update in &self.updates {
            value = update(value.as_deref())?;
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::value;
    use proptest::prelude::*;

    fn key(text: &str) -> SmolStr {
        text.into()
    }

    fn number(value: u32) -> EncodedValue {
        value::encode("", &value).unwrap()
    }

    fn add(amount: u32) -> Update {
        Arc::new(move |present| {
            let present = present.map_or(Ok(0), |bytes| value::decode::<u32>("", bytes))?;
            value::encode("", &(present + amount)).map(Some)
        })
    }

    fn values(entries: &[(&str, u32)]) -> Values {
        entries.iter().map(|(name, value)| (key(name), number(*value))).collect()
    }

    fn replayed(changes: &Changes, on: &[(&str, u32)]) -> Vec<(String, u32)> {
        let mut values = values(on);
        changes.replay(&mut values).unwrap();
        values
            .keys()
            .zip(values.iter())
            .map(|(key, (_, bytes))| (key.into(), value::decode("", bytes).unwrap()))
            .collect()
    }

    fn expect(entries: &[(&str, u32)]) -> Vec<(String, u32)> {
        entries.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
    }

    #[test]
    fn keys_that_were_not_changed_keep_what_others_wrote() {
        let mut changes = Changes::default();
        changes.insert(key("mine"), number(1));
        assert_eq!(replayed(&changes, &[("mine", 7), ("theirs", 8)]), expect(&[("mine", 1), ("theirs", 8)]));
    }

    #[test]
    fn updates_are_computed_on_the_present_value() {
        let mut changes = Changes::default();
        changes.update(key("hits"), add(1));
        changes.update(key("hits"), add(10));
        assert_eq!(replayed(&changes, &[]), expect(&[("hits", 11)]));
        assert_eq!(replayed(&changes, &[("hits", 100)]), expect(&[("hits", 111)]));
    }

    /// Removes a number that has come down to zero.
    fn drop_zero() -> Update {
        Arc::new(|present| Ok(present.filter(|bytes| **bytes != *number(0)).map(Into::into)))
    }

    #[test]
    fn an_update_may_leave_no_value_for_the_next_one() {
        let mut changes = Changes::default();
        changes.update(key("hits"), drop_zero());
        assert_eq!(replayed(&changes, &[("hits", 0), ("other", 0)]), expect(&[("other", 0)]));
        assert_eq!(replayed(&changes, &[("hits", 7)]), expect(&[("hits", 7)]));
        assert_eq!(replayed(&changes, &[]), expect(&[]));
        changes.update(key("hits"), add(1));
        assert_eq!(replayed(&changes, &[("hits", 0)]), expect(&[("hits", 1)]));
    }

    #[test]
    fn an_insert_drops_earlier_updates_and_later_ones_build_on_it() {
        let mut changes = Changes::default();
        changes.update(key("hits"), add(1));
        changes.insert(key("hits"), number(50));
        changes.update(key("hits"), add(1));
        assert_eq!(replayed(&changes, &[("hits", 7)]), expect(&[("hits", 51)]));
    }

    #[test]
    fn only_an_update_of_the_present_value_is_not_repeatable() {
        let mut changes = Changes::default();
        changes.clear();
        changes.remove(key("a"));
        changes.insert(key("hits"), number(1));
        changes.update(key("hits"), add(1));
        assert!(changes.are_repeatable(), "the sum of given numbers is given");
        changes.update(key("other"), add(1));
        assert!(!changes.are_repeatable());
    }

    #[test]
    fn clear_empties_what_others_wrote_and_keeps_what_came_after_it() {
        let mut changes = Changes::default();
        changes.insert(key("before"), number(1));
        changes.clear();
        changes.update(key("hits"), add(1));
        assert_eq!(replayed(&changes, &[("hits", 7), ("theirs", 8)]), expect(&[("hits", 1)]));
    }

    #[test]
    fn a_value_that_is_no_longer_of_the_type_is_an_error() {
        let mut changes = Changes::default();
        changes.update(key("hits"), add(1));
        let mut values: Values = [(key("hits"), value::encode("", "text").unwrap())].into_iter().collect();
        assert!(changes.replay(&mut values).is_err());
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u8, u32),
        Remove(u8),
        Update(u8, u32),
        Clear,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..3_u8, 0..100_u32).prop_map(|(key, value)| Step::Insert(key, value)),
            (0..3_u8).prop_map(Step::Remove),
            (0..3_u8, 0..100_u32).prop_map(|(key, amount)| Step::Update(key, amount)),
            Just(Step::Clear),
        ]
    }

    fn record(steps: &[Step]) -> Changes {
        let mut changes = Changes::default();
        for step in steps {
            match *step {
                Step::Insert(name, value) => changes.insert(name.to_string().into(), number(value)),
                Step::Remove(name) => changes.remove(name.to_string().into()),
                Step::Update(name, amount) => changes.update(name.to_string().into(), add(amount)),
                Step::Clear => changes.clear(),
            }
        }
        changes
    }

    proptest! {
        /// The log is compared with its meaning: each step done at once on a plain map.
        #[test]
        fn replay_does_what_the_steps_say(
            start in prop::collection::btree_map(0..3_u8, 0..100_u32, 0..3),
            steps in prop::collection::vec(step(), 0..12),
            split in 0..12_usize,
        ) {
            let mut model = start.clone();
            for step in &steps {
                match *step {
                    Step::Insert(name, value) => drop(model.insert(name, value)),
                    Step::Remove(name) => drop(model.remove(&name)),
                    Step::Update(name, amount) => *model.entry(name).or_default() += amount,
                    Step::Clear => model.clear(),
                }
            }
            let expected: Vec<_> = model.iter().map(|(name, value)| (name.to_string(), *value)).collect();
            let start: Vec<_> = start.iter().map(|(name, value)| (name.to_string(), *value)).collect();
            let start: Vec<_> = start.iter().map(|(name, value)| (name.as_str(), *value)).collect();
            prop_assert_eq!(replayed(&record(&steps), &start), expected.clone());

            let (first, second) = steps.split_at(split.min(steps.len()));
            let mut appended = record(first);
            appended.append(record(second));
            prop_assert_eq!(replayed(&appended, &start), expected);
        }
    }
}
