//! The room of a request's state: what is known of its session, what the request has decided, and how far its commit
//! is.
//!
//! Invariant: what is known changes when the session is loaded and by a commit; what is decided is pending until a
//! commit takes it.

pub(crate) mod changes;
pub(crate) mod decisions;
pub(crate) mod exchange;
pub(crate) mod key_change;
pub(crate) mod known;
pub(crate) mod own_changes;
pub(crate) mod pending;
pub(crate) mod place;
pub(crate) mod progress;

use std::sync::Arc;
use std::time::Duration;

use bytestring::ByteString;
use nexios_store_core::Timestamp;

use crate::format::payload::Envelope;
use crate::format::values::Values;
use crate::records::Snapshot;
use crate::state::decisions::{CookieAction, Fate};
use crate::state::known::Known;
use crate::state::pending::Pending;
use crate::state::progress::Progress;

/// The state of one request's session.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) known: Known,
    pub(crate) pending: Pending,
    pub(crate) view: View,
    pub(crate) progress: Progress,
    /// The action that the response will take about the cookie, after all commits so far.
    pub(crate) cookie: CookieAction,
}

/// The session as the handler sees it: the values of the snapshot, with the pending changes.
#[derive(Clone, Default)]
pub(crate) struct View {
    pub(crate) values: Values,
    /// The values are not those of the snapshot with the changes: a save in between has merged in changes of others.
    pub(crate) is_stale: bool,
}

impl State {
    /// Begins with the session that the request's cookies have opened.
    pub(crate) fn begin(&mut self, known: Known) {
        self.known = known;
        self.view = self.stored_view();
    }

    pub(crate) fn principal(&self) -> Option<&ByteString> {
        self.pending.login.as_ref().or_else(|| self.kept_snapshot()?.envelope.principal.as_ref())
    }

    /// The session as the store has it, as far as it is known; `None` if there is none.
    pub(crate) fn stored_snapshot(&self) -> Option<&Arc<Snapshot>> {
        self.known.snapshot.as_ref().filter(|_| !self.has_ended())
    }

    /// The session that goes on: the stored one, unless it is to end.
    pub(crate) fn kept_snapshot(&self) -> Option<&Arc<Snapshot>> {
        self.stored_snapshot().filter(|_| self.pending.fate != Fate::Destroy)
    }

    /// Returns the envelope that the next commit begins with: the stored one, unless a login gives the session to
    /// another user.
    pub(crate) fn kept_envelope(&self) -> Option<&Envelope> {
        let snapshot = self.kept_snapshot()?;
        (!snapshot.envelope.changes_hands(self.pending.login.as_ref())).then_some(&snapshot.envelope)
    }

    /// Returns the session's own choice of a persistent cookie, pending changes included.
    pub(crate) fn persistent(&self) -> Option<bool> {
        let chosen = self.pending.changes.own().and_then(|own| own.persistent);
        chosen.unwrap_or_else(|| self.kept_envelope()?.overrides.persistent)
    }

    /// Returns the session's own idle timeout, pending changes included.
    pub(crate) fn idle_timeout(&self) -> Option<Duration> {
        let chosen = self.pending.changes.own().and_then(|own| own.idle_timeout);
        chosen.unwrap_or_else(|| self.kept_envelope()?.overrides.idle_timeout)
    }

