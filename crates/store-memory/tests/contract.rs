//! The clauses of the contract. The letters are those of `SessionStore`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may, as tests do")]

use std::collections::HashSet;
use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;

use nexios_store_core::{
    CreateOutcome, DeleteOutcome, PrincipalTag, Record, RenameOutcome, Revision, SessionId, SessionStore,
    StoreErrorKind, Stored, Swept, Timestamp, TouchOutcome, UpdateOutcome,
};
use nexios_store_memory::MemoryStore;
use tokio::sync::Barrier;

const NOW: Timestamp = at(1_000);
const LATER: Timestamp = at(2_000);

const fn at(millis: u64) -> Timestamp {
    Timestamp::from_unix_millis(millis)
}

fn id(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

fn record(payload: impl AsRef<[u8]>) -> Record {
    Record { payload: payload.as_ref().to_vec().into(), expires_at: LATER, principal: None }
}

async fn created(store: &MemoryStore, id: &SessionId, record: &Record) -> Revision {
    match store.create(id, record, NOW).await.unwrap() {
        CreateOutcome::Created(revision) => revision,
        CreateOutcome::IdTaken => panic!("the id is taken"),
    }
}

async fn at_once<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    tasks: u8,
    task: impl Fn(u8) -> F,
) -> Vec<T> {
    let barrier = Arc::new(Barrier::new(usize::from(tasks)));
    let running: Vec<_> = (0..tasks)
        .map(|n| {
            let (barrier, task) = (Arc::clone(&barrier), task(n));
            tokio::spawn(async move {
                barrier.wait().await;
                task.await
            })
        })
        .collect();
    let mut results = Vec::new();
    for task in running {
        results.push(task.await.unwrap());
    }
    results
}

#[tokio::test]
async fn a_what_was_written_is_read_back() {
    let store = MemoryStore::new();
    let record = Record { principal: Some(PrincipalTag::from_bytes([7; 32])), ..record([0, 255, 7]) };
    let revision = created(&store, &id(1), &record).await;
    assert_eq!(store.load(&id(1), NOW).await.unwrap(), Some(Stored { record, revision }));
}

