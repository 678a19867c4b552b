use std::sync::Arc;

use nexios_store_core::async_trait;

/// A way for the kit to make a store, or a double of its backend, fail.
///
/// Nobody can see from outside what an error or a crash leaves, except by causing one. A store can cause them by a
/// double of its file system, by a proxy in front of its database, or by a counter in its own code. Pass such a means
/// to [`Subject::faults`](crate::Subject::faults), and the kit checks clauses (l) and (m) at each step of the store.
///
/// A step is anything that the store does and that can fail: a system call, a statement, a round trip. The kit lets the
/// first step fail, then the second, and so on, until an operation ends that no fault has struck.
#[async_trait]
pub trait FaultInjection: Send + Sync + 'static {
    /// Lets `fault` strike at step number `step`, counted from 0, starting now.
    fn arm(&self, fault: Fault, step: usize);

    /// Removes the fault, and returns whether it has struck.
    ///
    /// After a [`Crash`](Fault::Crash), this does what a restart does, and the store works again. If your store must be
    /// opened again for that, test it behind a wrapper that opens it.
    async fn disarm(&self) -> bool;
}

/// The way in which a step fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The step fails, and the following steps work: the store can clean up.
    Error,
    /// The step and all following steps fail, as if the process had been killed: the store cannot clean up.
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
