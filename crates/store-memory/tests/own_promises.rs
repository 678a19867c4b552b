//! The promises that the memory store adds to the contract: it is bounded, and its locks never deadlock.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may, as tests do")]

use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use nexios_store_core::{
    CreateOutcome, DeleteOutcome, PrincipalTag, Record, RenameOutcome, Revision, SessionId, SessionStore,
    StoreErrorKind, Timestamp,
};
use nexios_store_memory::MemoryStore;
use tokio::sync::Barrier;

const NOW: Timestamp = at(1_000);
const LATER: Timestamp = at(2_000);

const fn at(millis: u64) -> Timestamp {
    Timestamp::from_unix_millis(millis)
}

/// Makes an id that lies in the shard `number` modulo 64.
const fn id(number: u8) -> SessionId {
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

#[tokio::test]
async fn a_full_store_replaces_only_expired_records_and_never_grows() {
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
    assert!(matches!(store.create(&id(4), &lives, LATER).await, Ok(CreateOutcome::Created(_))));
    assert_eq!(format!("{store:?}"), "MemoryStore { records: 2, capacity: 2, .. }");
}

#[tokio::test]
async fn creating_over_an_expired_record_takes_no_further_room() {
    let store = MemoryStore::with_capacity_limit(NonZeroUsize::new(2).unwrap());
    created(&store, &id(1), &record("expires")).await;
    let lives = Record { expires_at: at(9_000), ..record("lives") };
    assert!(matches!(store.create(&id(1), &lives, LATER).await, Ok(CreateOutcome::Created(_))));
    assert_eq!(format!("{store:?}"), "MemoryStore { records: 1, capacity: 2, .. }");
}

#[tokio::test]
async fn a_replaced_expired_record_leaves_the_index_too() {
    let store = MemoryStore::with_capacity_limit(NonZeroUsize::new(2).unwrap());
    let tag = PrincipalTag::from_bytes([7; 32]);
    let (expires, lives) = (Record { principal: Some(tag), ..record("expires") }, record("lives"));
    let lives = Record { expires_at: at(9_000), ..lives };
    // Listed at a time when the old records were live: an index that only hid them as expired would show them.
    let listed = async || store.principals().unwrap().sessions_of(&tag, NOW).await.unwrap();

    created(&store, &id(1), &expires).await;
    created(&store, &id(1 + 64), &expires).await;
    assert!(matches!(store.create(&id(1 + 128), &lives, LATER).await, Ok(CreateOutcome::Created(_))));
    assert_eq!(listed().await, [], "made room for another id");

    created(&store, &id(2), &expires).await;
    let CreateOutcome::Created(revision) = store.create(&id(2), &lives, LATER).await.unwrap() else { panic!() };
    assert_eq!(listed().await, [], "created anew");

    assert_eq!(store.delete(&id(1 + 128)).await.unwrap(), DeleteOutcome::Deleted);
    created(&store, &id(3), &expires).await;
    assert!(matches!(store.rename(&id(2), revision, &id(3), &lives, LATER).await, Ok(RenameOutcome::Renamed(_))));
    assert_eq!(listed().await, [], "renamed to");

    created(&store, &id(4), &expires).await;
    let swept = store.expiry().unwrap().delete_expired(LATER, NonZeroUsize::MAX).await.unwrap();
    assert_eq!((swept.removed, listed().await), (1, vec![]), "swept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn renames_in_opposite_directions_do_not_deadlock() {
    let store = Arc::new(MemoryStore::new());
    let barrier = Arc::new(Barrier::new(8));
    let running: Vec<_> = (0..8)
        .map(|n: u8| {
            let (store, barrier) = (Arc::clone(&store), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                // Each even task moves between the same two shards as the odd task after it, in the other direction.
                // All sessions have one of two principals.
                let (one, two) =
                    if n.is_multiple_of(2) { (id(n), id(100 + n)) } else { (id(100 + n - 1 + 64), id(n - 1 + 64)) };
                let record = Record { principal: Some(PrincipalTag::from_bytes([n % 2; 32])), ..record([n]) };
                let mut place = (one, two, created(&store, &one, &record).await);
                for _ in 0..2_000 {
                    let (from, to, revision) = place;
                    let renamed = store.rename(&from, revision, &to, &record, NOW).await.unwrap();
                    let RenameOutcome::Renamed(next) = renamed else { panic!("{renamed:?}") };
                    place = (to, from, next);
                }
                assert_eq!(store.load(&place.0, NOW).await.unwrap().unwrap().record, record);
            })
        })
        .collect();
    for task in running {
        task.await.unwrap();
    }
}

#[test]
fn a_call_needs_no_runtime_and_never_waits() {
    let store = MemoryStore::new();
    let new = record("a");
    let create = pin!(store.create(&const { id(1) }, &new, NOW));
    assert!(create.poll(&mut Context::from_waker(Waker::noop())).is_ready());
}
