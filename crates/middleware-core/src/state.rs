pub(crate) mod changes;
pub(crate) mod exchange;

use std::sync::Arc;
use std::time::Duration;

use bytestring::ByteString;
use nexios_store_core::{Revision, SessionId, Timestamp};

use crate::SessionHandle;
use crate::commit::plan::{CookieAction, Fate, Situation};
use crate::format::payload::{self, Envelope, Overrides};
use crate::format::values::Values;
use crate::request::load::{Found, Opener};
use crate::services::expiry::{ExpiryPolicy, Renewal};
use crate::state::changes::Changes;

/// A session as the store has it, as far as we know. Behind an `Arc` everywhere: it is long, and goes through many hands.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub(crate) id: SessionId,
    pub(crate) revision: Revision,
    pub(crate) expires_at: Timestamp,
    pub(crate) envelope: Envelope,
    pub(crate) values: Values,
}

impl Snapshot {
    /// How many bytes its payload has, at most.
    pub(crate) fn encoded_len(&self) -> usize {
        payload::encoded_len(payload::texts_len(&self.envelope), self.values.encoded_len())
    }
}

/// What one request knows of its session and has decided about it.
#[derive(Default)]
pub(crate) struct State {
    /// What the store has; `None` for a session that was not saved yet, or that has ended.
    pub(crate) base: Option<Arc<Snapshot>>,
    /// What the handler sees: the values of the base, with the changes.
    pub(crate) values: Values,
    /// The values are not the base's with the changes, because a save in between has merged in those of others.
    pub(crate) values_are_stale: bool,
    pub(crate) changes: Changes,
    pub(crate) fate: Fate,
    /// Who has just logged in.
    pub(crate) login: Option<ByteString>,
    /// Which candidate of the request's cookies opened the session, if the first key signed it.
    pub(crate) opened_by: Option<Opener>,
    /// An old key signed the visitor's cookie.
    pub(crate) reissue_due: bool,
    /// An old key made the record's principal tag.
    pub(crate) retag_due: bool,
    /// The request came with a cookie of our name.
    pub(crate) cookie_received: bool,
    /// What the response will do about the cookie, by what was committed so far.
    pub(crate) cookie: CookieAction,
    /// This request, or another one seen by it, has ended the session.
    pub(crate) ended: bool,
    /// The store did not answer: there may be a session, which must be neither changed nor ended without knowing it.
    pub(crate) read_only: bool,
    /// A commit is under way, or was dropped half-way.
    pub(crate) under_way: bool,
    /// A commit that has something to save is under way, or has begun and was not heard of again. What it had to save
    /// must not be saved a second time.
    pub(crate) committing: bool,
}

impl State {
    /// Begins with what the request's cookies have opened.
    pub(crate) fn begin(&mut self, found: Found) {
        self.values = found.base.as_ref().map_or_else(Values::default, |base| base.values.clone());
        self.base = found.base;
        self.opened_by = found.opened_by;
        self.reissue_due = found.reissue_due;
        self.retag_due = found.retag_due;
        self.cookie_received = found.cookie_received;
        self.read_only = found.read_only;
    }

    pub(crate) fn principal(&self) -> Option<&ByteString> {
        self.login.as_ref().or_else(|| self.stored_principal())
    }

    fn stored_principal(&self) -> Option<&ByteString> {
        self.base.as_ref()?.envelope.principal.as_ref()
    }

    /// The envelope that the next commit begins with: the stored one, unless a login gives the session to another user.
    pub(crate) fn kept_envelope(&self) -> Option<&Envelope> {
        let base = self.base.as_ref()?;
        (!base.envelope.changes_hands(self.login.as_ref())).then_some(&base.envelope)
    }

    /// The session's own choice of a persistent cookie, changes included.
    pub(crate) fn persistent(&self) -> Option<bool> {
        self.changes.persistent.unwrap_or_else(|| self.kept_envelope()?.overrides.persistent)
    }

    /// What the session's device is called, changes included.
    pub(crate) fn device(&self) -> Option<&ByteString> {
        match &self.changes.device {
            Some(device) => device.as_ref(),
            None => self.kept_envelope()?.overrides.device.as_ref(),
        }
    }