    /// Returns the session's own end, pending changes included.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        let chosen = self.pending.changes.own().and_then(|own| own.deadline);
        chosen.unwrap_or_else(|| self.kept_envelope()?.overrides.deadline)
    }

    /// Returns the name of the session's device, pending changes included.
    pub(crate) fn device(&self) -> Option<&ByteString> {
        match self.pending.changes.own().and_then(|own| own.device.as_ref()) {
            Some(device) => device.as_ref(),
            None => self.kept_envelope()?.overrides.device.as_ref(),
        }
    }

    /// Returns the length of those parts of the envelope that have no fixed length, as the next commit will write them.
    pub(crate) fn parts_len(&self) -> usize {
        let texts = [self.principal(), self.device()];
        texts.into_iter().flatten().map(|text| text.len()).sum::<usize>() + self.extensions_len()
    }

    /// Returns the length of the extensions that the next commit carries over.
    pub(crate) fn extensions_len(&self) -> usize {
        self.kept_envelope().map_or(0, |envelope| envelope.extensions.area().len())
    }

    /// Returns whether the session takes no more changes, because somebody else has ended it.
    pub(crate) fn has_ended(&self) -> bool {
        self.progress == Progress::Ended
    }

    /// Returns whether there is something that a commit would do. Settings of a session that holds nothing are no
    /// reason to make one.
    pub(crate) fn is_unsaved(&self) -> bool {
        if self.pending.is_empty() {
            return false; // nearly always, and the rest takes longer
        }
        let has_content = self.pending.login.is_some() || !self.view.values.is_empty();
        self.stored_snapshot().is_some() || has_content || self.pending.fate == Fate::Destroy
    }

    /// Forgets the changes since the last save, but not that the session is to end.
    pub(crate) fn roll_back(&mut self) {
        self.pending.forget();
        self.view = self.stored_view();
        self.progress.forget();
    }

    /// Settles what was decided where there is nothing to do in the store.
    pub(crate) fn settle_without_store(&mut self, cookie: CookieAction) {
        self.cookie.advance(cookie);
        if self.pending.fate == Fate::Destroy {
            self.begin_afresh();
        }
        self.pending.fate = Fate::Keep;
        if self.stored_snapshot().is_none() && self.view.values.is_empty() {
            self.pending.changes.forget_values(); // of a new session that has come to nothing
        }
    }

    /// Goes on without the session, which this request has ended. What was changed since then is for a fresh one.
    pub(crate) fn begin_afresh(&mut self) {
        self.known = Known::nothing(self.known.cookie_received);
        self.pending.fate = Fate::Keep;
        self.progress = Progress::Idle;
        self.view.is_stale = false;
    }

    /// Ends the session for this request, because somebody else has ended it. A logout still needs to know which it
    /// was: it may live on under a new id. And what was taken from it once has to be refused.
    pub(crate) fn end(&mut self) {
        let snapshot = self.known.snapshot.take();
        let changes = std::mem::take(&mut self.pending.changes).into_taken();
        *self = Self {
            known: Known { snapshot, ..Known::nothing(self.known.cookie_received) },
            pending: Pending { changes, ..Pending::default() },
            cookie: self.cookie,
            progress: Progress::Ended,
            ..Self::default()
        };
    }

    fn stored_view(&self) -> View {
        let values = self.kept_snapshot().map_or_else(Values::default, |snapshot| snapshot.values.clone());
        View { values, is_stale: false }
    }
}

#[cfg(test)]
mod tests {
    use nexios_store_core::{Revision, SessionId, Timestamp};

    use super::*;
    use crate::format::handle::SessionHandle;
    use crate::records;

    fn stored() -> State {
        let values: Values = [("a", b"1"[..].into())].into_iter().collect();
        let snapshot = Arc::new(Snapshot {
            id: SessionId::from_bytes([1; 16]),
            revision: Revision::new(1),
            expires_at: Timestamp::MAX,
            envelope: records::new_envelope(Timestamp::UNIX_EPOCH, SessionHandle(0)),
            values,
        });
        let mut state = State::default();
        state.begin(Known { snapshot: Some(snapshot), ..Known::default() });
        state
    }

    #[test]
    fn rolling_back_restores_what_was_stored() {
        let mut state = stored();
        state.view.values.clear();
        state.pending.changes.clear();
        state.pending.login = Some("ada".into());
        state.pending.fate = Fate::Cycle;
        state.roll_back();
        assert_eq!((state.view.values.len(), state.pending.is_changed(), state.pending.fate), (1, false, Fate::Keep));
        assert_eq!(state.principal(), None);
    }

    #[test]
    fn rolling_back_does_not_undo_a_logout() {
        let mut state = stored();
        state.pending.fate = Fate::Destroy;
        state.roll_back();
        assert_eq!(state.pending.fate, Fate::Destroy);
    }

    #[test]
    fn an_ended_session_has_only_its_cookie_left_to_remove() {
        let mut state = stored();
        state.known.cookie_received = true;
        state.cookie = CookieAction::Remove;
        state.end();
        assert!(state.has_ended() && state.stored_snapshot().is_none() && state.view.values.is_empty());
        assert_eq!(state.cookie, CookieAction::Remove);
    }
}
