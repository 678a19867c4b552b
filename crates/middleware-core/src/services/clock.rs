use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use nexios_store_core::Timestamp;

/// A source of the time.
///
/// Sessions read no other clock than this one. Give the manager a [`ManualClock`] to make time an argument of a test.
///
/// # Examples
///
/// ```
/// use nexios_middleware_core::{Clock, Timestamp};
///
/// /// A clock that is an hour fast.
/// #[derive(Debug)]
/// struct Fast<C>(C);
///
/// impl<C: Clock> Clock for Fast<C> {
///     fn now(&self) -> Timestamp {
///         self.0.now().saturating_add(std::time::Duration::from_secs(3600))
///     }
/// }
/// ```
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Returns the present time.
    fn now(&self) -> Timestamp;
}

impl<C: Clock> Clock for std::sync::Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

/// The clock of the operating system, which is the default.
///
/// # Examples
///
/// ```
/// use nexios_middleware_core::{Clock, SystemClock, Timestamp};
///
/// assert!(SystemClock.now() > Timestamp::UNIX_EPOCH);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }
}

/// A clock for tests, which stands still until it is moved.
///
/// # Examples
///
/// ```
/// use nexios_middleware_core::{Clock, ManualClock};
/// use std::time::Duration;
///
/// let clock = ManualClock::default();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().saturating_duration_since(before), Duration::from_secs(60));
/// ```
#[derive(Debug)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// Makes a clock that shows `now`.
    pub const fn new(now: Timestamp) -> Self {
        Self(AtomicU64::new(now.as_unix_millis()))
    }

    /// Moves the clock to `now`, forward or back.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_unix_millis(), Ordering::SeqCst);
    }

    /// Moves the clock forward by `by`.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().saturating_add(by));
    }
}

impl Default for ManualClock {
    /// Makes a clock that shows a time in the year 2026.
    fn default() -> Self {
        Self::new(Timestamp::from_unix_millis(1_780_000_000_000))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_millis(self.0.load(Ordering::SeqCst))
    }
}
