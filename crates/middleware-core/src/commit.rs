//! The room of saving a session: a pure function decides what a commit does, one write does it, and the state takes in
//! the result.
//!
//! Invariant: a request has at most one commit under way, and no code of the application runs while its state is
//! locked.

mod ending;
pub(crate) mod login;
pub(crate) mod plan;
mod situation;
mod work;

use std::sync::Arc;

use nexios_store_core::Timestamp;

use crate::commit::plan::{Action, Plan, Situation};
use crate::commit::work::{Done, Failed, Outcome, Work};
use crate::error::SessionError;
use crate::events::Event;
use crate::state::State;
use crate::state::decisions::Fate;
use crate::state::exchange::Exchange;
use crate::state::progress::Progress;

/// Saves the changes and carries out the decisions.
///
/// A failure to move the expiry or to issue a cookie anew is an event and not an error, because the visitor can do
/// without.
pub(crate) async fn commit(exchange: &Exchange) -> Result<(), SessionError> {
    let _turn = exchange.turn().await.ok_or_else(SessionError::interrupted)?;
    commit_in_turn(exchange, exchange.services.now()).await?;
    // There was nothing to save, and whoever asks must not take that for a session that goes on.
    if exchange.state().has_ended() { Err(SessionError::gone()) } else { Ok(()) }
}

/// Does the same for a caller that holds the turn.
pub(crate) async fn commit_in_turn(exchange: &Exchange, now: Timestamp) -> Result<(), SessionError> {
    loop {
        let ends = exchange.state().pending.fate == Fate::Destroy;
        commit_once(exchange, now).await?;
        // What was changed after the session had been ended is saved into a fresh one.
        if !ends || exchange.state().pending.is_empty() {
            return Ok(());
        }
    }
}

async fn commit_once(exchange: &Exchange, now: Timestamp) -> Result<(), SessionError> {
    let Some(work) = begin(exchange, now)? else { return Ok(()) };
    let done = match work.limit() {
        // Boxed, so that the future of every request has no room for what only logins need.
        Some((limit, user)) => Box::pin(work.perform_within(limit, user)).await,
        None => work.perform().await,
    };
    settle(exchange, work, done)
}

/// Returns what a commit of this state would do now.
pub(crate) fn plan(exchange: &Exchange, state: &State, now: Timestamp) -> Plan {
    Plan::for_situation(Situation::of(state, exchange, now))
}

/// Chooses the plan, and takes what it needs out of the state.
fn begin(exchange: &Exchange, now: Timestamp) -> Result<Option<Work<'_>>, SessionError> {
    let mut state = exchange.state();
    // Ending a session twice does no harm, and a logout must not fail because of an earlier failure.
    if state.progress.is_unknown() && state.pending.fate != Fate::Destroy {
        return Err(SessionError::interrupted());
    }
    if state.known.is_outage && state.pending.fate == Fate::Destroy {
        return Err(SessionError::read_only()); // a logout that was not carried out must not look like one
    }
    let plan = plan(exchange, &state, now);
    match plan.action {
        Action::Nothing => {
            state.settle_without_store(plan.cookie);
            return Ok(None);
        }
        // Nobody has asked for this touch, so nobody misses it.
        Action::Touch if exchange.place.is_cookie() && exchange.is_head_sent() => return Ok(None),
        action if needs_cookie(exchange, action) && exchange.is_head_sent() => return Err(SessionError::head_sent()),
        _ => {}
    }
    // Moving an expiry twice does no harm.
    state.progress = Progress::Saving { is_essential: plan.action.is_essential(state.pending.is_changed()) };
    Ok(Some(Work {
        exchange,
        plan,
        now,
        snapshot: state.stored_snapshot().cloned(),
        view: state.view.clone(),
        pending: state.pending.take(),
    }))
}

/// Returns whether the visitor must get a cookie, because the work would otherwise come to nothing.
fn needs_cookie(exchange: &Exchange, action: Action) -> bool {
    matches!(action, Action::Create | Action::Rename) || exchange.place.is_cookie()
}

/// Brings the state up to date with the result of the work, and tells of what has happened.
fn settle(exchange: &Exchange, work: Work<'_>, done: Result<Done, Failed>) -> Result<(), SessionError> {
    // Observers are the application's code, so the lock is released before they are called.
    match done {
        Ok(done) => {
            work.note(&done);
            let is_gone = matches!(done, Done::Gone);
            update(&mut exchange.state(), &work, done);
            match is_gone {
                false => Ok(()),
                true if work.pending.changes.takes_once() => Err(SessionError::gone_with_taken()),
                true => Err(SessionError::gone()),
            }
        }
        Err(failed) => {
            let id = work.known_id();
            let principal = work.snapshot.as_ref().and_then(|snapshot| snapshot.principal());
            exchange.services.note_failure(&failed.error, id.as_ref(), principal);
            if !work.is_essential() {
                exchange.state().progress = Progress::Idle;
                exchange.services.note_error(Event::RenewalFailed, id.as_ref(), principal, &failed.error);
                return Ok(());
            }
            let mut state = exchange.state();
            // A `discard` or a `destroy` during the work is the later decision about what the work was given.
            let is_wanted = state.progress.is_unknown() && state.pending.fate != Fate::Destroy;
            state.progress = Progress::Idle;
            if is_wanted && failed.outcome == Outcome::Unknown && !work.is_repeatable() {
                state.progress = Progress::OutcomeUnknown;
            } else if is_wanted {
                state.pending.put_back(work.pending);
            }
            Err(failed.error)
        }
    }
}

fn update(state: &mut State, work: &Work<'_>, done: Done) {
    state.progress = Progress::Idle;
    match done {
        Done::Written { snapshot, merged, .. } => {
            if state.pending.fate == Fate::Destroy {
                // Decided during the save: there is nothing left to see.
            } else if state.pending.changes.is_empty() {
                state.view.values = snapshot.values.clone();
                state.view.is_stale = false;
            } else {
                // Changed during the save: the handler sees its own changes, but after a merge not those of others.
                state.view.is_stale |= merged;
            }
            state.known.written(snapshot);
            state.cookie.advance(work.plan.cookie);
        }
        Done::Touched(expires_at) => {
            if let Some(snapshot) = &mut state.known.snapshot {
                Arc::make_mut(snapshot).expires_at = expires_at;
            }
            state.cookie.advance(work.plan.cookie);
        }
        Done::Superseded => {}
        Done::Destroyed { .. } => {
            state.cookie.advance(work.plan.cookie);
            state.begin_afresh();
        }
        // Decided during the work. The next commit follows the session to its new id, or begins a fresh one.
        Done::Gone if state.pending.fate == Fate::Destroy || state.pending.login.is_some() => {}
        Done::Gone => state.end(),
    }
}
