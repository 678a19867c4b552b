use nexios_store_core::SessionId;
use tokio::sync::{Mutex, MutexGuard};

/// Lets the writers of one session who have met a conflict go one after the other.
///
/// Held only for reload, replay and write, never while a handler runs. Two sessions may share a turn.
#[derive(Debug)]
pub(crate) struct Turns([Mutex<()>; STRIPES]);

impl Turns {
    pub(crate) fn new() -> Self {
        Self([const { Mutex::const_new(()) }; STRIPES])
    }

    pub(crate) async fn take(&self, id: &SessionId) -> MutexGuard<'_, ()> {
        // Ids are random, so any byte spreads them evenly.
        self.0[usize::from(id.as_bytes()[0]) % STRIPES].lock().await
    }
}

const STRIPES: usize = 64;
