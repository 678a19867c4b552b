use std::collections::HashMap;
use std::sync::Mutex;

use nexios_store_core::*;
use nexios_store_testkit::hook::{Call, CallKind, Hook, Outcome};
use tokio::sync::Notify;

/// Counts the calls of a store, and lets some of them run into trouble.
#[derive(Debug, Default)]
pub struct Probe {
    counts: Mutex<HashMap<CallKind, usize>>,
    trouble: Mutex<HashMap<CallKind, Trouble>>,
    once: Mutex<HashMap<CallKind, Trouble>>,
    later: Mutex<HashMap<CallKind, (CallKind, Trouble)>>,
    resumed: Notify,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The call fails before it does anything.
    Fails,
    /// The record is corrupt, or of a newer format.
    Answers(StoreErrorKind),
    /// The call does not end, unless it is [resumed](Probe::resume).
    Hangs,
    /// The call does its work and then fails.
    LosesTheAnswer,
}

impl Probe {
    /// Lets each call of this kind run into this trouble from now on.
    pub fn make(&self, call: CallKind, trouble: Trouble) {
        self.trouble.lock().unwrap().insert(call, trouble);
    }

    /// Lets the next call of this kind run into this trouble before it does anything.
    pub fn make_once(&self, call: CallKind, trouble: Trouble) {
        self.once.lock().unwrap().insert(call, trouble);
    }

    /// Lets each call of one kind run into this trouble once there was a call of the first kind.
    pub fn make_after(&self, first: CallKind, call: CallKind, trouble: Trouble) {
        self.later.lock().unwrap().insert(first, (call, trouble));
    }

    /// Lets the calls that hang go on, and no others hang.
    pub fn resume(&self) {
        self.heal();
        self.resumed.notify_waiters();
    }

    pub fn heal(&self) {
        self.trouble.lock().unwrap().clear();
    }

    pub fn count(&self, call: CallKind) -> usize {
        self.counts.lock().unwrap().get(&call).copied().unwrap_or(0)
    }

    pub fn total(&self) -> usize {
        self.counts.lock().unwrap().values().sum()
    }

    fn trouble(&self, call: &Call<'_>) -> Option<Trouble> {
        self.trouble.lock().unwrap().get(&call.kind()).copied()
    }
}

#[async_trait]
impl Hook for Probe {
    async fn before(&self, call: &Call<'_>) -> Result<()> {
        *self.counts.lock().unwrap().entry(call.kind()).or_default() += 1;
        let once = self.once.lock().unwrap().remove(&call.kind());
        match once.or_else(|| self.trouble(call)) {
            None | Some(Trouble::LosesTheAnswer) => Ok(()),
            Some(Trouble::Fails) => Err(StoreError::backend("told to fail")),
            Some(Trouble::Answers(StoreErrorKind::Unsupported)) => Err(StoreError::unsupported("told so")),
            Some(Trouble::Answers(StoreErrorKind::NoKey)) => Err(StoreError::no_key("told so")),
            Some(Trouble::Answers(_)) => Err(StoreError::corrupt("told so")),
            Some(Trouble::Hangs) => {
                self.resumed.notified().await;
                Ok(())
            }
        }
    }

    async fn after(&self, call: &Call<'_>, _: Result<Outcome<'_>, &StoreError>) -> Result<()> {
        if let Some((later, trouble)) = self.later.lock().unwrap().remove(&call.kind()) {
            self.make(later, trouble);
        }
        match self.trouble(call) {
            Some(Trouble::LosesTheAnswer) => Err(StoreError::backend("told to lose the answer")),
            _ => Ok(()),
        }
    }
}

/// Lets others run before and after each call, so that parallel requests go through a store in step.
#[derive(Debug)]
pub struct Yields;

#[async_trait]
impl Hook for Yields {
    async fn before(&self, _: &Call<'_>) -> Result<()> {
        tokio::task::yield_now().await;
        Ok(())
    }

    async fn after(&self, _: &Call<'_>, _: Result<Outcome<'_>, &StoreError>) -> Result<()> {
        tokio::task::yield_now().await;
        Ok(())
    }
}

/// Hides the index of a store.
#[derive(Debug)]
pub struct NoIndex;

impl Hook for NoIndex {
    fn keeps_index(&self) -> bool {
        false
    }
}
