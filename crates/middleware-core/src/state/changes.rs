use std::sync::Arc;

use smallvec::SmallVec;
use smol_str::SmolStr;

use crate::error::SessionError;
use crate::format::payload::Overrides;
use crate::format::values::{EncodedValue, Values};
use crate::state::key_change::{KeyChange, Update};
use crate::state::own_changes::OwnChanges;

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
    /// Boxed, because few requests change them, and every request has room for these changes.
    own: Option<Box<OwnChanges>>,
}

impl Changes {
    pub(crate) fn is_empty(&self) -> bool {
        !self.cleared && self.keys.is_empty() && self.own.is_none()
    }

    /// Returns the changes of the session's own settings, if there are any.
    pub(crate) fn own(&self) -> Option<&OwnChanges> {
        self.own.as_deref()
    }

    /// Returns the changes of the own settings, so that one can be added.
    pub(crate) fn change_own(&mut self) -> &mut OwnChanges {
        self.own.get_or_insert_default()
    }

    /// Returns the session's own settings, with these changes to the stored ones.
    pub(crate) fn overrides(&self, stored: &Overrides) -> Overrides {
        self.own.as_ref().map_or_else(|| stored.clone(), |own| own.over(stored))
    }

    /// Returns whether making these changes twice has the same result as making them once.
    pub(crate) fn are_repeatable(&self) -> bool {
        self.keys.iter().all(|(_, change)| change.is_repeatable())
    }

    /// Returns whether a value was taken that no other request may have taken.
    pub(crate) fn takes_once(&self) -> bool {
        self.keys.iter().any(|(_, change)| change.takes_once())
    }

    pub(crate) fn insert(&mut self, key: SmolStr, value: EncodedValue) {
        self.change_of(key).give(Some(value));
    }

    pub(crate) fn remove(&mut self, key: SmolStr) {
        self.change_of(key).give(None);
    }

    /// Removes `key`, which has this value now, and must still have it when the changes are replayed.
    pub(crate) fn take_once(&mut self, key: SmolStr, value: EncodedValue) {
        let cleared = self.cleared;
        let change = self.change_of(key);
        if cleared {
            change.give(None); // the value is from this request, and nobody else has seen it
        } else {
            change.take_once(value);
        }
    }

    pub(crate) fn update(&mut self, key: SmolStr, update: Update) {
        self.change_of(key).update(update);
    }

    /// Removes all values. What was taken must still be there all the same.
    pub(crate) fn clear(&mut self) {
        self.cleared = true;
        self.keys.retain(|(_, change)| {
            change.give(None);
            change.takes_once()
        });
    }

    /// Removes all values and the session's own settings, for another user.
    pub(crate) fn begin_afresh(&mut self) {
        *self = Self { keys: std::mem::take(&mut self.keys), ..Self::default() };
        self.clear();
    }

    /// Returns no more of the changes than what must still be there because it was taken.
    pub(crate) fn into_taken(mut self) -> Self {
        self.keys.retain(|(_, change)| change.takes_once());
        Self { keys: self.keys, ..Self::default() }
    }

    /// Forgets everything but the session's own settings.
    pub(crate) fn forget_values(&mut self) {
        self.cleared = false;
        self.keys.clear();
    }

