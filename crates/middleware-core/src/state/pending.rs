use bytestring::ByteString;

use crate::format::payload::{Envelope, Overrides};
use crate::state::changes::Changes;
use crate::state::decisions::Fate;

/// What a request has decided and not saved yet.
#[derive(Clone, Default)]
pub(crate) struct Pending {
    pub(crate) changes: Changes,
    /// Who has just logged in.
    pub(crate) login: Option<ByteString>,
    pub(crate) fate: Fate,
}

impl Pending {
    /// Whether a commit would have something to save.
    pub(crate) fn is_changed(&self) -> bool {
        !self.changes.is_empty() || self.login.is_some()
    }

    /// Whether there is anything to commit.
    pub(crate) fn is_empty(&self) -> bool {
        !self.is_changed() && self.fate == Fate::Keep
    }

    /// Takes everything for a commit. That the session is to end stays decided, also if the commit is never heard of
    /// again; what was changed after that is for a fresh session, and for the next commit.
    pub(crate) fn take(&mut self) -> Self {
        if self.fate == Fate::Destroy {
            return Self { fate: Fate::Destroy, ..Self::default() };
        }
        let left = Self { fate: self.fate.left_by_a_commit(), ..Self::default() };
        std::mem::replace(self, left)
    }

    /// Puts back what a commit was given and has not done. What was decided since then comes after it.
    pub(crate) fn put_back(&mut self, taken: Self) {
        let later = std::mem::replace(&mut self.changes, taken.changes);
        self.changes.append(later);
        self.login = self.login.take().or(taken.login);
        if self.fate == Fate::Keep {
            self.fate = taken.fate;
        }
    }

    /// Forgets everything but that the session is to end.
    pub(crate) fn forget(&mut self) {
        *self = Self { fate: self.fate.left_by_a_commit(), ..Self::default() };
    }
}

impl Changes {
    /// What the session has decided for itself, with these changes to it.
    pub(crate) fn overrides(&self, stored: &Overrides) -> Overrides {
        Overrides {
            idle_timeout: self.idle_timeout.unwrap_or(stored.idle_timeout),
            persistent: self.persistent.unwrap_or(stored.persistent),
            device: self.device.as_ref().unwrap_or(&stored.device).clone(),
        }
    }
}

impl Envelope {
    /// Whether a login gives the session to somebody else than it belonged to.
    pub(crate) fn changes_hands(&self, login: Option<&ByteString>) -> bool {
        self.principal.is_some() && login.is_some_and(|user| self.principal.as_ref() != Some(user))
    }
}
