use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::events::Occurrence;

/// A listener to everything that happens to the sessions of a manager.
///
/// Add one with [`SessionManagerBuilder::observer`](crate::SessionManagerBuilder::observer) to write an audit trail, to
/// feed metrics, or to act on a sign of theft. Any `Fn(&Occurrence)` is one.
///
/// An observer is called where the event happens, usually within a request, whose answer waits for it. Other requests
/// to the same session, and logins of the same user, may wait too. So it must be quick and must not block: send what
/// takes time through a channel. The state of the session is not locked during the call, so an observer may use the
/// session and the manager.
///
/// If an observer panics, the panic hook of the process says so, and the request goes on as if nothing had happened.
///
/// # Examples
///
/// ```
/// use nexios_middleware_core::{Event, Occurrence, SessionManager};
/// # use nexios_signer::{Key, KeyRing};
/// # use nexios_store_memory::MemoryStore;
/// use std::sync::mpsc;
///
/// let (audit, trail) = mpsc::channel();
/// let manager = SessionManager::builder(MemoryStore::new())
///     # .keys(KeyRing::new(Key::generate()?))
///     .observer(move |occurrence: &Occurrence<'_>| {
///         if matches!(occurrence.event, Event::LoggedIn | Event::SessionDestroyed | Event::SessionsRevoked) {
///             let _ = audit.send((occurrence.at, occurrence.event, occurrence.session));
///         }
///     })
///     .build()?;
/// # drop(trail);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Observer: Send + Sync + 'static {
    /// Takes note of one occurrence of an event.
    fn observe(&self, occurrence: &Occurrence<'_>);
}

impl<F: Fn(&Occurrence<'_>) + Send + Sync + 'static> Observer for F {
    fn observe(&self, occurrence: &Occurrence<'_>) {
        self(occurrence);
    }
}

/// The observers of a manager, in the order in which they were added.
#[derive(Clone, Default)]
pub(crate) struct Observers(Vec<Arc<dyn Observer>>);

impl Observers {
    pub(crate) fn add(&mut self, observer: impl Observer) {
        self.0.push(Arc::new(observer));
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn observe(&self, occurrence: &Occurrence<'_>) {
        for observer in &self.0 {
            // Called between a write to the store and the cookie that goes with it, by the sweeper's task, and in a
            // drop. A panic would log a visitor out, end the sweeping for good, or abort the process.
            let _ = catch_unwind(AssertUnwindSafe(|| observer.observe(occurrence)));
        }
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observers").field(&self.0.len()).finish()
    }
}
