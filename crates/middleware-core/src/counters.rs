use std::sync::atomic::{AtomicU64, Ordering};

/// How often something happened to sessions that an operator should know of, since the manager was built.
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
}

#[derive(Debug, Default)]
pub(crate) struct Counting {
    pub(crate) corrupt_records: Counter,
    pub(crate) unsupported_records: Counter,
    pub(crate) dropped_commits: Counter,
    pub(crate) conflicts: Counter,
    pub(crate) store_failures: Counter,
}

impl Counting {
    pub(crate) fn snapshot(&self) -> Counters {
        Counters {
            corrupt_records: self.corrupt_records.get(),
            unsupported_records: self.unsupported_records.get(),
            dropped_commits: self.dropped_commits.get(),
            conflicts: self.conflicts.get(),
            store_failures: self.store_failures.get(),
        }
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
