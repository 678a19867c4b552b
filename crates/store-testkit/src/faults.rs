use std::sync::Arc;

use nexios_store_core::async_trait;

/// How a store, or a double of its backend, lets the kit make it fail.
///
/// What an error or a crash leaves cannot be seen from outside without causing one. A store that can cause them, by a
/// double of its file system, a proxy before its database or a counter in its own code, says so with
/// [`Subject::faults`](crate::Subject::faults), and clauses (l) and (m) are checked at each of its steps.
///
/// A step is whatever the store does that can fail: a system call, a statement, a round trip. The kit lets the first
/// one fail, then the second, and so on, until an operation has passed that no fault struck.
#[async_trait]
pub trait FaultInjection: Send + Sync + 'static {
    /// Lets `fault` strike at step number `step` from now on, counted from 0.
    fn arm(&self, fault: Fault, step: usize);

    /// Ends it, and says whether the fault struck.
    ///
    /// After a [`Crash`](Fault::Crash) this does what a restart does; then the store works again. A store that must be
    /// opened anew for that is tested behind a wrapper that opens it.
    async fn disarm(&self) -> bool;
}

/// How a step fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The step fails, and what follows works: the store can clean up.
    Error,
    /// The step and all that follow fail, as if the process had been killed: nothing can be cleaned up.
    Crash,
}

#[async_trait]
impl<F: FaultInjection + ?Sized> FaultInjection for Arc<F> {
    fn arm(&self, fault: Fault, step: usize) {
        (**self).arm(fault, step);
    }

    async fn disarm(&self) -> bool {
        (**self).disarm().await
    }
}
