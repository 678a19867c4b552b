//! What stands between the manager and the store under test: it notes what has really happened, in which order and for
//! whom, fails when it is told to, and pauses before and after each call, so that something else may happen there.

use std::collections::HashMap;
use std::future::{pending, poll_fn};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

use nexios_store_core::{
    CreateOutcome, DeleteExpired, DeleteOutcome, PrincipalIndex, PrincipalTag, Record, RenameOutcome, Result, Revision,
    SessionId, SessionStore, StoreError, Stored, Swept, Timestamp, TouchOutcome, UpdateOutcome, async_trait,
};

/// Who makes a call: a request, or somebody who revokes or sweeps.
pub(crate) type Actor = usize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    Load,
    Create,
    Update,
    Rename,
    Touch,
    Delete,
    List,
    Sweep,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Fails without doing anything.
    Fails,
    /// Does it, and fails to say so.
    LosesTheAnswer,
}

/// A call, and what it has come to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) actor: Actor,
    pub(crate) what: What,
    /// The caller was told.
    pub(crate) answered: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    Loaded(SessionId),
    Created(SessionId, Timestamp),
    Updated(SessionId, Timestamp),
    Renamed(SessionId, SessionId, Timestamp),
    Touched(SessionId, Timestamp),
    Deleted(SessionId),
    Listed,
    Swept(usize),
    Conflict(Call),
    Missing,
    Failed(Call),
}

/// The store, as the manager sees it.
#[derive(Debug)]
pub(crate) struct Probe {
    pub(crate) inner: Arc<dyn SessionStore>,
    pub(crate) script: Arc<Script>,
}

/// What the test knows and decides of the calls.
#[derive(Debug, Default)]
pub(crate) struct Script(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    current: Actor,
    events: Vec<Event>,
    faults: HashMap<Call, (Fault, u8)>,
    pausing: bool,
    pauses: usize,
    cut_after: Option<usize>,
    is_cut: bool,
    in_call: bool,
}

impl Script {
    /// From now on it is this actor that makes the calls.
    pub(crate) fn enter(&self, actor: Actor) {
        self.state().current = actor;
    }

    pub(crate) fn set_pausing(&self, pausing: bool, cut_after: Option<usize>) {
        let mut state = self.state();
        (state.pausing, state.cut_after, state.is_cut, state.pauses) = (pausing, cut_after, false, 0);
    }

    /// How many pauses there were.
    pub(crate) fn pauses(&self) -> usize {
        self.state().pauses
    }

    /// Who has come to its last pause will not go on.
    pub(crate) fn is_cut(&self) -> bool {
        self.state().is_cut
    }

    /// The store is at work.
    pub(crate) fn is_in_call(&self) -> bool {
        self.state().in_call
    }

    pub(crate) fn take_events(&self) -> Vec<Event> {
        std::mem::take(&mut self.state().events)
    }

    pub(crate) fn break_next(&self, call: Call, fault: Fault, times: u8) {
        self.state().faults.insert(call, (fault, times));
    }

