use std::time::Duration;

use nexios_store_core::Timestamp;

use crate::format::payload::Envelope;

/// The policy of when sessions end, and how often a later end is written down.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExpiryPolicy {
    pub(crate) idle_timeout: Duration,
    pub(crate) absolute_timeout: Option<Duration>,
    /// The part of the idle timeout that must have passed before a request that only reads moves the expiry.
    pub(crate) touch_fraction: f64,
}

/// The thing to do about the expiry of a live session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Renewal {
    /// Nothing yet.
    NotDue,
    /// Move the expiry to [`expires_at`](ExpiryPolicy::expires_at).
    Touch,
    /// Write the record again, because it was written under another idle timeout.
    Rewrite,
}

impl ExpiryPolicy {
    /// Returns the idle timeout of a session, given its own if it has one.
    pub(crate) fn idle_timeout(&self, own: Option<Duration>) -> Duration {
        own.unwrap_or(self.idle_timeout)
    }

    /// Returns the time at which a session that is used at `now` will end.
    pub(crate) fn expires_at(&self, envelope: &Envelope, now: Timestamp) -> Timestamp {
        self.absolute_end(envelope).min(now.saturating_add(self.idle_timeout(envelope.overrides.idle_timeout)))
    }

    /// Returns the time at which a stored session ends: when its record expires, but not later than today's settings
    /// allow.
    ///
    /// The `stored_expiry` lies one idle timeout after the last use, by the timeout of the time when it was written. So
    /// today's timeout can replace that one. If the absolute timeout had cut the expiry short, this takes the last use
    /// to be earlier than it was.
    pub(crate) fn effective_end(&self, envelope: &Envelope, stored_expiry: Timestamp) -> Timestamp {
        let idle_timeout = self.idle_timeout(envelope.overrides.idle_timeout);
        let idle_end = if idle_timeout < envelope.idle_timeout {
            stored_expiry.saturating_sub(envelope.idle_timeout).saturating_add(idle_timeout)
        } else {
            stored_expiry
        };
        idle_end.min(self.absolute_end(envelope))
    }

    /// Returns whether the session, or its login, was made in the future, so that the clock must have been set back. If
    /// such a session lived on, it would get more time than its absolute timeout.
    #[expect(clippy::unused_self, reason = "a decision about lifetimes like the others")]
    pub(crate) fn is_from_the_future(&self, envelope: &Envelope, now: Timestamp) -> bool {
        envelope.created_at.max(envelope.authenticated_at) > now.saturating_add(MAX_CLOCK_SKEW)
    }

    pub(crate) fn renewal(&self, envelope: &Envelope, stored_expiry: Timestamp, now: Timestamp) -> Renewal {
        let idle_timeout = self.idle_timeout(envelope.overrides.idle_timeout);
        // The payload keeps milliseconds only.
        if idle_timeout.as_millis() != envelope.idle_timeout.as_millis() {
            return Renewal::Rewrite;
        }
        let target = self.expires_at(envelope, now);
        let gained = target.saturating_duration_since(stored_expiry);
        if !gained.is_zero() && gained.as_secs_f64() >= idle_timeout.as_secs_f64() * self.touch_fraction {
            Renewal::Touch
        } else {
            Renewal::NotDue
        }
    }

    fn absolute_end(&self, envelope: &Envelope) -> Timestamp {
        let end = self.absolute_timeout.map(|timeout| envelope.authenticated_at.saturating_add(timeout));
        let deadline = envelope.overrides.deadline.unwrap_or(Timestamp::MAX);
        end.unwrap_or(Timestamp::MAX).min(deadline)
    }
}

/// With this fraction, a session that is read all the time is written ten times in an idle timeout.
pub(crate) const DEFAULT_TOUCH_FRACTION: f64 = 0.1;

/// The most that the clocks of several machines may be apart.
pub(crate) const MAX_CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);

