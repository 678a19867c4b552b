//! The work of a commit: one write to the store, repeated on newer values for as long as others come first.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytestring::ByteString;
use nexios_store_core::{
    CreateOutcome, DeleteOutcome, Record, RenameOutcome, Revision, SessionId, SessionStore, Timestamp, TouchOutcome,
    UpdateOutcome,
};

use crate::client_side::cookie_slot::CookieSlot;
use crate::commit::plan::{Action, Fate, Plan};
use crate::format::payload::{self, Envelope};
use crate::format::values::Values;
use crate::request::load::{Opened, open_record};
use crate::state::changes::Changes;
use crate::state::{Snapshot, State};
use crate::{SessionError, SessionErrorKind, SessionHandle, SessionManager};

/// What a commit was given to do.
pub(crate) struct Work {
    pub(crate) plan: Plan,
    pub(crate) now: Timestamp,
    pub(crate) base: Option<Arc<Snapshot>>,
    pub(crate) values: Values,
    pub(crate) values_are_stale: bool,
    /// There is something to save.
    pub(crate) changed: bool,
    pub(crate) changes: Changes,
    pub(crate) login: Option<ByteString>,
    pub(crate) fate: Fate,
    /// Where to do it, if not in the store.
    pub(crate) slot: Option<Arc<CookieSlot>>,
}

/// What has become of it.
pub(crate) enum Done {
    /// The store has this now. Merged: with what another request had saved.
    Written {
        base: Arc<Snapshot>,
        merged: bool,
    },
    Touched(Timestamp),
    Destroyed,
    /// There is no such session any more.
    Gone,
}

/// Why it was not done, and whether that is certain.
pub(crate) struct Failed {
    pub(crate) error: SessionError,
    pub(crate) is_known: bool,
}

impl Failed {
    /// No answer is not a refusal: the store may have done what it was asked to.
    pub(crate) fn not_known_whether(error: impl Into<SessionError>) -> Self {
        Self { error: error.into(), is_known: false }
    }
}

impl<E: Into<SessionError>> From<E> for Failed {
    /// Nothing was written.
    fn from(error: E) -> Self {
        Self { error: error.into(), is_known: true }
    }
}

impl Work {
    pub(crate) async fn carry_out(&self, manager: &SessionManager) -> Result<Done, Failed> {
        match (&self.base, self.plan.action) {
            (Some(base), Action::Touch) => self.touch(manager, base).await,
            (Some(base), Action::Update | Action::Rename) => match self.replace(manager, base).await? {
                Done::Gone if self.login.is_some() => self.create_for_login(manager).await,
                done => Ok(done),
            },
            (Some(base), Action::Destroy) => self.destroy(manager, base).await,
            (None, Action::Create) => self.create(manager, &self.values).await,
            // `Plan::for_situation` makes no other pairs.
            (None, _) | (Some(_), Action::Nothing | Action::Create) => Ok(Done::Gone),
        }
    }

    pub(crate) fn store<'a>(&'a self, manager: &'a SessionManager) -> &'a dyn SessionStore {
        match &self.slot {
            Some(slot) => &**slot,
            None => manager.store(),
        }
    }

    async fn touch(&self, manager: &SessionManager, base: &Snapshot) -> Result<Done, Failed> {
        let expires_at = manager.lifetime().expires_at(&base.envelope, self.now);
        Ok(match self.store(manager).touch(&base.id, expires_at, self.now).await? {
            TouchOutcome::Touched => Done::Touched(expires_at),
            TouchOutcome::Missing => Done::Gone,
        })
    }

    async fn destroy(&self, manager: &SessionManager, base: &Snapshot) -> Result<Done, Failed> {
        if self.store(manager).delete(&base.id).await.map_err(Failed::not_known_whether)? == DeleteOutcome::Missing
            && let Some(principal) = &base.envelope.principal
            && self.store(manager).principals().is_some()
        {
            // Ended by another request, or renamed by one: then it lives on under another id, and must not.
            // Boxed, because it takes much room and is rare.
            Box::pin(manager.revoke(principal, base.envelope.handle)).await.map_err(Failed::not_known_whether)?;
        }
        tracing::debug!(session = %manager.signers().fingerprint(&base.id), "session destroyed");
        Ok(Done::Destroyed)
    }

