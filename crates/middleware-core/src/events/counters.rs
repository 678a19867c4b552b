use std::sync::atomic::{AtomicU64, Ordering};

use nexios_store_core::Timestamp;

use crate::events::Event;

/// Counts of each [`Event`] since the manager was built.
///
/// Read them with [`SessionManager::counters`](crate::SessionManager::counters), for a health check or for metrics.
///
/// # Examples
///
/// ```
/// use nexios_middleware_core::{Event, SessionManager};
///
/// fn is_healthy(manager: &SessionManager) -> bool {
///     let counters = manager.counters();
///     counters.of(Event::RecordCorrupt) == 0 && counters.of(Event::StoreFailed) == 0
/// }
///
/// fn as_metrics(manager: &SessionManager) -> String {
///     let counters = manager.counters();
///     counters.iter().map(|(event, count)| format!("sessions_events_total{{event=\"{event}\"}} {count}\n")).collect()
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counters {
    counts: [u64; COUNT],
    last: [Timestamp; COUNT],
}

impl Counters {
    /// Returns how often the event has happened.
    pub const fn of(&self, event: Event) -> u64 {
        self.counts[event as usize]
    }

    /// Returns the time at which the event last happened, by the manager's clock; `None` if it has not.
    ///
    /// The time is kept for every event after which the log pauses. For the others, it is kept only while somebody
    /// listens: an observer, or the log at the level of the event.
    ///
    /// A manager knows nothing of other processes, nor of the time before it was built.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Clock, Event, SessionManager, SystemClock, Timestamp};
    /// # use std::time::Duration;
    /// /// Returns whether this process has not used a retired key for as long as sessions live. Once that holds for
    /// /// every process, the retired keys can be removed from the ring.
    /// fn retired_keys_are_idle(manager: &SessionManager, started_at: Timestamp, lifetime: Duration) -> bool {
    ///     let idle_since = manager.counters().last(Event::RetiredKeyUsed).unwrap_or(started_at);
    ///     SystemClock.now().saturating_duration_since(idle_since) > lifetime
    /// }
    /// ```
    pub fn last(&self, event: Event) -> Option<Timestamp> {
        Some(self.last[event as usize]).filter(|at| *at > Timestamp::UNIX_EPOCH)
    }

    /// Returns all events with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Event, u64)> {
        Event::ALL.iter().map(|event| (*event, self.of(*event)))
    }
}

#[derive(Debug)]
pub(super) struct Counts {
    counts: [AtomicU64; COUNT],
    last: [AtomicU64; COUNT],
}

impl Counts {
    #[inline]
    pub(super) fn increment(&self, event: Event) {
        self.counts[event as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn happened(&self, event: Event, at: Timestamp) {
        self.last[event as usize].fetch_max(at.as_unix_millis(), Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> Counters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            counts: self.counts.each_ref().map(read),
            last: self.last.each_ref().map(|last| Timestamp::from_unix_millis(read(last))),
        }
    }
}

impl Default for Counts {
    fn default() -> Self {
        Self { counts: [const { AtomicU64::new(0) }; COUNT], last: [const { AtomicU64::new(0) }; COUNT] }
    }
}

const COUNT: usize = Event::ALL.len();