    /// Adds changes that were made after these.
    pub(crate) fn append(&mut self, later: Self) {
        for (key, change) in &later.keys {
            if let Some((updates, value)) = change.taken() {
                updates.iter().for_each(|update| self.update(key.clone(), Arc::clone(update)));
                self.take_once(key.clone(), value.clone());
            }
        }
        if later.cleared {
            self.clear();
        }
        for (key, change) in later.keys {
            self.change_of(key).append(change);
        }
        if let Some(later) = later.own {
            self.change_own().append(*later);
        }
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
        for (key, change) in &self.keys {
            if !change.finds_what_was_taken(values.get(key))? {
                return Err(SessionError::already_taken(key));
            }
        }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::error::SessionErrorKind;
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
    fn what_was_taken_once_cannot_be_taken_a_second_time() {
        let mut changes = Changes::default();
        changes.take_once(key("token"), number(7));
        assert!(changes.takes_once() && !changes.are_repeatable());
        assert_eq!(replayed(&changes, &[("a", 1), ("token", 7)]), expect(&[("a", 1)]));
        for others in [&[("a", 1)][..], &[("a", 1), ("token", 8)]] {
            let mut present = values(others);
            let error = changes.replay(&mut present).unwrap_err();
            assert_eq!((error.kind(), error.status()), (SessionErrorKind::AlreadyTaken, 409));
            assert!(present == values(others), "nothing has changed");
        }
    }

    #[test]
    fn what_comes_after_a_taking_does_not_make_up_for_it() {
        let later: [fn(&mut Changes); 6] = [
            |changes| changes.insert(key("token"), number(8)),
            |changes| changes.remove(key("token")),
            |changes| changes.update(key("token"), add(1)),
            |changes| changes.take_once(key("token"), number(7)),
            Changes::clear,
            Changes::begin_afresh,
        ];
        for (nth, change) in later.into_iter().enumerate() {
            let (mut at_once, mut appended, mut second) = (Changes::default(), Changes::default(), Changes::default());
            at_once.take_once(key("token"), number(7));
            change(&mut at_once);
            second.take_once(key("token"), number(7));
            change(&mut second);
            appended.insert(key("a"), number(1));
            appended.append(second);
            for changes in [&at_once, &appended, &at_once.clone().into_taken()] {
                assert!(changes.replay(&mut values(&[])).is_err(), "{nth}");
                assert!(changes.replay(&mut values(&[("token", 8)])).is_err(), "{nth}");
                assert!(changes.replay(&mut values(&[("token", 7)])).is_ok(), "{nth}");
            }
        }
    }

    #[test]
    fn a_value_of_this_requests_own_can_be_taken_at_any_time() {
        let mut changes = Changes::default();
        changes.insert(key("given"), number(1));
        changes.take_once(key("given"), number(1));
        changes.clear();
        changes.update(key("computed"), add(1));
        changes.take_once(key("computed"), number(1));
        assert!(!changes.takes_once());
        assert_eq!(replayed(&changes, &[("given", 7), ("computed", 8)]), expect(&[]));

        let (mut earlier, mut later) = (Changes::default(), Changes::default());
        earlier.insert(key("given"), number(1));
        later.take_once(key("given"), number(1));
        earlier.append(later);
        assert_eq!(replayed(&earlier, &[("given", 7)]), expect(&[]));
    }

    #[test]
    fn a_taken_sum_must_be_the_same_sum_again() {
        let (mut earlier, mut later) = (Changes::default(), Changes::default());
        earlier.update(key("hits"), add(1));
        later.update(key("hits"), add(1));
        later.take_once(key("hits"), number(7));
        earlier.append(later);
        assert_eq!(replayed(&earlier, &[("hits", 5)]), expect(&[]));
        assert!(earlier.replay(&mut values(&[("hits", 6)])).is_err());
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
        TakeOnce(u8),
        Clear,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..3_u8, 0..100_u32).prop_map(|(key, value)| Step::Insert(key, value)),
            (0..3_u8).prop_map(Step::Remove),
            (0..3_u8, 0..100_u32).prop_map(|(key, amount)| Step::Update(key, amount)),
            (0..3_u8).prop_map(Step::TakeOnce),
            Just(Step::Clear),
        ]
    }

    /// Makes the steps on the map, and records them.
    fn record(steps: &[Step], map: &mut BTreeMap<u8, u32>) -> Changes {
        let mut changes = Changes::default();
        for step in steps {
            if let Step::TakeOnce(name) = step
                && let Some(value) = map.get(name)
            {
                changes.take_once(name.to_string().into(), number(*value));
            }
            match *step {
                Step::Insert(name, value) => drop(map.insert(name, value)),
                Step::Remove(name) | Step::TakeOnce(name) => drop(map.remove(&name)),
                Step::Update(name, amount) => *map.entry(name).or_default() += amount,
                Step::Clear => map.clear(),
            }
            match *step {
                Step::Insert(name, value) => changes.insert(name.to_string().into(), number(value)),
                Step::Remove(name) => changes.remove(name.to_string().into()),
                Step::Update(name, amount) => changes.update(name.to_string().into(), add(amount)),
                Step::TakeOnce(_) => {}
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
            let at_once = record(&steps, &mut model);
            let (first, second) = steps.split_at(split.min(steps.len()));
            let mut map = start.clone();
            let mut appended = record(first, &mut map);
            appended.append(record(second, &mut map));

            let expected: Vec<_> = model.iter().map(|(name, value)| (name.to_string(), *value)).collect();
            let start: Vec<_> = start.iter().map(|(name, value)| (name.to_string(), *value)).collect();
            let start: Vec<_> = start.iter().map(|(name, value)| (name.as_str(), *value)).collect();
            prop_assert_eq!(replayed(&at_once, &start), expected.clone());
            prop_assert_eq!(replayed(&appended, &start), expected);
        }
    }
}
