use std::sync::Arc;

use crate::error::SessionError;
use crate::format::values::EncodedValue;

/// A function that computes a value, or that there is none, from the present one. Both are encoded, so they may be of
/// any type. If it fails, so does the commit.
pub(crate) type Update = Arc<dyn Fn(Option<&[u8]>) -> Result<Option<EncodedValue>, SessionError> + Send + Sync>;

/// The changes of one key that still matter.
#[derive(Clone, Default)]
pub(super) struct KeyChange {
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
    /// The same, but only where the key still has what was taken from it.
    Taken(Box<Taken>),
}

/// A value that was taken from its key, and that no other request may have taken or changed before it is saved.
#[derive(Clone)]
struct Taken {
    /// The updates that the value came out of. Usually there are none.
    updates: Vec<Update>,
    value: EncodedValue,
    /// The value that the key has been given since.
    given: Option<EncodedValue>,
}

impl KeyChange {
    /// Returns whether making the change twice has the same result as making it once.
    pub(super) fn is_repeatable(&self) -> bool {
        match self.start {
            Start::Present => self.updates.is_empty(),
            Start::Given(_) => true,
            Start::Taken(_) => false, // the second time, it is not there any more
        }
    }

    /// Returns whether the value was taken, and must still be there.
    pub(super) const fn takes_once(&self) -> bool {
        matches!(self.start, Start::Taken(_))
    }

    /// Returns the value that was taken, and the updates that it came out of.
    pub(super) fn taken(&self) -> Option<(&[Update], &EncodedValue)> {
        match &self.start {
            Start::Taken(taken) => Some((&taken.updates, &taken.value)),
            Start::Present | Start::Given(_) => None,
        }
    }

    /// Returns whether the present value is still the one that was taken. If none was, anything is right.
    pub(super) fn finds_what_was_taken(&self, present: Option<&[u8]>) -> Result<bool, SessionError> {
        match self.taken() {
            None => Ok(true),
            Some((updates, value)) => Ok(updated(present.map(Into::into), updates)?.as_ref() == Some(value)),
        }
    }

    /// Takes the value, which must still be there when the change is replayed.
    pub(super) fn take_once(&mut self, value: EncodedValue) {
        match self.start {
            Start::Present => {
                let updates = std::mem::take(&mut self.updates);
                self.start = Start::Taken(Box::new(Taken { updates, value, given: None }));
            }
            // The value is from this request, and nobody else has seen it.
            Start::Given(_) | Start::Taken(_) => self.give(None),
        }
    }

    pub(super) fn update(&mut self, update: Update) {
        self.updates.push(update);
    }

    /// Adds a change that was made after this one. What it has taken is taken already.
    pub(super) fn append(&mut self, later: Self) {
        match later.start {
            Start::Given(value) => self.give(value),
            Start::Taken(taken) => self.give(taken.given),
            Start::Present => {}
        }
        self.updates.extend(later.updates);
    }

    /// Returns the value of the key after the change, given its present one.
    pub(super) fn value(&self, present: Option<&[u8]>) -> Result<Option<EncodedValue>, SessionError> {
        let start = match &self.start {
            Start::Present => present.map(Into::into),
            Start::Given(value) => value.clone(),
            Start::Taken(taken) => taken.given.clone(),
        };
        updated(start, &self.updates)
    }

    /// Gives the key this value, or none, in place of all that it had before.
    pub(super) fn give(&mut self, value: Option<EncodedValue>) {
        self.updates = Vec::new();
        match &mut self.start {
            Start::Taken(taken) => taken.given = value,
            start => *start = Start::Given(value),
        }
    }
}

fn updated(mut value: Option<EncodedValue>, updates: &[Update]) -> Result<Option<EncodedValue>, SessionError> {
    for update in updates {
        value = update(value.as_deref())?;
    }
    Ok(value)
}
