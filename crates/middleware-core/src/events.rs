use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nexios_store_core::Timestamp;

/// How often something happened to sessions that an operator should know of, since the manager was built.
///
/// # Examples
///
/// ```
/// use nexios_middleware_core::SessionManager;
///
/// fn is_healthy(manager: &SessionManager) -> bool {
///     let counters = manager.counters();
///     counters.corrupt_records == 0 && counters.store_failures == 0
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Records that could not be read and were taken out of service; their visitors got fresh sessions.
    pub corrupt_records: u64,
    /// Records of a newer format, whose visitors were turned away with 503.
    pub unsupported_records: u64,
    /// Commits with something to save whose session was gone, so that it was dropped.
    pub dropped_commits: u64,
    /// Conflicts between parallel requests that were merged.
    pub conflicts: u64,
    /// Store calls that failed or took too long.
    pub store_failures: u64,
    /// Cookies and sessions that a key other than the first of the ring had signed or tagged.
    pub retired_key_uses: u64,
    /// When that was the last time. Once it is longer ago than a session can live, the retired keys can be removed.
    pub retired_key_last_used: Option<Timestamp>,
}

#[derive(Debug, Default)]
pub(crate) struct Counting {
    pub(crate) corrupt_records: Counter,
    pub(crate) unsupported_records: Counter,
    pub(crate) dropped_commits: Counter,
    pub(crate) conflicts: Counter,
    pub(crate) store_failures: Counter,
    pub(crate) retired_key_uses: Counter,
    retired_key_last_used: AtomicU64,
    retired_key_last_told: AtomicU64,
}

impl Counting {
    pub(crate) fn snapshot(&self) -> Counters {
        Counters {
            corrupt_records: self.corrupt_records.get(),
            unsupported_records: self.unsupported_records.get(),
            dropped_commits: self.dropped_commits.get(),
            conflicts: self.conflicts.get(),
            store_failures: self.store_failures.get(),
            retired_key_uses: self.retired_key_uses.get(),
            retired_key_last_used: (self.retired_key_uses.get() > 0)
                .then(|| Timestamp::from_unix_millis(self.retired_key_last_used.load(Ordering::Relaxed))),
        }
    }

    /// Counts the use of a retired key, and says whether the operator is to hear of it: at once, and then not more than
    /// once a minute for as long as it lasts.
    pub(crate) fn retired_key_used(&self, now: Timestamp) -> bool {
        self.retired_key_uses.increment();
        self.retired_key_last_used.fetch_max(now.as_unix_millis(), Ordering::Relaxed);
        let told = self.retired_key_last_told.load(Ordering::Relaxed);
        let is_due = now.saturating_duration_since(Timestamp::from_unix_millis(told)) >= Duration::from_secs(60);
        // Of several who find it due, one tells.
        let tells = || {
            self.retired_key_last_told.compare_exchange(
                told,
                now.as_unix_millis(),
                Ordering::Relaxed,
                Ordering::Relaxed,
            )
        };
        is_due && tells().is_ok()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn increment(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
