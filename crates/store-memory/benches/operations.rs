//! The cost of the store's operations, alone and in parallel, and of a sweep.
//!
//! ```console
//! $ cargo bench -p nexios-store-memory
//! ```

#![allow(clippy::unwrap_used, reason = "a measurement stops when anything fails")]

mod parallel;

use std::num::NonZeroUsize;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput};
use nexios_store_core::{DeleteExpired as _, SessionId, Timestamp};
use nexios_store_memory::MemoryStore;
use tokio::runtime::Runtime;

const EXPIRY: Timestamp = Timestamp::from_unix_millis(2_000_000);
const LATER: Timestamp = Timestamp::from_unix_millis(3_000_000);
const SESSIONS: u64 = 10_000;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = Runtime::new().unwrap();
    parallel::operations(&mut criterion, &runtime, "memory", &Arc::new(MemoryStore::new()));

    let mut group = criterion.benchmark_group("memory");
    group.throughput(Throughput::Elements(SESSIONS)).sample_size(10);
    group.bench_function("sweep of 10,000, half of which have expired", |bencher| {
        bencher.iter_batched_ref(
            || runtime.block_on(filled()),
            |store| runtime.block_on(sweep(store)),
            BatchSize::PerIteration,
        );
    });
    group.finish();
    criterion.final_summary();
}

async fn filled() -> MemoryStore {
    let store = MemoryStore::new();
    for number in 0..SESSIONS {
        let expires_at = if number % 2 == 0 { EXPIRY } else { Timestamp::MAX };
        parallel::create(&store, &SessionId::generate().unwrap(), expires_at).await;
    }
    store
}

async fn sweep(store: &MemoryStore) {
    let (mut removed, step) = (0, NonZeroUsize::new(500).unwrap());
    loop {
        let swept = store.delete_expired(LATER, step).await.unwrap();
        removed += swept.removed;
        if !swept.more {
            break;
        }
    }
    assert_eq!(removed as u64, SESSIONS / 2);
}