    /// How long the texts beside the values will be.
    pub(crate) fn texts_len(&self) -> usize {
        [self.principal(), self.device()].into_iter().flatten().map(|text| text.len()).sum()
    }

    /// Whether a commit would have something to save.
    pub(crate) fn is_changed(&self) -> bool {
        !self.changes.is_empty() || self.login.is_some()
    }

    pub(crate) fn situation(&self, lifetime: &ExpiryPolicy, persistent_by_default: bool, now: Timestamp) -> Situation {
        let renewal =
            self.base.as_ref().map_or(Renewal::NotDue, |base| lifetime.renewal(&base.envelope, base.expires_at, now));
        Situation {
            stored: self.base.is_some(),
            changed: self.is_changed(),
            has_content: !self.values.is_empty() || self.login.is_some(),
            fate: self.fate,
            touch_due: matches!(renewal, Renewal::Touch(_)),
            rewrite_due: renewal == Renewal::Rewrite || self.retag_due,
            reissue_due: self.reissue_due,
            persistent: self.persistent().unwrap_or(persistent_by_default),
            persistence_changed: self.changes.persistent.is_some(),
            cookie_received: self.cookie_received,
            in_cookie: false, // that is for the caller to know
        }
    }

    /// Forgets what was changed since the last save, but not that the session is to end.
    pub(crate) fn roll_back(&mut self) {
        self.changes = Changes::default();
        self.login = None;
        if self.fate == Fate::Cycle {
            self.fate = Fate::Keep;
        }
        self.values = self.base.as_ref().map_or_else(Values::default, |base| base.values.clone());
        self.values_are_stale = false;
        // What may or may not have been saved is not to be saved again.
        self.committing = false;
    }

    /// There is nothing to be done in the store, so whatever was decided is done.
    pub(crate) fn settle_without_store(&mut self, cookie: CookieAction) {
        if cookie != CookieAction::Keep {
            self.cookie = cookie;
        }
        if self.fate == Fate::Destroy {
            self.end();
        }
        self.fate = Fate::Keep;
        if self.base.is_none() && self.values.is_empty() {
            self.changes.forget_values(); // of a new session that has come to nothing
        }
    }

    /// The session is no more, in the store and for this request.
    pub(crate) fn end(&mut self) {
        *self = Self { cookie_received: self.cookie_received, cookie: self.cookie, ended: true, ..Self::default() };
    }
}

impl Changes {
    /// What the session has decided for itself, with these changes to it.
    pub(crate) fn own(&self, stored: &Overrides) -> Overrides {
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

    /// The envelope of a session that begins now.
    pub(crate) fn new(now: Timestamp, handle: SessionHandle) -> Self {
        Self {
            created_at: now,
            authenticated_at: now,
            idle_timeout: Duration::ZERO, // set with every write
            overrides: Overrides::default(),
            handle,
            principal: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> State {
        let values: Values = [("a", b"1"[..].into())].into_iter().collect();
        let base = Arc::new(Snapshot {
            id: SessionId::from_bytes([1; 16]),
            revision: Revision::new(1),
            expires_at: Timestamp::MAX,
            envelope: Envelope::new(Timestamp::UNIX_EPOCH, SessionHandle(0)),
            values,
        });
        let mut state = State::default();
        state.begin(Found { base: Some(base), ..Found::default() });
        state
    }

    #[test]
    fn rolling_back_restores_what_was_stored() {
        let mut state = stored();
        state.values.clear();
        state.changes.clear();
        state.login = Some("ada".into());
        state.fate = Fate::Cycle;
        state.roll_back();
        assert_eq!((state.values.len(), state.is_changed(), state.fate), (1, false, Fate::Keep));
        assert_eq!(state.principal(), None);
    }

    #[test]
    fn rolling_back_does_not_undo_a_logout() {
        let mut state = stored();
        state.fate = Fate::Destroy;
        state.roll_back();
        assert_eq!(state.fate, Fate::Destroy);
    }

    #[test]
    fn an_ended_session_has_nothing_left_but_the_cookie_to_remove() {
        let mut state = stored();
        state.cookie_received = true;
        state.cookie = CookieAction::Remove;
        state.end();
        assert!(state.ended && state.base.is_none() && state.values.is_empty());
        assert_eq!(state.cookie, CookieAction::Remove);
    }
}
