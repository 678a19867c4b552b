use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use nexios_store_core::SessionId;
use tokio::sync::Notify;

/// Those in this process who wait for the end of a session.
#[derive(Default)]
pub(crate) struct Endings(Mutex<HashMap<SessionId, Weak<Notify>>>);

impl Endings {
    /// Returns what is notified when the session with this id ends or gets another id in this process.
    pub(crate) fn of(&self, id: SessionId) -> Arc<Notify> {
        let mut waiting = self.waiting();
        if let Some(notify) = waiting.get(&id).and_then(Weak::upgrade) {
            return notify;
        }
        // Nobody waits for these any more. Those that are waited for are few: one for each open stream.
        waiting.retain(|_, notify| notify.strong_count() > 0);
        let notify = Arc::new(Notify::new());
        waiting.insert(id, Arc::downgrade(&notify));
        notify
    }

    /// Wakes those who wait for this session.
    pub(crate) fn tell(&self, id: &SessionId) {
        let notify = self.waiting().remove(id).and_then(|notify| notify.upgrade());
        if let Some(notify) = notify {
            notify.notify_waiters();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<SessionId, Weak<Notify>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Endings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Endings")
    }
}
