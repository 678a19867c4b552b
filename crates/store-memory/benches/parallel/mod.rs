//! The operations of any store, alone and in parallel. The benchmarks of other stores compile this file too.

use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput};
use nexios_store_core::{CreateOutcome, DeleteOutcome, Record, SessionId, SessionStore, Timestamp, UpdateOutcome};
use tokio::runtime::Runtime;

pub(crate) const NOW: Timestamp = Timestamp::from_unix_millis(1_000_000);
/// Enough operations that starting the tasks is a small part of the cost.
const OPERATIONS_OF_A_TASK: usize = 20;

/// Measures 1, 8 and 64 tasks, each with a session of its own. The throughput is that of all tasks together.
pub(crate) fn operations<S: SessionStore>(criterion: &mut Criterion, runtime: &Runtime, name: &str, store: &Arc<S>) {
    for tasks in [1, 8, 64] {
        let ids: Vec<SessionId> = (0..tasks).map(|_| SessionId::generate().unwrap()).collect();
        for id in &ids {
            runtime.block_on(create(&**store, id, Timestamp::MAX));
        }
        let mut group = criterion.benchmark_group(name);
        group.sample_size(20).throughput(Throughput::Elements((tasks * OPERATIONS_OF_A_TASK) as u64));
        group.bench_function(BenchmarkId::new("load", tasks), |bencher| {
            bencher.iter(|| in_parallel(runtime, store, &ids, load));
        });
        group.bench_function(BenchmarkId::new("load and update", tasks), |bencher| {
            bencher.iter(|| in_parallel(runtime, store, &ids, load_and_update));
        });
        group.bench_function(BenchmarkId::new("create and delete", tasks), |bencher| {
            bencher.iter(|| in_parallel(runtime, store, &ids, create_and_delete));
        });
    }
}

/// Creates a session with a payload of 300 bytes.
pub(crate) async fn create(store: &impl SessionStore, id: &SessionId, expires_at: Timestamp) {
    let record = Record { payload: vec![b'x'; 300].into(), expires_at, principal: None };
    let created = store.create(id, &record, NOW).await.unwrap();
    assert!(matches!(created, CreateOutcome::Created(_)));
}

fn in_parallel<S: SessionStore, F: Future<Output = ()> + Send>(
    runtime: &Runtime,
    store: &Arc<S>,
    ids: &[SessionId],
    operation: impl Fn(Arc<S>, SessionId) -> F + Copy + Send + 'static,
) {
    let task = |id: &SessionId| {
        let (store, id) = (Arc::clone(store), *id);
        runtime.spawn(async move {
            for _ in 0..OPERATIONS_OF_A_TASK {
                operation(Arc::clone(&store), id).await;
            }
        })
    };
    let tasks: Vec<_> = ids.iter().map(task).collect();
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
}

async fn load<S: SessionStore>(store: Arc<S>, id: SessionId) {
    assert!(store.load(&id, NOW).await.unwrap().is_some());
}

async fn load_and_update<S: SessionStore>(store: Arc<S>, id: SessionId) {
    let stored = store.load(&id, NOW).await.unwrap().unwrap();
    let updated = store.update(&id, stored.revision, &stored.record, NOW).await.unwrap();
    assert!(matches!(updated, UpdateOutcome::Updated(_)));
}

async fn create_and_delete<S: SessionStore>(store: Arc<S>, _: SessionId) {
    let id = SessionId::generate().unwrap();
    create(&*store, &id, Timestamp::MAX).await;
    assert_eq!(store.delete(&id).await.unwrap(), DeleteOutcome::Deleted);
}