/// The largest fraction: a visitor who comes back within half the idle timeout must find the session alive.
pub(crate) const MAX_TOUCH_FRACTION: f64 = 0.5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::extensions::Extensions;
    use crate::format::handle::SessionHandle;
    use crate::format::payload::Overrides;
    use proptest::prelude::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn at(hours: u64) -> Timestamp {
        Timestamp::UNIX_EPOCH.saturating_add(HOUR * u32::try_from(hours).unwrap())
    }

    fn lifetime(idle: u32, absolute: Option<u32>) -> ExpiryPolicy {
        ExpiryPolicy {
            idle_timeout: HOUR * idle,
            absolute_timeout: absolute.map(|hours| HOUR * hours),
            touch_fraction: DEFAULT_TOUCH_FRACTION,
        }
    }

    /// Makes the envelope of a session made at hour 100, under an idle timeout of `idle` hours.
    fn envelope(idle: u32) -> Envelope {
        Envelope {
            created_at: at(100),
            authenticated_at: at(100),
            idle_timeout: HOUR * idle,
            overrides: Overrides::default(),
            handle: SessionHandle(0),
            principal: None,
            extensions: Extensions::default(),
        }
    }

    #[test]
    fn the_earlier_of_idle_and_absolute_ends_a_session() {
        assert_eq!(lifetime(10, None).expires_at(&envelope(10), at(150)), at(160));
        assert_eq!(lifetime(10, Some(55)).expires_at(&envelope(10), at(150)), at(155));
        assert_eq!(lifetime(10, Some(90)).expires_at(&envelope(10), at(150)), at(160));
    }

    #[test]
    fn the_absolute_timeout_counts_from_the_login() {
        let mut logged_in = envelope(10);
        logged_in.authenticated_at = at(120);
        assert_eq!(lifetime(10, Some(24)).expires_at(&logged_in, at(140)), at(144));
    }

    #[test]
    fn a_sessions_own_idle_timeout_replaces_the_settings() {
        let mut own = envelope(10);
        own.overrides.idle_timeout = Some(HOUR * 2);
        assert_eq!(lifetime(10, None).expires_at(&own, at(150)), at(152));
    }

    #[test]
    fn a_shortened_timeout_acts_at_once() {
        // Last used at hour 110 under ten hours, so the record says 120.
        assert_eq!(lifetime(10, None).effective_end(&envelope(10), at(120)), at(120));
        assert_eq!(lifetime(3, None).effective_end(&envelope(10), at(120)), at(113));
        assert_eq!(lifetime(10, Some(12)).effective_end(&envelope(10), at(120)), at(112));
    }

    #[test]
    fn a_lengthened_timeout_does_not_revive_what_has_expired() {
        assert_eq!(lifetime(20, None).effective_end(&envelope(10), at(120)), at(120));
    }

    #[test]
    fn a_session_from_the_future_does_not_count_until_then() {
        let (created, skew) = (at(100), MAX_CLOCK_SKEW);
        assert!(!lifetime(10, None).is_from_the_future(&envelope(10), created.saturating_sub(skew)));
        assert!(lifetime(10, None).is_from_the_future(&envelope(10), created.saturating_sub(skew * 2)));
        let mut logged_in = envelope(10);
        logged_in.authenticated_at = at(110);
        assert!(lifetime(10, None).is_from_the_future(&logged_in, at(101)));
    }

    #[test]
    fn a_touch_is_due_after_a_tenth_of_the_idle_timeout() {
        let lifetime = lifetime(10, None);
        assert_eq!(lifetime.renewal(&envelope(10), at(120), at(110)), Renewal::NotDue);
        assert_eq!(
            lifetime.renewal(&envelope(10), at(120), at(111).saturating_sub(Duration::from_millis(1))),
            Renewal::NotDue
        );
        assert_eq!(lifetime.renewal(&envelope(10), at(120), at(111)), Renewal::Touch);
    }

    #[test]
    fn no_touch_moves_an_expiry_beyond_the_absolute_end() {
        assert_eq!(lifetime(10, Some(20)).renewal(&envelope(10), at(120), at(119)), Renewal::NotDue);
    }

    #[test]
    fn a_deadline_is_an_end_like_the_absolute_one() {
        let mut envelope = envelope(10);
        envelope.overrides.deadline = Some(at(115));
        for absolute in [None, Some(20)] {
            assert_eq!(lifetime(10, absolute).effective_end(&envelope, at(120)), at(115));
            assert_eq!(lifetime(10, absolute).expires_at(&envelope, at(112)), at(115));
            assert_eq!(lifetime(10, absolute).renewal(&envelope, at(115), at(114)), Renewal::NotDue);
        }
        assert_eq!(lifetime(10, Some(12)).effective_end(&envelope, at(120)), at(112));
    }

    #[test]
    fn a_record_written_under_another_idle_timeout_is_written_again() {
        assert_eq!(lifetime(20, None).renewal(&envelope(10), at(120), at(110)), Renewal::Rewrite);
    }

    proptest! {
        /// A session does not outlive its absolute end, however often it is used and the clock is set.
        #[test]
        fn no_sequence_of_uses_outlives_the_absolute_timeout(times in prop::collection::vec(100..200_u64, 0..50)) {
            let lifetime = lifetime(10, Some(30));
            let mut expiry = lifetime.expires_at(&envelope(10), at(100));
            for hour in times {
                if lifetime.renewal(&envelope(10), expiry, at(hour)) == Renewal::Touch {
                    let later = lifetime.expires_at(&envelope(10), at(hour));
                    prop_assert!(later > expiry, "a touch never shortens");
                    expiry = later;
                }
                prop_assert!(lifetime.effective_end(&envelope(10), expiry) <= at(130));
            }
        }
    }
}
