use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use nexios_store_core::Swept;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::error::SessionError;
use crate::events::{Event, Occurrence};
use crate::manager::SessionManager;
use crate::services::Services;

impl SessionManager {
    /// Starts to remove expired sessions from the store in the background, every
    /// [`cleanup_interval`](crate::SessionSettings::cleanup_interval), until the sweeper is dropped.
    ///
    /// The first sweep comes within one interval. Each later one comes up to a quarter of the interval early or late,
    /// so that processes that were started together do not sweep together. If a sweep fails, that is an event, and the
    /// next one comes all the same. Nothing happens if the interval is `None`, or if the store expires sessions by
    /// itself.
    ///
    /// # Panics
    ///
    /// Panics outside of a Tokio runtime.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::SessionManager;
    /// # use nexios_signer::{Key, KeyRing};
    /// # use nexios_store_memory::MemoryStore;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let manager = SessionManager::builder(MemoryStore::new()).keys(KeyRing::new(Key::generate()?)).build()?;
    /// let sweeper = manager.spawn_sweeper();
    /// // Serve, until it is time to go.
    /// sweeper.stop().await;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "the sweeper stops when dropped"]
    pub fn spawn_sweeper(&self) -> Sweeper {
        let (stop, stopped) = watch::channel(());
        let (counts, reports) = watch::channel(SweepCounts::default());
        let task = tokio::spawn(run(Arc::clone(&self.0), stopped, counts));
        Sweeper { stop, reports, task }
    }

    /// Removes the sessions that have expired by now, in bounded steps, and returns how many there were.
    ///
    /// Use it in programs with a schedule of their own, and in tests.
    ///
    /// # Errors
    ///
    /// Fails if the store fails, or does not answer in time. Sessions that were removed by then stay removed.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{ManualClock, SessionManager};
    /// # use nexios_signer::{Key, KeyRing};
    /// # use nexios_store_memory::MemoryStore;
    /// # use std::sync::Arc;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let clock = Arc::new(ManualClock::default());
    /// # let keys = KeyRing::new(Key::generate()?);
    /// # let manager = SessionManager::builder(MemoryStore::new()).keys(keys).clock(Arc::clone(&clock)).build()?;
    /// let session = manager.request([b""]).session().await?;
    /// session.insert("seen", &true)?;
    /// session.save().await?;
    /// assert_eq!(manager.sweep().await?, 0);
    ///
    /// clock.advance(manager.settings().idle_timeout);
    /// assert_eq!(manager.sweep().await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn sweep(&self) -> Result<usize, SessionError> {
        let mut removed = 0;
        while let Some(step) = sweep_step(&self.0).await? {
            removed += step.removed;
            if !step.more {
                break;
            }
        }
        Ok(removed)
    }
}

/// Does one step of a sweep; `None` if the store expires sessions by itself.
async fn sweep_step(services: &Services) -> Result<Option<Swept>, SessionError> {
    let Some(expiry) = services.store.expiry() else { return Ok(None) };
    // The last step may have been synchronous, and a sweep has many: other tasks get a chance in between.
    tokio::task::yield_now().await;
    let swept = services.in_time(expiry.delete_expired(services.now(), STEP)).await;
    swept.map(Some).map_err(|no_answer| {
        let error = no_answer.into();
        services.note_failure(&error, None, None);
        error
    })
}

/// A task that removes expired sessions, started by [`SessionManager::spawn_sweeper`]. It stops when this is dropped.
///
/// # Examples
///
/// ```
/// # use nexios_middleware_core::SessionManager;
/// # use nexios_signer::{Key, KeyRing};
/// # use nexios_store_memory::MemoryStore;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let manager = SessionManager::builder(MemoryStore::new()).keys(KeyRing::new(Key::generate()?)).build()?;
/// let sweeper = manager.spawn_sweeper();
/// assert_eq!(sweeper.counts().failed, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Sweeper {
    stop: watch::Sender<()>,
    reports: watch::Receiver<SweepCounts>,
    task: JoinHandle<()>,
}

/// Counts of what a [`Sweeper`] has done so far.
///
/// # Examples
///
/// ```
/// use nexios_middleware_core::{SweepCounts, Sweeper};
///
/// fn report(sweeper: &Sweeper) -> String {
///     let SweepCounts { completed, failed, removed, .. } = sweeper.counts();
///     format!("{removed} sessions removed in {completed} sweeps; {failed} sweeps failed")
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SweepCounts {
    /// The number of sweeps that were completed.
    pub completed: u64,
    /// The number of sweeps that failed.
    pub failed: u64,
    /// The number of sessions removed.
    pub removed: u64,
}

impl Sweeper {
    /// Returns the counts so far.
    pub fn counts(&self) -> SweepCounts {
        *self.reports.borrow()
    }

    /// Stops the sweeper. A step that has begun is completed first.
    pub async fn stop(self) {
        drop(self.stop);
        // The task does not panic and is not aborted; if it were, it would have stopped all the same.
        let _ = self.task.await;
    }
}

async fn run(services: Arc<Services>, mut stopped: watch::Receiver<()>, counts: watch::Sender<SweepCounts>) {
    let Some(interval) = services.settings.cleanup_interval else { return };
    if services.store.expiry().is_none() {
        return;
    }
    let mut pause = interval.mul_f64(fastrand::f64());
    loop {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            // The other end is gone: the sweeper was stopped or dropped.
            _ = stopped.changed() => return,
        }
        let (mut more, mut pass) = (true, 0);
        while more {
            if stopped.has_changed().is_err() {
                return;
            }
            more = match sweep_step(&services).await {
                Ok(step) => {
                    let Swept { removed, more } = step.unwrap_or_default();
                    pass += removed;
                    counts.send_modify(|counts| {
                        counts.removed += removed as u64;
                        counts.completed += u64::from(!more);
                    });
                    if !more {
                        services.events.note(Event::Swept, || Occurrence {
                            count: Some(pass),
                            ..Occurrence::of(Event::Swept, services.now())
                        });
                    }
                    more
                }
                Err(error) => {
                    services.note_error(Event::SweepFailed, None, None, &error);
                    counts.send_modify(|counts| counts.failed += 1);
                    false
                }
            };
        }
        pause = jittered(interval);
    }
}

/// Returns the interval, up to a quarter shorter or longer.
fn jittered(interval: Duration) -> Duration {
    interval.mul_f64(0.75 + fastrand::f64() / 2.0)
}

/// The largest number of sessions that one step removes.
const STEP: NonZeroUsize = match NonZeroUsize::new(500) {
    Some(step) => step,
    None => NonZeroUsize::MIN,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_is_at_most_a_quarter() {
        let interval = Duration::from_secs(100);
        for _ in 0..1000 {
            let pause = jittered(interval).as_secs_f64();
            assert!((75.0..=125.0).contains(&pause), "{pause}");
        }
    }
}
