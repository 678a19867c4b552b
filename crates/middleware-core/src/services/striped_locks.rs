use tokio::sync::{Mutex, MutexGuard};

/// Lets those who want the same thing go one after the other: the writers of one session who have met a conflict, the
/// logins of one user.
///
/// Held only for calls of the store, never while a handler runs. Two sessions, or two users, may share a turn.
#[derive(Debug)]
pub(crate) struct StripedLocks([Mutex<()>; STRIPES]);

impl StripedLocks {
    pub(crate) fn new() -> Self {
        Self([const { Mutex::const_new(()) }; STRIPES])
    }

    /// Waits for the turn of an id or a tag.
    pub(crate) async fn take(&self, random: &[u8]) -> MutexGuard<'_, ()> {
        // Each of its bytes spreads them evenly.
        self.0[usize::from(random.first().copied().unwrap_or_default()) % STRIPES].lock().await
    }
}

const STRIPES: usize = 64;
