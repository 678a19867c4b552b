use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use nexios_store_core::Timestamp;

/// The way in which time passes for the store under test.
#[derive(Clone, Debug)]
pub(crate) enum Clock {
    /// The caller tells the store the time, so the kit only has to say another number.
    Argument(Arc<AtomicU64>),
    /// The backend has a clock of its own, so the kit has to wait.
    Backend { grain: Duration },
}

impl Clock {
    pub(crate) fn argument() -> Self {
        Self::Argument(Arc::new(AtomicU64::new(START)))
    }

    pub(crate) fn now(&self) -> Timestamp {
        match self {
            Self::Argument(millis) => Timestamp::from_unix_millis(millis.load(Ordering::SeqCst)),
            Self::Backend { .. } => SystemTime::now().into(),
        }
    }

    /// The life of a record that has to expire during the test.
    pub(crate) fn short_life(&self) -> Duration {
        match self {
            Self::Argument(_) => Duration::from_secs(10),
            Self::Backend { grain } => *grain * 4,
        }
    }

    /// Lets time pass until a record with a [short life](Self::short_life) has expired, and not a moment longer where
    /// the kit decides the time.
    pub(crate) async fn pass_short_life(&self) {
        match self {
            Self::Argument(millis) => {
                let passed = u64::try_from(self.short_life().as_millis()).unwrap_or(u64::MAX);
                millis.fetch_add(passed, Ordering::SeqCst);
            }
            Self::Backend { grain } => tokio::time::sleep(self.short_life() + *grain).await,
        }
    }
}

/// A time in 2023. To a store that looks at a clock all the same, every record has long expired, and every clause
/// notices.
const START: u64 = 1_700_000_000_000;
