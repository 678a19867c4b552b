use std::time::Duration;

use crate::table::thousands;

/// The least and the median time of several rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spread {
    pub(crate) least: Duration,
    pub(crate) median: Duration,
}

impl Spread {
    /// Finds both in the nanoseconds of each round. Without a round, both are zero.
    pub(crate) fn of(nanos: &[u64]) -> Self {
        let mut nanos = nanos.to_vec();
        nanos.sort_unstable();
        let at = |index: usize| Duration::from_nanos(nanos.get(index).copied().unwrap_or(0));
        Self { least: at(0), median: at(nanos.len() / 2) }
    }

    /// Formats both in nanoseconds, `860 / 883`.
    pub(crate) fn nanos(&self) -> String {
        self.text(|time| thousands(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// Formats both in microseconds, `4.7 / 12.0`.
    pub(crate) fn micros(&self) -> String {
        self.text(|time| format!("{:.1}", time.as_secs_f64() * 1e6))
    }

    /// Formats both in seconds, `0.09 / 0.12`.
    pub(crate) fn seconds(&self) -> String {
        self.text(|time| format!("{:.2}", time.as_secs_f64()))
    }

    /// Formats the ratios of the two least and of the two median times.
    pub(crate) fn as_part_of(&self, other: &Self) -> String {
        let part = |ours: Duration, theirs: Duration| ours.as_secs_f64() / theirs.as_secs_f64();
        format!("{:.2} / {:.2}", part(self.least, other.least), part(self.median, other.median))
    }

    fn text(&self, text: impl Fn(Duration) -> String) -> String {
        format!("{} / {}", text(self.least), text(self.median))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_compared_by_their_least_and_their_median() {
        let (ours, other) = (Spread::of(&[30, 10, 20]), Spread::of(&[40, 80, 40, 80, 80]));
        assert_eq!((ours.nanos().as_str(), ours.as_part_of(&other).as_str()), ("10 / 20", "0.25 / 0.25"));
    }

    #[test]
    fn times_have_the_unit_that_suits_them() {
        let spread = Spread::of(&[4_700, 2_012_000]);
        assert_eq!((spread.micros().as_str(), spread.nanos().as_str()), ("4.7 / 2012.0", "4,700 / 2,012,000"));
        assert_eq!(Spread::of(&[90_000_000]).seconds(), "0.09 / 0.09");
    }
}
