use bytestring::ByteString;

use crate::format::payload::Envelope;
use crate::state::changes::Changes;
use crate::state::decisions::Fate;

/// The decisions of a request that are not saved yet.
#[derive(Clone, Default)]
pub(crate) struct Pending {
    pub(crate) changes: Changes,
    /// The user who has just logged in.
    pub(crate) login: Option<ByteString>,
    pub(crate) fate: Fate,
}

impl Pending {
    /// Returns whether a commit would have something to save.
    pub(crate) fn is_changed(&self) -> bool {
        !self.changes.is_empty() || self.login.is_some()
    }

    /// Returns whether there is nothing to commit.
    pub(crate) fn is_empty(&self) -> bool {
        !self.is_changed() && self.fate == Fate::Keep
    }

    /// Takes everything for a commit. The decision to end the session stays here as well, in case the commit is dropped
    /// half-way. What was changed after it also stays: it is for a fresh session, and for the next commit.
    pub(crate) fn take(&mut self) -> Self {
        if self.fate == Fate::Destroy {
            return Self { fate: Fate::Destroy, ..Self::default() };
        }
        let left = Self { fate: self.fate.left_by_a_commit(), ..Self::default() };
        std::mem::replace(self, left)
    }

    /// Puts back what a commit was given and has not done. Decisions made since then come after it.
    pub(crate) fn put_back(&mut self, taken: Self) {
        let later = std::mem::replace(&mut self.changes, taken.changes);
        self.changes.append(later);
        self.login = self.login.take().or(taken.login);
        if self.fate == Fate::Keep {
            self.fate = taken.fate;
        }
    }

    /// Forgets everything but the decision to end the session.
    pub(crate) fn forget(&mut self) {
        *self = Self { fate: self.fate.left_by_a_commit(), ..Self::default() };
    }
}

impl Envelope {
    /// Returns whether a login gives the session to another user than it belonged to.
    pub(crate) fn changes_hands(&self, login: Option<&ByteString>) -> bool {
        self.principal.is_some() && login.is_some_and(|user| self.principal.as_ref() != Some(user))
    }
}
