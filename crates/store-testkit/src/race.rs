use std::future::{Future, poll_fn};
use std::hint::spin_loop;
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::run::WORKERS;

/// Runs this number of tasks, which begin together, and returns their results in order.
pub(crate) async fn at_once<T, F>(tasks: usize, task: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(tasks));
    let start = Arc::new(Start::default());
    // A set, because it ends the other tasks when one has panicked.
    let mut running = JoinSet::new();
    // The last task to reach the barrier runs first, so each task is the last once in a while.
    let shift = RACES.fetch_add(1, Ordering::Relaxed);
    for n in (0..tasks).map(|n| (n + shift) % tasks) {
        let (barrier, start, task) = (Arc::clone(&barrier), Arc::clone(&start), task(n));
        running.spawn(async move {
            barrier.wait().await;
            start.line_up();
            (n, task.await)
        });
    }
    let mut results = Vec::with_capacity(tasks);
    while let Some(joined) = running.join_next().await {
        results.push(joined.unwrap_or_else(|error| resume_unwind(error.into_panic())));
    }
    results.sort_by_key(|(n, _)| *n);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Lets tasks that run on different processors begin something within nanoseconds.
///
/// A barrier wakes them one after the other. For a store in memory that is so slow that the first task has long ended.
#[derive(Default)]
pub(crate) struct Start(AtomicUsize);

impl Start {
    /// Waits for as many other tasks as can run at the same time, but not for long: they may not come.
    pub(crate) fn line_up(&self) {
        let abreast = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(WORKERS);
        let row_is_full = (self.0.fetch_add(1, Ordering::SeqCst) / abreast + 1) * abreast;
        let begun = Instant::now();
        while self.0.load(Ordering::SeqCst) < row_is_full && begun.elapsed() < WAKING {
            spin_loop();
        }
    }
}

/// Polls a future this number of times, each time it asks for it, then drops it. Returns its result if it came that
/// far.
pub(crate) async fn dropped_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut polled = 0;
    poll_fn(|context| {
        polled += 1;
        match future.as_mut().poll(context) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending if polled >= polls => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// The rounds of a race: at least this number, and as many as a store runs in a moment, because one start may not be
/// close enough.
pub(crate) fn rounds(least: usize) -> impl Iterator<Item = usize> {
    let begun = Instant::now();
    (0..MOST_ROUNDS).take_while(move |round| *round < least || begun.elapsed() < MOMENT)
}

/// Returns a number without a pattern, the same each time. The generator is `SplitMix64`.
pub(crate) fn scrambled(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The number of races so far.
static RACES: AtomicUsize = AtomicUsize::new(0);
/// The time that it takes to wake a thread.
const WAKING: Duration = Duration::from_micros(100);
const MOST_ROUNDS: usize = 2_000;
const MOMENT: Duration = Duration::from_millis(100);
