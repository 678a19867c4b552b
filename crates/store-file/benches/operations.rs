//! The cost of the store's operations, alone and in parallel, and of a sweep that finds nothing.
//!
//! ```console
//! $ cargo bench -p nexios-store-file
//! ```
//!
//! It works in the directory for temporary files. If that is in memory, set `TMPDIR` to a directory on a disk.

#![allow(clippy::unwrap_used, reason = "a measurement stops when anything fails")]

// It needs only the contract of a store, so each store uses the same module.
#[path = "../../store-memory/benches/parallel/mod.rs"]
mod parallel;

use std::num::NonZeroUsize;
use std::sync::Arc;

use criterion::{Criterion, Throughput};
use nexios_store_core::{DeleteExpired as _, SessionId, Timestamp};
use nexios_store_file::{Durability, FileStore};
use tokio::runtime::Runtime;

const SESSIONS: u64 = 1000;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let store = |name: &str| FileStore::builder(dir.path().join(name));
    let of = [
        ("files", store("files")),
        ("files, reads inline", store("inline").inline_reads(true)),
        ("files, synced", store("synced").durability(Durability::Synced)),
    ];
    for (name, store) in of {
        parallel::operations(&mut criterion, &runtime, name, &Arc::new(store.open().unwrap()));
    }

    let store = store("sweep").open().unwrap();
    runtime.block_on(fill(&store));
    let mut group = criterion.benchmark_group("files");
    group.throughput(Throughput::Elements(SESSIONS)).sample_size(20);
    group.bench_function("sweep of 1,000, none of which has expired", |bencher| {
        bencher.iter(|| runtime.block_on(sweep(&store)));
    });
    group.finish();
    criterion.final_summary();
}

async fn fill(store: &FileStore) {
    for _ in 0..SESSIONS {
        parallel::create(store, &SessionId::generate().unwrap(), Timestamp::MAX).await;
    }
}

async fn sweep(store: &FileStore) {
    let step = NonZeroUsize::new(500).unwrap();
    loop {
        let swept = store.delete_expired(parallel::NOW, step).await.unwrap();
        assert_eq!(swept.removed, 0);
        if !swept.more {
            break;
        }
    }
}
