//! The hook between the manager and the store under test. It notes what really happens, in which order and for whom. It
//! fails when it is told to. It pauses before and after each call, so that something else may happen there.

use std::collections::HashMap;
use std::future::{pending, poll_fn};
use std::sync::{Mutex, MutexGuard};
use std::task::Poll;

use nexios_store_core::{
    CreateOutcome, DeleteOutcome, Record, RenameOutcome, Result, SessionId, StoreError, Timestamp, TouchOutcome,
    UpdateOutcome, async_trait,
};
use nexios_store_testkit::hook::{Call, CallKind, Hook, Outcome};

/// The maker of a call: a request, a revocation or a sweep.
pub(crate) type Actor = usize;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The call fails before it does anything.
    Fails,
    /// The call does its work and then fails.
    LosesTheAnswer,
}

/// A call and its result.
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
    /// An old id leads to this new one, or nowhere.
    Marked(SessionId, Option<SessionId>),
    NotMarked,
    /// The record says that its session has ended.
    Ended(SessionId),
    NotEnded,
    Created(SessionId, Timestamp),
    Updated(SessionId, Timestamp),
    Renamed(SessionId, SessionId, Timestamp),
    Touched(SessionId, Timestamp),
    Deleted(SessionId),
    Listed,
    Swept(usize),
    Conflict(CallKind),
    Missing(SessionId),
    Failed(CallKind),
}

/// The knowledge and the decisions of the test about the calls.
#[derive(Debug, Default)]
pub(crate) struct Script(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    current: Actor,
    events: Vec<Event>,
    faults: HashMap<CallKind, (Fault, u8)>,
    pausing: bool,
    pauses: usize,
    cut_after: Option<usize>,
    is_cut: bool,
    in_call: bool,
}

impl Script {
    /// Says that this actor makes the calls from now on.
    pub(crate) fn enter(&self, actor: Actor) {
        self.state().current = actor;
    }

    pub(crate) fn set_pausing(&self, pausing: bool, cut_after: Option<usize>) {
        let mut state = self.state();
        (state.pausing, state.cut_after, state.is_cut, state.pauses) = (pausing, cut_after, false, 0);
    }

    /// Returns the number of pauses so far.
    pub(crate) fn pauses(&self) -> usize {
        self.state().pauses
    }

    /// Returns whether an actor has come to its last pause and will not go on.
    pub(crate) fn is_cut(&self) -> bool {
        self.state().is_cut
    }

    /// Returns whether the store is at work.
    pub(crate) fn is_in_call(&self) -> bool {
        self.state().in_call
    }

    pub(crate) fn take_events(&self) -> Vec<Event> {
        std::mem::take(&mut self.state().events)
    }

    pub(crate) fn break_next(&self, call: CallKind, fault: Fault, times: u8) {
        self.state().faults.insert(call, (fault, times));
    }

    pub(crate) fn heal(&self) {
        self.state().faults.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Takes one of the faults of this call, if it is the wanted one. Returns whether it did.
    fn takes_fault(&self, call: CallKind, wanted: Fault) -> bool {
        let mut state = self.state();
        match state.faults.get_mut(&call) {
            Some((fault, times @ 1..)) if *fault == wanted => {
                *times -= 1;
                true
            }
            _ => false,
        }
    }

    fn note(&self, what: What, answered: bool) {
        let mut state = self.state();
        let actor = state.current;
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

#[async_trait]
impl Hook for Script {
    async fn before(&self, call: &Call<'_>) -> Result<()> {
        // The model knows nothing of records that are set aside.
        if call.kind() == CallKind::SetAside {
            return Ok(());
        }
        self.pause().await;
        if self.takes_fault(call.kind(), Fault::Fails) {
            let is_of = |wanted| record(call).is_some_and(|record| kind(record) == wanted);
            self.note(
                match call.kind() {
                    CallKind::Create if is_of(Kind::Moved) => What::NotMarked,
                    CallKind::Update if is_of(Kind::Ended) => What::NotEnded,
                    call => What::Failed(call),
                },
                false,
            );
            self.pause().await;
            return Err(StoreError::backend("told to fail"));
        }
        self.state().in_call = true;
        Ok(())
    }

    async fn after(&self, call: &Call<'_>, answer: Result<Outcome<'_>, &StoreError>) -> Result<()> {
        if call.kind() == CallKind::SetAside {
            return Ok(());
        }
        let is_lost = self.takes_fault(call.kind(), Fault::LosesTheAnswer);
        self.note(what(call, answer), !is_lost);
        self.pause().await;
        if is_lost { Err(StoreError::backend("told to lose the answer")) } else { Ok(()) }
    }
}

/// The kind of a record, which the second byte of its payload says. See `docs/changing-the-payload.md`.
#[derive(PartialEq, Eq)]
enum Kind {
    Session,
    Moved,
    Ended,
}

fn kind(record: &Record) -> Kind {
    match record.payload[1] {
        1 => Kind::Moved,
        2 => Kind::Ended,
        _ => Kind::Session,
    }
}

fn record<'a>(call: &Call<'a>) -> Option<&'a Record> {
    match *call {
        Call::Create { record, .. } | Call::Update { record, .. } | Call::Rename { record, .. } => Some(record),
        _ => None,
    }
}

fn what(call: &Call<'_>, answer: Result<Outcome<'_>, &StoreError>) -> What {
    // For a load, an error is an answer: the key of the record may have been removed.
    if let Call::Load { id, .. } = call {
        return What::Loaded(**id);
    }
    match (*call, answer.expect("the store under test works")) {
        (Call::Create { id, record, .. }, Outcome::Create(CreateOutcome::Created(_))) => match kind(record) {
            Kind::Moved => What::Marked(*id, record.payload[2..].try_into().ok().map(SessionId::from_bytes)),
            _ => What::Created(*id, record.expires_at),
        },
        (Call::Update { id, record, .. }, Outcome::Update(UpdateOutcome::Updated(_))) => match kind(record) {
            Kind::Ended => What::Ended(*id),
            _ => What::Updated(*id, record.expires_at),
        },
        (Call::Rename { old, new, record, .. }, Outcome::Rename(RenameOutcome::Renamed(_))) => {
            What::Renamed(*old, *new, record.expires_at)
        }
        (Call::Touch { id, expires_at, .. }, Outcome::Touch(TouchOutcome::Touched)) => What::Touched(*id, expires_at),
        (Call::Delete { id, .. }, Outcome::Delete(DeleteOutcome::Deleted)) => What::Deleted(*id),
        (_, Outcome::DeleteExpired(swept)) => What::Swept(swept.removed),
        (_, Outcome::SessionsOf(_)) => What::Listed,
        (Call::Update { record, .. }, Outcome::Update(_)) if kind(record) == Kind::Ended => What::NotEnded,
        (
            _,
            Outcome::Create(CreateOutcome::IdTaken)
            | Outcome::Update(UpdateOutcome::Conflict)
            | Outcome::Rename(RenameOutcome::Conflict | RenameOutcome::IdTaken)
            | Outcome::Touch(TouchOutcome::Conflict),
        ) => What::Conflict(call.kind()),
        (Call::Update { id, .. }, Outcome::Update(UpdateOutcome::Missing))
        | (Call::Rename { old: id, .. }, Outcome::Rename(RenameOutcome::Missing))
        | (Call::Touch { id, .. }, Outcome::Touch(TouchOutcome::Missing))
        | (Call::Delete { id, .. }, Outcome::Delete(DeleteOutcome::Missing)) => What::Missing(*id),
        (call, outcome) => panic!("{outcome:?} is no answer to {call:?}"),
    }
}
