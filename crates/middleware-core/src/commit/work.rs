//! The work of a commit: one write to the store, tried again on newer values while other requests come first.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytestring::ByteString;
use nexios_store_core::{
    CreateOutcome, Record, RenameOutcome, Result as StoreResult, Revision, SessionId, SessionStore, StoreError,
    Timestamp, TouchOutcome, UpdateOutcome,
};

use crate::commit::ending::{self, Found};
use crate::commit::plan::{Action, Plan};
use crate::error::{SessionError, SessionErrorKind};
use crate::events::{Event, Occurrence};
use crate::format::payload::Envelope;
use crate::format::values::Values;
use crate::records::{self, Opened, Snapshot};
use crate::services::Services;
use crate::services::time_limit::within;
use crate::state::View;
use crate::state::exchange::Exchange;
use crate::state::pending::Pending;
use crate::state::place::Place;
use crate::users::{self, Which};

/// The work that a commit was given to do.
pub(super) struct Work<'a> {
    pub(super) exchange: &'a Exchange,
    pub(super) plan: Plan,
    pub(super) now: Timestamp,
    pub(super) snapshot: Option<Arc<Snapshot>>,
    pub(super) view: View,
    pub(super) pending: Pending,
}

/// The result of work that was done.
pub(super) enum Done {
    /// The store has this snapshot now. It is new if the store had no record of the session before, and merged if
    /// another request had saved values that went into it.
    Written {
        snapshot: Arc<Snapshot>,
        is_new: bool,
        merged: bool,
    },
    Touched(Timestamp),
    /// Nothing: another request has written the session, and there was nothing to save.
    Superseded,
    /// The session is no more. It was this request that ended it, or another one before.
    Destroyed {
        by_us: bool,
    },
    /// There is no such session any more.
    Gone,
}

/// The failure of work that was not done.
pub(super) struct Failed {
    pub(super) error: SessionError,
    pub(super) outcome: Outcome,
}

/// The knowledge that a failure gives about the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing was written.
    NotDone,
    /// It is not known whether anything was written: a missing answer is not a refusal.
    Unknown,
}

impl Failed {
    pub(super) const fn not_done(error: SessionError) -> Self {
        Self { error, outcome: Outcome::NotDone }
    }

    pub(super) const fn not_known_whether(error: SessionError) -> Self {
        Self { error, outcome: Outcome::Unknown }
    }
}

/// By default the outcome is unknown: the store may have done what it was asked to. If it was not asked to write, say
/// [`not_done`](Failed::not_done).
impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::not_known_whether(error.into())
    }
}