    pub(crate) fn heal(&self) {
        self.state().faults.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn fault(&self, call: Call) -> Option<Fault> {
        let mut state = self.state();
        let (fault, times) = state.faults.get_mut(&call)?;
        *times = times.checked_sub(1)?;
        Some(*fault)
    }

    fn note(&self, actor: Actor, what: What, answered: bool) {
        let mut state = self.state();
        state.events.push(Event { actor, what, answered });
        state.in_call = false;
    }

    async fn pause(&self) {
        {
            let mut state = self.state();
            if !state.pausing {
                return;
            }
            state.is_cut = state.cut_after == Some(state.pauses);
            state.pauses += 1;
        }
        if self.is_cut() {
            pending::<()>().await;
        }
        let mut has_paused = false;
        poll_fn(|_| if std::mem::replace(&mut has_paused, true) { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

impl Probe {
    async fn call<T>(
        &self,
        call: Call,
        work: impl Future<Output = Result<T>>,
        what: impl FnOnce(&T) -> What,
    ) -> Result<T> {
        let actor = self.script.state().current;
        self.script.pause().await;
        let fault = self.script.fault(call);
        let answer = if fault == Some(Fault::Fails) {
            self.script.note(actor, What::Failed(call), false);
            Err(StoreError::backend("told to fail"))
        } else {
            self.script.state().in_call = true;
            let answer = work.await.expect("the store under test works");
            self.script.note(actor, what(&answer), fault.is_none());
            if fault.is_none() { Ok(answer) } else { Err(StoreError::backend("told to lose the answer")) }
        };
        self.script.pause().await;
        answer
    }
}

#[async_trait]
impl SessionStore for Probe {
    async fn load(&self, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        // An error is an answer here: the key of the record may have been removed.
        let answer = async { Ok(self.inner.load(id, now).await) };
        self.call(Call::Load, answer, |_| What::Loaded(*id)).await?
    }

    async fn create(&self, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        let what = |outcome: &CreateOutcome| match outcome {
            CreateOutcome::Created(_) => What::Created(*id, record.expires_at),
            CreateOutcome::IdTaken => What::Conflict(Call::Create),
        };
        self.call(Call::Create, self.inner.create(id, record, now), what).await
    }

    async fn update(&self, id: &SessionId, at: Revision, record: &Record, now: Timestamp) -> Result<UpdateOutcome> {
        let what = |outcome: &UpdateOutcome| match outcome {
            UpdateOutcome::Updated(_) => What::Updated(*id, record.expires_at),
            UpdateOutcome::Conflict => What::Conflict(Call::Update),
            UpdateOutcome::Missing => What::Missing,
        };
        self.call(Call::Update, self.inner.update(id, at, record, now), what).await
    }

    async fn rename(
        &self,
        old: &SessionId,
        at: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        let what = |outcome: &RenameOutcome| match outcome {
            RenameOutcome::Renamed(_) => What::Renamed(*old, *new, record.expires_at),
            RenameOutcome::Conflict | RenameOutcome::IdTaken => What::Conflict(Call::Rename),
            RenameOutcome::Missing => What::Missing,
        };
        self.call(Call::Rename, self.inner.rename(old, at, new, record, now), what).await
    }

    async fn touch(&self, id: &SessionId, expires_at: Timestamp, now: Timestamp) -> Result<TouchOutcome> {
        let what = |outcome: &TouchOutcome| match outcome {
            TouchOutcome::Touched => What::Touched(*id, expires_at),
            TouchOutcome::Missing => What::Missing,
        };
        self.call(Call::Touch, self.inner.touch(id, expires_at, now), what).await
    }

    async fn delete(&self, id: &SessionId) -> Result<DeleteOutcome> {
        let what = |outcome: &DeleteOutcome| match outcome {
            DeleteOutcome::Deleted => What::Deleted(*id),
            DeleteOutcome::Missing => What::Missing,
        };
        self.call(Call::Delete, self.inner.delete(id), what).await
    }

    async fn set_aside(&self, id: &SessionId) -> Result<()> {
        self.inner.set_aside(id).await
    }

    fn expiry(&self) -> Option<&dyn DeleteExpired> {
        Some(self)
    }

    fn principals(&self) -> Option<&dyn PrincipalIndex> {
        Some(self)
    }
}

#[async_trait]
impl DeleteExpired for Probe {
    async fn delete_expired(&self, now: Timestamp, limit: NonZeroUsize) -> Result<Swept> {
        let expiry = self.inner.expiry().expect("the store under test sweeps");
        self.call(Call::Sweep, expiry.delete_expired(now, limit), |swept| What::Swept(swept.removed)).await
    }
}

#[async_trait]
impl PrincipalIndex for Probe {
    async fn sessions_of(&self, tag: &PrincipalTag, now: Timestamp) -> Result<Vec<SessionId>> {
        let index = self.inner.principals().expect("the store under test keeps an index");
        self.call(Call::List, index.sessions_of(tag, now), |_| What::Listed).await
    }
}
