use tokio::sync::{Mutex, MutexGuard};

/// Locks that make the users of one thing go one after the other: writers of one session that have met a conflict, or
/// logins of one user.
///
/// A lock is held during calls of the store, never while a handler runs. An update function that is computed anew and
/// an observer may run under one. Two sessions, or two users, may share a lock.
#[derive(Debug)]
pub(crate) struct StripedLocks([Mutex<()>; STRIPES]);

impl StripedLocks {
    pub(crate) fn new() -> Self {
        Self([const { Mutex::const_new(()) }; STRIPES])
    }

    /// Waits for the lock of an id or a tag.
    pub(crate) async fn take(&self, random: &[u8]) -> MutexGuard<'_, ()> {
        // Both are random, so the first byte spreads them evenly.
        self.0[usize::from(random.first().copied().unwrap_or_default()) % STRIPES].lock().await
    }
}

const STRIPES: usize = 64;