    /// Whoever has just logged in is let in, though somebody has ended the session. What was loaded is not carried over: it
    /// belonged to that one.
    async fn create_for_login(&self, manager: &SessionManager) -> Result<Done, Failed> {
        let mut values = Values::default();
        self.changes.replay(&mut values)?;
        self.create(manager, &values).await
    }

    async fn create(&self, manager: &SessionManager, values: &Values) -> Result<Done, Failed> {
        let (mut id, handle) = SessionId::generate_with_bytes().map_err(no_randomness)?;
        let mut envelope = Envelope::new(self.now, SessionHandle::from_bytes(handle));
        self.apply_to_envelope(manager, &mut envelope)?;
        for _ in 0..MAX_NEW_IDS {
            let record = self.record(manager, &envelope, values)?;
            let created =
                self.store(manager).create(&id, &record, self.now).await.map_err(Failed::not_known_whether)?;
            if let CreateOutcome::Created(revision) = created {
                tracing::debug!(session = %manager.signers().fingerprint(&id), "session created");
                let values = values.packed_in(&record.payload);
                let base = Arc::new(Snapshot { id, revision, expires_at: record.expires_at, envelope, values });
                return Ok(Done::Written { base, merged: false });
            }
            id = new_id()?;
        }
        Err(id_taken().into())
    }

    /// Updates or renames: writes over the revision that was loaded, or over a newer one with the changes replayed.
    async fn replace(&self, manager: &SessionManager, base: &Arc<Snapshot>) -> Result<Done, Failed> {
        let mut current = Arc::clone(base);
        let mut values = self.values.clone();
        if self.values_are_stale {
            values = base.values.clone();
            self.changes.replay(&mut values)?;
        }
        let mut turn = None;
        let mut conflicts: u32 = 0;
        loop {
            let (record, mut next) = self.successor(manager, &current, &values)?;
            match self.write(manager, current.id, current.revision, &record).await? {
                Written::At(id, revision) => {
                    let base = Arc::make_mut(&mut next);
                    (base.id, base.revision) = (id, revision);
                    return Ok(Done::Written { base: next, merged: conflicts > 0 });
                }
                Written::Missing => return Ok(Done::Gone),
                Written::Conflict => {
                    manager.counting().conflicts.increment();
                    tracing::debug!(session = %manager.signers().fingerprint(&current.id), "parallel changes are merged");
                    conflicts += 1;
                    if turn.is_none() {
                        turn = Some(manager.turns().take(current.id.as_bytes()).await);
                    } else if conflicts > AT_ONCE {
                        // With the turn taken, this is another process, or a request's first try.
                        tokio::time::sleep(back_off(conflicts)).await;
                    }
                }
            }
            let Some(stored) = self.store(manager).load(&current.id, self.now).await? else { return Ok(Done::Gone) };
            match open_record(manager, current.id, &stored, self.now) {
                Opened::Live(live) => current = live.base,
                Opened::Expired => return Ok(Done::Gone),
                Opened::Unreadable(error) => return Err(error.into_session_error().into()),
            }
            values = current.values.clone();
            self.changes.replay(&mut values)?;
        }
    }

    async fn write(
        &self,
        manager: &SessionManager,
        id: SessionId,
        expected: Revision,
        record: &Record,
    ) -> Result<Written, Failed> {
        let store = self.store(manager);
        if self.plan.action == Action::Update {
            let updated = store.update(&id, expected, record, self.now).await.map_err(Failed::not_known_whether)?;
            return Ok(match updated {
                UpdateOutcome::Updated(revision) => Written::At(id, revision),
                UpdateOutcome::Conflict => Written::Conflict,
                UpdateOutcome::Missing => Written::Missing,
            });
        }
        for _ in 0..MAX_NEW_IDS {
            let new = new_id()?;
            let renamed =
                store.rename(&id, expected, &new, record, self.now).await.map_err(Failed::not_known_whether)?;
            return Ok(match renamed {
                RenameOutcome::Renamed(revision) => {
                    tracing::debug!(
                        session = %manager.signers().fingerprint(&new),
                        was = %manager.signers().fingerprint(&id),
                        "session id cycled"
                    );
                    Written::At(new, revision)
                }
                RenameOutcome::Conflict => Written::Conflict,
                RenameOutcome::Missing => Written::Missing,
                RenameOutcome::IdTaken => continue,
            });
        }
        Err(id_taken().into())
    }

