//! Carrying out a plan: what is taken out of a session's state, and what comes back into it.

pub(crate) mod plan;
pub(crate) mod session_limit;
pub(crate) mod work;

use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use nexios_store_core::Timestamp;

use crate::commit::plan::{Action, CookieAction, Fate, Plan, Situation};
use crate::commit::work::{Done, Failed, Work};
use crate::services::time_limit::within;
use crate::state::exchange::Exchange;
use crate::state::{Snapshot, State};
use crate::{SessionError, SessionErrorKind};

impl Exchange {
    /// Saves what was changed and carries out what was decided.
    ///
    /// A failure to move the expiry or to re-issue a cookie is an event, not an error: the visitor can do without.
    pub(crate) async fn commit(&self) -> Result<(), SessionError> {
        let _turn = self.turn().await;
        self.commit_in_turn().await
    }

    /// The same, for who holds the turn.
    pub(crate) async fn commit_in_turn(&self) -> Result<(), SessionError> {
        let Some(work) = self.begin()? else { return Ok(()) };
        let limit = self.manager.settings().store_timeout;
        let done = within(limit, pin!(work.perform(&self.manager))).await;
        // The store may have done it, or may still.
        let done = done.unwrap_or_else(|_| Err(Failed::not_known_whether(SessionError::timed_out(limit))));
        self.settle(work, done)
    }

    /// Chooses the plan and takes what it needs out of the state.
    fn begin(&self) -> Result<Option<Work>, SessionError> {
        let now = self.manager.now();
        let mut state = self.state();
        // To end a session twice does no harm, and a logout must not fail because something else did.
        if state.committing && state.fate != Fate::Destroy {
            return Err(SessionError::interrupted());
        }
        if state.read_only && state.fate == Fate::Destroy {
            return Err(SessionError::read_only()); // a logout that was not carried out must not look like one
        }
        let plan = self.plan(&state, now);
        match plan.action {
            Action::Nothing => {
                state.settle_without_store(plan.cookie);
                return Ok(None);
            }
            // Nobody has asked for it, so it is not missed.
            Action::Touch if self.slot.is_some() && self.head_sent.load(Ordering::Relaxed) => return Ok(None),
            action if self.needs_cookie(action) && self.head_sent.load(Ordering::Relaxed) => {
                return Err(SessionError::head_sent());
            }
            _ => {}
        }
        state.under_way = true;
        // To move an expiry twice does no harm either.
        state.committing = plan.action.is_essential(state.is_changed());
        let fate = state.fate;
        // That the session is to end stays decided, also if this is not heard of again.
        if fate == Fate::Cycle {
            state.fate = Fate::Keep;
        }
        Ok(Some(Work {
            plan,
            now,
            base: state.base.clone(),
            values: state.values.clone(),
            values_are_stale: state.values_are_stale,
            changed: state.is_changed(),
            changes: std::mem::take(&mut state.changes),
            login: state.login.take(),
            fate,
            slot: self.slot.clone(),
        }))
    }

    pub(crate) fn plan(&self, state: &State, now: Timestamp) -> Plan {
        let manager = &self.manager;
        let situation = state.situation(manager.lifetime(), manager.settings().persistent, now);
        Plan::for_situation(Situation { in_cookie: self.slot.is_some(), ..situation })
    }

    /// Whether the visitor must hear of what was done, or it comes to nothing.
    fn needs_cookie(&self, action: Action) -> bool {
        matches!(action, Action::Create | Action::Rename) || self.slot.is_some()
    }

    /// What the visitor's cookie is to hold: the id, or the session itself.
    pub(crate) fn cookie_value(&self, base: &Snapshot) -> Result<String, SessionError> {
        match (self.manager.sealed(), self.slot.as_ref().and_then(|slot| slot.record())) {
            (Some(sealed), Some(record)) => sealed.seal(&record, self.manager.now()),
            _ => Ok(self.manager.signers().cookie_value(&base.id)),
        }
    }

    /// Brings the state up to date with what has become of the work.
    fn settle(&self, work: Work, done: Result<Done, Failed>) -> Result<(), SessionError> {
        let mut state = self.state();
        state.under_way = false;
        state.committing = false;
        let cookie = if work.plan.cookie == CookieAction::Keep { state.cookie } else { work.plan.cookie };
        match done {
            Ok(Done::Written { base, merged }) => {
                if state.fate == Fate::Destroy {
                    // Decided while this was being saved: there is nothing to see any more.
                } else if state.changes.is_empty() {
                    state.values = base.values.clone();
                    state.values_are_stale = false;
                } else {
                    // Changed while this was being saved: the handler sees its own changes, but after a merge not those
                    // of others.
                    state.values_are_stale |= merged;
                }
                state.base = Some(base);
                state.reissue_due = false;
                state.retag_due = false;
                state.cookie = cookie;
                Ok(())
            }
            Ok(Done::Touched(expires_at)) => {
                if let Some(base) = &mut state.base {
                    Arc::make_mut(base).expires_at = expires_at;
                }
                state.cookie = cookie;
                Ok(())
            }
            Ok(Done::Destroyed) => {
                state.cookie = cookie;
                state.end();
                Ok(())
            }
            Ok(Done::Gone) => {
                state.end();
                if work.is_essential() {
                    self.manager.counting().dropped_commits.increment();
                    tracing::info!("session was ended by another request, so this one's changes to it are dropped");
                }
                Err(SessionError::gone())
            }
            Err(Failed { error, is_known }) => {
                if error.kind() == SessionErrorKind::Unavailable {
                    self.manager.counting().store_failures.increment();
                }
                if !work.is_essential() {
                    tracing::warn!(error = &error as &dyn Error, "session's expiry or cookie could not be renewed");
                    return Ok(());
                }
                state.committing = !is_known && !work.is_repeatable();
                if !state.committing {
                    work.put_back(&mut state);
                }
                Err(error)
            }
        }
    }
}
