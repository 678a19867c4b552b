use nexios_store_testkit::Fault;
use parking_lot::Mutex;
use rustix::io::Errno;

use super::{CALLS, Plan, during};

/// A fault that strikes a store, on every thread on which the store works.
#[derive(Default)]
pub(crate) struct Armed(Mutex<State>);

#[derive(Default)]
struct State {
    fault: Option<(Fault, usize)>,
    /// The number of system calls since the fault was armed.
    calls: usize,
    hits: usize,
}

impl Armed {
    /// Lets the fault strike at the system call of this number, counted from now and from 0.
    pub(crate) fn arm(&self, fault: Fault, call: usize) {
        *self.0.lock() = State { fault: Some((fault, call)), ..State::default() };
    }

    /// Ends the fault. Returns whether it struck.
    pub(crate) fn disarm(&self) -> bool {
        std::mem::take(&mut *self.0.lock()).hits > 0
    }

    /// Does the work of one operation, under the fault if there is one.
    pub(super) fn strike<T>(&self, work: impl FnOnce() -> T) -> T {
        let Some(plan) = self.0.lock().plan() else { return work() };
        let (result, hits) = during(plan, work);
        let mut state = self.0.lock();
        state.calls += CALLS.get();
        state.hits += hits;
        result
    }
}

impl State {
    fn plan(&self) -> Option<Plan> {
        let (fault, call) = self.fault?;
        Some(match (fault, call.checked_sub(self.calls)) {
            (Fault::Error, Some(call)) => Plan::Call(call, Errno::IO),
            (Fault::Error, None) => Plan::None,
            (Fault::Crash, call) => Plan::From(call.unwrap_or(0)),
        })
    }
}