    /// What is to be written over `current`, and what the store has then, but for its id and revision.
    ///
    /// Not a part of the commit's future, which would have room for each step of it.
    fn successor(
        &self,
        manager: &SessionManager,
        current: &Snapshot,
        values: &Values,
    ) -> Result<(Record, Arc<Snapshot>), SessionError> {
        let Snapshot { id, revision, ref envelope, .. } = *current;
        let mut envelope = envelope.clone();
        self.apply_to_envelope(manager, &mut envelope)?;
        let record = self.record(manager, &envelope, values)?;
        let values = values.packed_in(&record.payload);
        let next = Snapshot { id, revision, expires_at: record.expires_at, envelope, values };
        Ok((record, Arc::new(next)))
    }

    /// What this request has decided about the envelope.
    fn apply_to_envelope(&self, manager: &SessionManager, envelope: &mut Envelope) -> Result<(), SessionError> {
        if envelope.changes_hands(self.login.as_ref()) {
            // Nothing of the one user's session is the other's business.
            *envelope = Envelope::new(self.now, random_handle()?);
        }
        envelope.overrides = self.changes.own(&envelope.overrides);
        envelope.idle_timeout = manager.lifetime().idle_timeout(envelope.overrides.idle_timeout);
        if let Some(user) = &self.login {
            envelope.principal = Some(user.clone());
            envelope.authenticated_at = self.now;
        }
        Ok(())
    }

    fn record(&self, manager: &SessionManager, envelope: &Envelope, values: &Values) -> Result<Record, SessionError> {
        let payload = payload::encode(envelope, values).map_err(|error| {
            SessionError::new(SessionErrorKind::InvalidValue, "session cannot be encoded").with_source(error)
        })?;
        // What was larger already, because the maximum has been lowered, may stay as large.
        let max_size = manager.settings().max_size.as_bytes();
        if payload.len() > max_size.max(self.base.as_ref().map_or(0, |base| base.encoded_len())) {
            return Err(SessionError::too_large(max_size));
        }
        Ok(Record {
            payload,
            expires_at: manager.lifetime().expires_at(envelope, self.now),
            principal: envelope.principal.as_deref().map(|principal| manager.signers().principal_tag(principal)),
        })
    }

    pub(crate) fn is_essential(&self) -> bool {
        self.plan.action.is_essential(self.changed)
    }

    /// Whether to do it twice comes to the same as to do it once.
    pub(crate) fn is_repeatable(&self) -> bool {
        match self.plan.action {
            // A second try gets an id and a record of its own.
            Action::Nothing | Action::Touch | Action::Create | Action::Destroy => true,
            Action::Update => self.changes.are_repeatable(),
            // The first may have moved the session to where nobody finds it.
            Action::Rename => false,
        }
    }

    /// What was to be done is to be done still.
    pub(crate) fn put_back(self, state: &mut State) {
        let later = std::mem::replace(&mut state.changes, self.changes);
        state.changes.append(later);
        state.login = state.login.take().or(self.login);
        if state.fate == Fate::Keep {
            state.fate = self.fate;
        }
    }
}

/// The answer to an update or a rename.
enum Written {
    At(SessionId, Revision),
    Conflict,
    Missing,
}

fn new_id() -> Result<SessionId, SessionError> {
    SessionId::generate().map_err(no_randomness)
}

fn random_handle() -> Result<SessionHandle, SessionError> {
    let mut handle = [0; 16];
    getrandom::fill(&mut handle).map_err(|error| no_randomness(error.into()))?;
    Ok(SessionHandle::from_bytes(handle))
}

fn no_randomness(error: io::Error) -> SessionError {
    SessionError::new(SessionErrorKind::Unavailable, "the system's random generator failed").with_source(error)
}

fn id_taken() -> SessionError {
    SessionError::new(SessionErrorKind::Unavailable, "every new session id was taken already")
}

/// A little longer after each conflict, and never the same time for two writers.
fn back_off(conflicts: u32) -> Duration {
    let longest_millis = 1_u64 << conflicts.min(6);
    Duration::from_micros(fastrand::u64(100..=longest_millis * 1000))
}

/// First tries of other requests are over soon, and a timer would be the longest part of waiting for them.
const AT_ONCE: u32 = 4;

/// Two equal ids of 128 random bits mean that the generator is broken; after a few the request fails.
const MAX_NEW_IDS: usize = 4;
