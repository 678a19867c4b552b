use std::sync::atomic::{AtomicU64, Ordering};

use std::time::Duration;

use nexios_store_core::Timestamp;

use crate::events::Event;

/// The time of the last line of each event in the log, and the number of occurrences without one since.
#[derive(Debug, Default)]
pub(super) struct Told([Line; Event::ALL.len()]);

/// The lines of one event.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// In Unix milliseconds; 0 if there was no line yet.
    at: AtomicU64,
    untold: AtomicU64,
}

impl Told {
    /// Returns the number of earlier occurrences that had no line, if a line is due; otherwise `None`.
    ///
    /// The first occurrence has a line at once. Of several at the same time, one has it.
    pub(super) fn is_due(&self, event: Event, now: Timestamp) -> Option<u64> {
        match event.pause() {
            Some(pause) => self.0[event as usize].is_due(pause, now),
            None => Some(0),
        }
    }
}

impl Line {
    pub(super) const fn new() -> Self {
        Self { at: AtomicU64::new(0), untold: AtomicU64::new(0) }
    }

    pub(super) fn is_due(&self, pause: Duration, now: Timestamp) -> Option<u64> {
        let told = self.at.load(Ordering::Relaxed);
        let since = now.saturating_duration_since(Timestamp::from_unix_millis(told));
        // A clock that was set back must not silence an event until it has caught up.
        let is_due = told == 0 || since >= pause || now.as_unix_millis() < told;
        let tells =
            || self.at.compare_exchange(told, now.as_unix_millis(), Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if is_due && tells() {
            Some(self.untold.swap(0, Ordering::Relaxed))
        } else {
            self.untold.fetch_add(1, Ordering::Relaxed);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix_millis(1_780_000_000_000 + seconds * 1000)
    }

    #[test]
    fn the_first_occurrence_has_a_line_and_the_next_are_counted() {
        let told = Told::default();
        assert_eq!(told.is_due(Event::StoreFailed, at(0)), Some(0));
        assert_eq!(told.is_due(Event::StoreFailed, at(0)), None);
        assert_eq!(told.is_due(Event::StoreFailed, at(9)), None);
        assert_eq!(told.is_due(Event::CookieRefused, at(9)), Some(0), "each event has lines of its own");
        assert_eq!(told.is_due(Event::StoreFailed, at(10)), Some(2));
        assert_eq!(told.is_due(Event::StoreFailed, at(20)), Some(0));
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_silence_an_event() {
        let told = Told::default();
        assert_eq!(told.is_due(Event::StoreFailed, at(3600)), Some(0));
        assert_eq!(told.is_due(Event::StoreFailed, at(0)), Some(0));
        assert_eq!(told.is_due(Event::StoreFailed, at(1)), None);
    }

    #[test]
    fn of_many_at_once_one_has_a_line_and_the_others_are_counted() {
        let (told, start) = (Told::default(), Barrier::new(8));
        let lines: Vec<u64> = thread::scope(|scope| {
            let thread = |_| {
                scope.spawn(|| {
                    start.wait();
                    (0..1000).filter_map(|_| told.is_due(Event::StoreFailed, at(0))).collect::<Vec<_>>()
                })
            };
            let threads = Vec::from_iter((0..8).map(thread));
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0] + told.is_due(Event::StoreFailed, at(10)).unwrap(), 7999);
    }

    #[test]
    fn an_event_without_a_pause_has_a_line_each_time() {
        let told = Told::default();
        for _ in 0..3 {
            assert_eq!(told.is_due(Event::SessionsRevoked, at(0)), Some(0));
        }
    }
}