#[tokio::test]
async fn b_an_expired_record_is_absent_to_every_method_and_its_id_is_free() {
    let store = MemoryStore::new();
    let revision = created(&store, &id(1), &record("old")).await;
    let next = Record { expires_at: at(9_000), ..record("new") };
    assert_eq!(store.load(&id(1), LATER).await.unwrap(), None);
    assert_eq!(store.update(&id(1), revision, &next, LATER).await.unwrap(), UpdateOutcome::Missing);
    assert_eq!(store.touch(&id(1), at(9_000), LATER).await.unwrap(), TouchOutcome::Missing);
    assert_eq!(store.rename(&id(1), revision, &id(2), &next, LATER).await.unwrap(), RenameOutcome::Missing);
    let other = Record { expires_at: at(9_000), ..record("other") };
    let source = created(&store, &id(3), &other).await;
    let renamed = store.rename(&id(3), source, &id(1), &next, LATER).await.unwrap();
    assert!(matches!(renamed, RenameOutcome::Renamed(new) if new > revision));
    assert!(matches!(store.create(&id(1), &next, at(9_000)).await, Ok(CreateOutcome::Created(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn c_of_concurrent_creates_exactly_one_succeeds() {
    let store = Arc::new(MemoryStore::new());
    for round in 0..50 {
        let outcomes = at_once(16, |n| {
            let store = Arc::clone(&store);
            async move { store.create(&id(round), &record([n]), NOW).await.unwrap() }
        })
        .await;
        let created = outcomes.iter().filter(|outcome| matches!(outcome, CreateOutcome::Created(_)));
        assert_eq!(created.count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn d_of_concurrent_updates_and_renames_exactly_one_succeeds() {
    let store = Arc::new(MemoryStore::new());
    for round in 0..50 {
        let old = id(round);
        let revision = created(&store, &old, &record("before")).await;
        let outcomes = at_once(16, |n| {
            let store = Arc::clone(&store);
            async move {
                if n % 2 == 0 {
                    let updated = store.update(&old, revision, &record([n]), NOW).await.unwrap();
                    matches!(updated, UpdateOutcome::Updated(_))
                } else {
                    let renamed = store.rename(&old, revision, &id(100 + n), &record([n]), NOW).await.unwrap();
                    matches!(renamed, RenameOutcome::Renamed(_))
                }
            }
        })
        .await;
        assert_eq!(outcomes.iter().filter(|won| **won).count(), 1);
        let mut deleted = 0;
        for id in (100..116).map(id).chain([old]) {
            deleted += usize::from(store.delete(&id).await.unwrap() == DeleteOutcome::Deleted);
        }
        assert_eq!(deleted, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn d_parallel_increments_end_at_the_exact_sum() {
    let store = Arc::new(MemoryStore::new());
    created(&store, &id(1), &record(0_u64.to_le_bytes())).await;
    let value = |stored: &Stored| u64::from_le_bytes(stored.record.payload[..].try_into().unwrap());
    at_once(64, |_| {
        let store = Arc::clone(&store);
        async move {
            let mut done = 0;
            while done < 50 {
                let stored = store.load(&id(1), NOW).await.unwrap().unwrap();
                let next = record((value(&stored) + 1).to_le_bytes());
                let updated = store.update(&id(1), stored.revision, &next, NOW).await.unwrap();
                done += u64::from(matches!(updated, UpdateOutcome::Updated(_)));
            }
        }
    })
    .await;
    assert_eq!(value(&store.load(&id(1), NOW).await.unwrap().unwrap()), 64 * 50);
}

#[tokio::test]
async fn e_a_revision_is_never_used_again() {
    let (store, mut seen) = (MemoryStore::new(), HashSet::new());
    for _ in 0..10 {
        let revision = created(&store, &id(1), &record("a")).await;
        assert!(seen.insert(revision));
        let UpdateOutcome::Updated(next) = store.update(&id(1), revision, &record("b"), NOW).await.unwrap() else {
            panic!("nobody else updates")
        };
        assert!(seen.insert(next));
        assert_eq!(store.delete(&id(1)).await.unwrap(), DeleteOutcome::Deleted);
    }
}

#[tokio::test]
async fn f_a_deleted_record_stays_deleted() {
    let store = MemoryStore::new();
    let revision = created(&store, &id(1), &record("a")).await;
    assert_eq!(store.delete(&id(1)).await.unwrap(), DeleteOutcome::Deleted);
    assert_eq!(store.delete(&id(1)).await.unwrap(), DeleteOutcome::Missing);
    assert_eq!(store.update(&id(1), revision, &record("b"), NOW).await.unwrap(), UpdateOutcome::Missing);
    assert_eq!(store.touch(&id(1), at(9_000), NOW).await.unwrap(), TouchOutcome::Missing);
    assert_eq!(store.rename(&id(1), revision, &id(2), &record("b"), NOW).await.unwrap(), RenameOutcome::Missing);
    assert_eq!(store.load(&id(1), NOW).await.unwrap(), None);
}

#[tokio::test]
async fn g_touch_prolongs_and_never_shortens() {
    let store = MemoryStore::new();
    let revision = created(&store, &id(1), &record("a")).await;
    for (asked, expected) in [(at(1_500), LATER), (at(3_000), at(3_000)), (NOW, at(3_000))] {
        assert_eq!(store.touch(&id(1), asked, NOW).await.unwrap(), TouchOutcome::Touched);
        let stored = Stored { record: Record { expires_at: expected, ..record("a") }, revision };
        assert_eq!(store.load(&id(1), NOW).await.unwrap(), Some(stored));
    }
}

#[test]
fn h_a_call_has_no_await_at_which_it_could_be_dropped() {
    let store = MemoryStore::new();
    let created = record("a");
    let mut create = std::pin::pin!(store.create(&NUMBER_ONE, &created, NOW));
    let polled = create.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
    assert!(polled.is_ready());
}

const NUMBER_ONE: SessionId = SessionId::from_bytes([1; 16]);

#[tokio::test]
async fn i_l_a_rename_that_is_refused_leaves_both_records() {
    let store = MemoryStore::new();
    // In one shard and in two, in both orders.
    for (one, two, free) in [(1, 2, 3), (6, 5, 4), (7, 7 + 64, 7 + 128)].map(|(a, b, c)| (id(a), id(b), id(c))) {
        let revisions = [created(&store, &one, &record("one")).await, created(&store, &two, &record("two")).await];
        let rename = |revision, to| {
            let store = &store;
            async move { store.rename(&one, revision, &to, &record("moved"), NOW).await.unwrap() }
        };
        assert_eq!(rename(revisions[0], two).await, RenameOutcome::IdTaken);
        assert_eq!(rename(revisions[0], one).await, RenameOutcome::IdTaken);
        assert_eq!(rename(revisions[1], free).await, RenameOutcome::Conflict);
        assert_eq!(store.load(&one, NOW).await.unwrap().unwrap().record, record("one"));
        assert_eq!(store.load(&two, NOW).await.unwrap().unwrap().record, record("two"));
        assert!(matches!(rename(revisions[0], free).await, RenameOutcome::Renamed(_)));
        assert_eq!(store.load(&one, NOW).await.unwrap(), None);
        assert_eq!(store.load(&free, NOW).await.unwrap().unwrap().record, record("moved"));
    }
}

#[test]
fn renames_in_opposite_directions_do_not_wait_for_each_other() {
    let (store, barrier) = (MemoryStore::new(), std::sync::Barrier::new(2));
    let there_and_back = |number: u8, home: SessionId, away: SessionId| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut revision = runtime.block_on(created(&store, &home, &record([number])));
        barrier.wait();
        for round in 0..20_000 {
            let (from, to) = if round % 2 == 0 { (home, away) } else { (away, home) };
            let renamed = runtime.block_on(store.rename(&from, revision, &to, &record([number]), NOW)).unwrap();
            let RenameOutcome::Renamed(next) = renamed else { panic!("{renamed:?}") };
            revision = next;
        }
        assert_eq!(runtime.block_on(store.load(&home, NOW)).unwrap().unwrap().record, record([number]));
    };
    std::thread::scope(|threads| {
        threads.spawn(|| there_and_back(1, id(1), id(2)));
        threads.spawn(|| there_and_back(2, id(2 + 64), id(1 + 64)));
    });
}

#[tokio::test]
async fn j_a_sweep_removes_the_expired_and_no_more_than_asked() {
    let store = MemoryStore::new();
    for number in 0..10 {
        created(&store, &id(number), &record("expires")).await;
        created(&store, &id(100 + number), &Record { expires_at: at(9_000), ..record("lives") }).await;
    }
    let expiry = store.expiry().unwrap();
    assert_eq!(expiry.delete_expired(at(1_999), NonZeroUsize::MAX).await.unwrap(), Swept { removed: 0, more: false });
    for (removed, more) in [(4, true), (4, true), (2, false)] {
        assert_eq!(expiry.delete_expired(LATER, NonZeroUsize::new(4).unwrap()).await.unwrap(), Swept { removed, more });
    }
    for number in 100..110 {
        assert!(store.load(&id(number), LATER).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_full_store_makes_room_of_the_expired_only_and_never_grows() {
    let store = MemoryStore::with_capacity_limit(NonZeroUsize::new(2).unwrap());
    let lives = Record { expires_at: at(9_000), ..record("lives") };
    created(&store, &id(1), &record("expires")).await;
    let revision = created(&store, &id(2), &lives).await;
    let error = store.create(&id(1 + 64), &lives, NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Backend);
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "memory store is full");
    assert!(store.load(&id(1), NOW).await.unwrap().is_some());

    assert!(matches!(store.create(&id(1 + 64), &lives, LATER).await, Ok(CreateOutcome::Created(_))));
    assert!(matches!(store.rename(&id(2), revision, &id(3), &lives, LATER).await, Ok(RenameOutcome::Renamed(_))));
    assert!(store.create(&id(4), &lives, LATER).await.is_err(), "a rename takes no room and gives none");
    assert_eq!(store.delete(&id(3)).await.unwrap(), DeleteOutcome::Deleted);
    let revision = created(&store, &id(5), &record("expires")).await;
    assert!(matches!(store.rename(&id(1 + 64), revision, &id(5), &lives, LATER).await, Ok(RenameOutcome::Conflict)));
    let revision = store.load(&id(1 + 64), LATER).await.unwrap().unwrap().revision;
    assert!(matches!(store.rename(&id(1 + 64), revision, &id(5), &lives, LATER).await, Ok(RenameOutcome::Renamed(_))));
    assert!(matches!(store.create(&id(4), &lives, LATER).await, Ok(CreateOutcome::Created(_))), "an expired one went");
    assert_eq!(format!("{store:?}"), "MemoryStore { records: 2, capacity: 2, .. }");
}
