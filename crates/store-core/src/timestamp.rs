use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point in time, in milliseconds since the Unix epoch.
///
/// Arithmetic saturates: whatever a clock says, a timestamp never wraps around to the distant past or future.
///
/// # Examples
///
/// ```
/// use nexios_store_core::Timestamp;
/// use std::time::{Duration, SystemTime};
///
/// let now = Timestamp::from(SystemTime::now());
/// let later = now.saturating_add(Duration::from_secs(60));
/// assert_eq!(later.saturating_duration_since(now), Duration::from_secs(60));
/// assert_eq!(now.saturating_duration_since(later), Duration::ZERO);
/// assert_eq!(Timestamp::MAX.saturating_add(Duration::from_secs(60)), Timestamp::MAX);
/// assert_eq!(Timestamp::UNIX_EPOCH.saturating_sub(Duration::from_secs(60)).as_unix_millis(), 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The Unix epoch.
    pub const UNIX_EPOCH: Self = Self(0);
    /// The latest point in time that a timestamp can hold.
    pub const MAX: Self = Self(u64::MAX);

    /// Makes the point in time that is `millis` milliseconds after the Unix epoch.
    pub const fn from_unix_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Returns the number of milliseconds since the Unix epoch.
    pub const fn as_unix_millis(self) -> u64 {
        self.0
    }

    /// Returns the time that is `duration` later, at most [`MAX`](Self::MAX).
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(whole_millis(duration)))
    }

    /// Returns the time that is `duration` earlier, at least [`UNIX_EPOCH`](Self::UNIX_EPOCH).
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(whole_millis(duration)))
    }

    /// Returns the time that has passed since `earlier`, or zero if this time is not after it.
    pub const fn saturating_duration_since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl From<SystemTime> for Timestamp {
    /// Converts a time; one before the epoch becomes the epoch.
    fn from(time: SystemTime) -> Self {
        Self(time.duration_since(UNIX_EPOCH).map_or(0, whole_millis))
    }
}

/// Does what `Duration::as_millis` does, without its 128-bit arithmetic: each request calls this several times.
fn whole_millis(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1000).saturating_add(duration.subsec_millis().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        let noon = Timestamp::from_unix_millis(1_000);
        assert_eq!(noon.saturating_add(Duration::MAX), Timestamp::MAX);
        assert_eq!(noon.saturating_sub(Duration::MAX), Timestamp::UNIX_EPOCH);
        assert_eq!(noon.saturating_duration_since(Timestamp::MAX), Duration::ZERO);
        assert_eq!(noon.saturating_duration_since(Timestamp::UNIX_EPOCH), Duration::from_secs(1));
    }

    #[test]
    fn a_duration_is_cut_to_whole_milliseconds() {
        for (duration, millis) in [
            (Duration::from_micros(999), 0),
            (Duration::from_micros(1_999), 1),
            (Duration::new(7, 999_999_999), 7_999),
            (Duration::from_millis(u64::MAX), u64::MAX),
            (Duration::MAX, u64::MAX),
        ] {
            assert_eq!(Timestamp::UNIX_EPOCH.saturating_add(duration).as_unix_millis(), millis, "{duration:?}");
        }
    }

    #[test]
    fn a_clock_before_the_epoch_is_the_epoch() {
        let time = UNIX_EPOCH.checked_sub(Duration::from_secs(1)).unwrap();
        assert_eq!(Timestamp::from(time), Timestamp::UNIX_EPOCH);
        assert_eq!(Timestamp::from(UNIX_EPOCH + Duration::from_millis(7)).as_unix_millis(), 7);
    }
}