impl Work<'_> {
    /// Carries out the plan, for as long as the settings allow.
    pub(super) async fn perform(&self) -> Result<Done, Failed> {
        let services = self.services();
        let done = within(services.settings.store_timeout, pin!(self.carry_out())).await;
        // The store may have done the work, or may still do it.
        let done = done.unwrap_or_else(|_| Err(Failed::not_known_whether(services.timed_out())))?;
        if let (Some(renamed), Done::Written { snapshot, is_new: false, .. }) = (&self.snapshot, &done)
            && renamed.id != snapshot.id
        {
            // Boxed, because it takes room and is rare.
            Box::pin(self.leave_marker(renamed, snapshot.id)).await;
            services.endings.tell(&renamed.id);
        }
        Ok(done)
    }

    async fn carry_out(&self) -> Result<Done, Failed> {
        match (&self.snapshot, self.plan.action) {
            (Some(snapshot), Action::Touch) => self.touch(snapshot).await,
            (Some(snapshot), Action::Update | Action::Rename) => match self.replace(snapshot).await? {
                // Boxed, because it takes room and is rare.
                Done::Gone if self.pending.login.is_some() => Box::pin(self.create_for_login()).await,
                done => Ok(done),
            },
            // Boxed, because it takes room and is rare.
            (snapshot, Action::Destroy) => Box::pin(self.destroy_all(snapshot.as_deref())).await,
            (None, Action::Create) => self.create(&self.view.values).await,
            (_, Action::Drop) => Ok(Done::Gone),
            // `Plan::for_situation` makes no other pairs.
            (None, _) | (Some(_), Action::Nothing | Action::Create) => Ok(Done::Gone),
        }
    }

    pub(super) fn services(&self) -> &Services {
        &self.exchange.services
    }

    /// The ids of the records that a logout ends beside the session: those of all other cookies that verify, live or
    /// not.
    fn doomed(&self) -> BTreeSet<SessionId> {
        let own = self.snapshot.as_ref().map(|snapshot| snapshot.id);
        self.exchange.vouched_ids().filter(|id| Some(*id) != own).collect()
    }

    pub(super) fn store(&self) -> &dyn SessionStore {
        match &self.exchange.place {
            Place::Store => &*self.services().store,
            Place::Cookie(slot) => &**slot,
        }
    }

    async fn touch(&self, snapshot: &Snapshot) -> Result<Done, Failed> {
        let expires_at = self.services().expiry.expires_at(&snapshot.envelope, self.now);
        Ok(match self.store().touch(&snapshot.id, snapshot.revision, expires_at, self.now).await? {
            TouchOutcome::Touched => Done::Touched(expires_at),
            // Another request has written the session, and has decided how long it lives. Its answer has the cookie.
            TouchOutcome::Conflict => Done::Superseded,
            TouchOutcome::Missing => Done::Gone,
        })
    }

    /// Ends the session, and whatever else the request's cookies vouch for. It goes on past a failure.
    async fn destroy_all(&self, snapshot: Option<&Snapshot>) -> Result<Done, Failed> {
        let mut done = self.destroy(snapshot).await;
        for id in &self.doomed() {
            match self.end(*id, None).await {
                Ok(Found::Ended | Found::Unknown) => self.services().note_session(Event::SessionDestroyed, id, None),
                Ok(Found::Nothing) => {}
                Err(error) => {
                    let error = SessionError::from(error);
                    self.services().note_failure(&error, Some(id), None);
                    done = done.and(Err(Failed::not_known_whether(error.told())));
                }
            }
        }
        done
    }

    async fn destroy(&self, snapshot: Option<&Snapshot>) -> Result<Done, Failed> {
        let Some(snapshot) = snapshot else { return Ok(Done::Destroyed { by_us: false }) };
        let found = self.end(snapshot.id, Some(snapshot.revision)).await?;
        let mut by_us = found != Found::Nothing;
        if found != Found::Ended
            && let Some(principal) = snapshot.principal()
            && self.store().principals().is_some()
        {
            // The session was ended by another request, or renamed by one. In the second case it lives on under another
            // id, and must not. Boxed, because it takes much room and is rare.
            let ended = Box::pin(users::end(self.services(), principal, Which::Only(snapshot.envelope.handle))).await;
            if let Some(error) = ended.error {
                return Err(Failed::not_known_whether(error));
            }
            by_us |= ended.ended > 0;
        }
        Ok(Done::Destroyed { by_us })
    }

    /// Ends the session that an id names, at the revision that was seen, if one was.
    pub(super) async fn end(&self, id: SessionId, seen: Option<Revision>) -> StoreResult<Found> {
        ending::end(self.store(), &self.services().endings, id, seen, self.now).await
    }

    /// Creates a session for a user who has just logged in, although somebody has ended the one that was loaded. Its
    /// values are not carried over, because they belonged to that session.
    async fn create_for_login(&self) -> Result<Done, Failed> {
        let mut values = Values::default();
        self.replay(&mut values)?;
        self.create(&values).await
    }

    async fn create(&self, values: &Values) -> Result<Done, Failed> {
        let (mut id, handle) = records::new_id_and_handle().map_err(Failed::not_done)?;
        let mut envelope = records::new_envelope(self.now, handle);
        self.apply_to_envelope(&mut envelope).map_err(Failed::not_done)?;
        for _ in 0..MAX_NEW_IDS {
            let record = self.record(&envelope, values).map_err(Failed::not_done)?;
            if let CreateOutcome::Created(revision) = self.store().create(&id, &record, self.now).await? {
                let values = values.packed_in(&record.payload);
                let snapshot = Arc::new(Snapshot { id, revision, expires_at: record.expires_at, envelope, values });
                return Ok(Done::Written { snapshot, is_new: true, merged: false });
            }
            id = records::new_id().map_err(Failed::not_done)?;
        }
        Err(Failed::not_done(id_taken()))
    }

    /// Updates or renames the record: writes over the revision that was loaded, or over a newer one with the changes
    /// replayed.
    async fn replace(&self, snapshot: &Arc<Snapshot>) -> Result<Done, Failed> {
        let mut current = Arc::clone(snapshot);
        let mut values = self.view.values.clone();
        if self.view.is_stale {
            values = snapshot.values.clone();
            self.replay(&mut values)?;
        }
        let mut turn = None;
        let mut conflicts: u32 = 0;
        loop {
            let (record, mut next) = self.successor(&current, &values).map_err(Failed::not_done)?;
            // A variable of its own, so that the answer has no room in the future.
            let written = self.write(&current, &record).await?;
            match written {
                Written::At(id, revision) => {
                    let snapshot = Arc::make_mut(&mut next);
                    (snapshot.id, snapshot.revision) = (id, revision);
                    return Ok(Done::Written { snapshot: next, is_new: false, merged: conflicts > 0 });
                }
                Written::Missing => return Ok(Done::Gone),
                Written::Conflict => {
                    conflicts += 1;
                    if turn.is_none() {
                        turn = Some(self.services().writers.take(current.id.as_bytes()).await);
                    } else if conflicts > AT_ONCE {
                        // The turn is taken, so this was another process, or the first try of a request.
                        tokio::time::sleep(back_off(conflicts)).await;
                    }
                }
            }
            // Neither the conflict nor this read has written anything.
            let stored = self.store().load(&current.id, self.now).await;
            let Some(stored) = stored.map_err(|error| Failed::not_done(error.into()))? else { return Ok(Done::Gone) };
            match records::open(self.services(), current.id, &stored, self.now) {
                Opened::Live(live) => current = live.snapshot,
                Opened::Expired | Opened::FromFuture | Opened::Moved(_) | Opened::Ended => return Ok(Done::Gone),
                Opened::Unreadable(unreadable) => return Err(Failed::not_done(unreadable.into_error())),
            }
            values = current.values.clone();
            self.replay(&mut values)?;
        }
    }

    async fn write(&self, current: &Snapshot, record: &Record) -> Result<Written, Failed> {
        let (store, id, expected) = (self.store(), current.id, current.revision);
        if self.plan.action == Action::Update {
            return Ok(match store.update(&id, expected, record, self.now).await? {
                UpdateOutcome::Updated(revision) => Written::At(id, revision),
                UpdateOutcome::Conflict => Written::Conflict,
                UpdateOutcome::Missing => Written::Missing,
            });
        }
        for _ in 0..MAX_NEW_IDS {
            let new = records::new_id().map_err(Failed::not_done)?;
            return Ok(match store.rename(&id, expected, &new, record, self.now).await? {
                RenameOutcome::Renamed(revision) => Written::At(new, revision),
                RenameOutcome::Conflict => Written::Conflict,
                RenameOutcome::Missing => Written::Missing,
                RenameOutcome::IdTaken => continue,
            });
        }
        Err(Failed::not_done(id_taken()))
    }

    /// Leaves word under the old id that the session has another one, so that a request which comes with the old id
    /// makes no session of its own, whose cookie would replace the new one. The session was renamed already, so a
    /// failure is told and changes nothing.
    async fn leave_marker(&self, renamed: &Snapshot, new: SessionId) {
        if self.exchange.place.is_cookie() {
            return; // the old cookie holds all that there is
        }
        // Whoever has planted the old id must have no way to the user's session, not even to its end.
        let is_same_user = self.login().is_none_or(|user| renamed.envelope.principal.as_ref() == Some(user));
        let marker = records::moved(is_same_user.then_some(new), self.now);
        let services = self.services();
        if let Err(no_answer) = services.in_time(services.store.create(&renamed.id, &marker, self.now)).await {
            services.note_failure(&no_answer.into(), Some(&renamed.id), renamed.principal());
        }
    }

    /// Returns the record that is to be written over `current`, and the snapshot that the store has then, but for its
    /// id and revision.
    ///
    /// Not a part of the commit's future, which would have room for each step of it.
    fn successor(&self, current: &Snapshot, values: &Values) -> Result<(Record, Arc<Snapshot>), SessionError> {
        let Snapshot { id, revision, ref envelope, .. } = *current;
        let mut envelope = envelope.clone();
        self.apply_to_envelope(&mut envelope)?;
        let record = self.record(&envelope, values)?;
        let values = values.packed_in(&record.payload);
        let next = Snapshot { id, revision, expires_at: record.expires_at, envelope, values };
        Ok((record, Arc::new(next)))
    }

    /// Applies the decisions of this request to the envelope.
    fn apply_to_envelope(&self, envelope: &mut Envelope) -> Result<(), SessionError> {
        let Pending { changes, login, .. } = &self.pending;
        if envelope.changes_hands(login.as_ref()) {
            // Nothing of one user's session is another user's business.
            *envelope = records::new_envelope(self.now, records::new_handle()?);
        }
        envelope.overrides = changes.overrides(&envelope.overrides);
        envelope.idle_timeout = self.services().expiry.idle_timeout(envelope.overrides.idle_timeout);
        if let Some(user) = login {
            envelope.principal = Some(user.clone());
            envelope.authenticated_at = self.now;
        }
        Ok(())
    }

    fn record(&self, envelope: &Envelope, values: &Values) -> Result<Record, SessionError> {
        let present_len = self.snapshot.as_ref().map_or(0, |snapshot| snapshot.encoded_len());
        records::record(self.services(), envelope, values, present_len, self.now)
    }

    fn replay(&self, values: &mut Values) -> Result<(), Failed> {
        self.pending.changes.replay(values).map_err(Failed::not_done)
    }

    pub(super) fn is_essential(&self) -> bool {
        self.plan.action.is_essential(self.pending.is_changed())
    }

    /// Returns whether doing the work twice has the same result as doing it once.
    pub(super) fn is_repeatable(&self) -> bool {
        match self.plan.action {
            // A second try gets an id and a record of its own.
            Action::Nothing | Action::Touch | Action::Create | Action::Destroy | Action::Drop => true,
            Action::Update => self.pending.changes.are_repeatable(),
            // The first try may have moved the session to an id that nobody knows.
            Action::Rename => false,
        }
    }

    /// Tells of the work that was done.
    pub(super) fn note(&self, done: &Done) {
        let services = self.services();
        match done {
            Done::Written { snapshot, is_new, merged } => {
                if *merged {
                    services.note_session(Event::ChangesMerged, &snapshot.id, snapshot.principal());
                }
                match self.snapshot.as_ref().map(|before| before.id).filter(|_| !is_new) {
                    None => services.note_session(Event::SessionCreated, &snapshot.id, snapshot.principal()),
                    Some(former) if former != snapshot.id => {
                        services.note_cycled(&former, &snapshot.id, snapshot.principal());
                    }
                    Some(_) => {}
                }
                if self.pending.login.is_some() {
                    services.note_session(Event::LoggedIn, &snapshot.id, snapshot.principal());
                }
            }
            Done::Touched(_) | Done::Superseded => {}
            Done::Destroyed { by_us: true } => self.note_former(Event::SessionDestroyed),
            Done::Gone if self.is_essential() => self.note_former(Event::ChangesDropped),
            Done::Destroyed { by_us: false } | Done::Gone => {}
        }
    }

    /// Tells of an event of the session as it was loaded.
    fn note_former(&self, event: Event) {
        match &self.snapshot {
            Some(snapshot) => self.services().note_session(event, &snapshot.id, snapshot.principal()),
            None => match self.known_id() {
                Some(id) => self.services().note_session(event, &id, None),
                None => self.services().events.note(event, || Occurrence::of(event, self.now)),
            },
        }
    }

    /// Returns the id of the session that the work is about, or the one that it had when the request was sent.
    pub(super) fn known_id(&self) -> Option<SessionId> {
        let snapshot = self.snapshot.as_ref().map(|snapshot| snapshot.id);
        snapshot.or_else(|| self.exchange.state().known.former_id())
    }

    /// Returns the user who logs in with this commit.
    pub(super) const fn login(&self) -> Option<&ByteString> {
        self.pending.login.as_ref()
    }
}

/// The answer to an update or a rename.
enum Written {
    At(SessionId, Revision),
    Conflict,
    Missing,
}

fn id_taken() -> SessionError {
    SessionError::new(SessionErrorKind::Unavailable, "every new session id was taken already")
}

/// Returns a random pause, whose upper bound doubles with each conflict up to 64 ms, so that writers do not keep in
/// step.
fn back_off(conflicts: u32) -> Duration {
    let longest_millis = 1_u64 << conflicts.min(6);
    Duration::from_micros(fastrand::u64(100..=longest_millis * 1000))
}

/// The first tries of other requests are soon over, and a timer would take the longest part of the wait for them.
const AT_ONCE: u32 = 4;

/// Two equal ids of 128 random bits mean that the generator is broken, so the request fails after a few.
const MAX_NEW_IDS: usize = 4;
