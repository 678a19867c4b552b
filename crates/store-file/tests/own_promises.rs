//! Promises of the file store beyond those that the test kit asks of any store, with both durabilities.
//!
//! Each name begins with the letter of the clause of the contract that it belongs to.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may, as tests do")]

mod common;

use std::fs::{self, File, FileTimes};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use common::{LATER, NOW, Sessions, at, id, record, tagged};
use nexios_store_core::{CreateOutcome, DeleteOutcome, Record, RenameOutcome, SessionStore, Stored, UpdateOutcome};
use nexios_store_file::{Durability, FileStore};
use tokio::sync::Barrier;

macro_rules! with_both_durabilities {
    ($($clause:ident,)*) => {
        mod fast {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $clause() {
                super::$clause(super::Sessions::new(super::Durability::Fast)).await;
            })*
        }
        mod synced {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $clause() {
                super::$clause(super::Sessions::new(super::Durability::Synced)).await;
            })*
        }
    };
}

with_both_durabilities! {
    a_what_was_written_is_read_back,
    a_growth_and_shrinking_keep_the_data,
    a_load_does_not_write_the_time_of_access,
    a_readers_never_see_less_than_what_was_answered,
    b_the_id_of_an_expired_record_is_free,
    d_two_stores_on_one_directory_end_at_the_exact_sum,
    h_a_dropped_future_leaves_the_old_record_or_the_new,
    i_rename_to_itself_is_refused,
    i_renames_in_opposite_directions_do_not_wait_for_each_other,
}

async fn a_what_was_written_is_read_back(sessions: Sessions) {
    for (number, len) in [0, 1, 1951, 1952, 1953, 8096, 8097, 300_000].into_iter().enumerate() {
        let id = id(u8::try_from(number).unwrap());
        let payload: Vec<u8> = (0..len).map(|n| u8::try_from(n % 251).unwrap()).collect();
        let record = tagged(&payload, 7);
        let revision = sessions.created(&id, &record).await;
        assert_eq!(sessions.load(&id, NOW).await.unwrap(), Some(Stored { record, revision }), "{len}");
        assert_eq!(sessions.open_again().load(&id, NOW).await.unwrap().unwrap().record.payload, payload, "{len}");
    }
}

async fn a_growth_and_shrinking_keep_the_data(sessions: Sessions) {
    let mut revision = sessions.created(&id(1), &record("first")).await;
    for len in [10, 2000, 10, 100_000, 10, 50_000, 0, 200_000, 3] {
        let next = tagged(vec![u8::try_from(len % 251).unwrap(); len], 9);
        let updated = sessions.update(&id(1), revision, &next, NOW).await.unwrap();
        let UpdateOutcome::Updated(new) = updated else { panic!("{updated:?}") };
        assert_eq!(sessions.load(&id(1), NOW).await.unwrap(), Some(Stored { record: next, revision: new }));
        revision = new;
    }
    let files = fs::read_dir(sessions.path(&id(1)).parent().unwrap()).unwrap().count();
    assert_eq!(files, 1, "no temporary file is left");
}

async fn a_load_does_not_write_the_time_of_access(sessions: Sessions) {
    sessions.created(&id(1), &record("read again and again")).await;
    let path = sessions.path(&id(1));
    // This time is before the last write, so a read would replace it even on a file system mounted with `relatime`.
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    File::open(&path).unwrap().set_times(FileTimes::new().set_accessed(long_ago)).unwrap();
    assert!(sessions.load(&id(1), NOW).await.unwrap().is_some());
    assert_eq!(fs::metadata(&path).unwrap().accessed().unwrap(), long_ago);
}

async fn a_readers_never_see_less_than_what_was_answered(sessions: Sessions) {
    let payload = |value: u64| record(value.to_le_bytes().repeat(if value % 200 < 100 { 20 } else { 2500 }));
    let mut revision = sessions.created(&id(1), &payload(0)).await;
    let answered = Arc::new(AtomicU64::new(0));
    let reading = at_once(3, |_| {
        let (store, answered) = (sessions.store.clone(), Arc::clone(&answered));
        async move {
            let mut looks = 0;
            while looks < 10 || answered.load(Ordering::SeqCst) < 400 {
                let least = answered.load(Ordering::SeqCst);
                let stored = store.load(&id(1), NOW).await.unwrap().unwrap();
                let value = u64::from_le_bytes(stored.record.payload[..8].try_into().unwrap());
                assert!(value >= least && stored.record == payload(value), "{value} after {least}");
                looks += 1;
            }
            looks
        }
    });
    let writing = async {
        for value in 1..=400 {
            let updated = sessions.update(&id(1), revision, &payload(value), NOW).await.unwrap();
            let UpdateOutcome::Updated(next) = updated else { panic!("{updated:?}") };
            revision = next;
            answered.store(value, Ordering::SeqCst);
        }
    };
    let (looks, ()) = tokio::join!(reading, writing);
    assert_eq!(looks.len(), 3);
}

async fn b_the_id_of_an_expired_record_is_free(sessions: Sessions) {
    for (number, payload) in [(1, "short".into()), (2, "long".repeat(5000))] {
        let old = sessions.created(&id(number), &record("old")).await;
        let next = Record { expires_at: at(9_000_000), ..record(&payload) };
        let created = sessions.create(&id(number), &next, LATER).await.unwrap();
        let CreateOutcome::Created(revision) = created else { panic!("{created:?}") };
        assert!(revision > old);
        let stored = Stored { record: next.clone(), revision };
        assert_eq!(sessions.load(&id(number), LATER).await.unwrap(), Some(stored));

        let source = sessions.created(&id(number + 100), &Record { expires_at: at(99_000_000), ..record("x") }).await;
        let again = at(9_000_000);
        let renamed = sessions.rename(&id(number + 100), source, &id(number), &record("moved"), again).await.unwrap();
        assert!(matches!(renamed, RenameOutcome::Renamed(new) if new > revision));
    }
}

async fn d_two_stores_on_one_directory_end_at_the_exact_sum(sessions: Sessions) {
    sessions.created(&id(1), &record(0_u64.to_le_bytes())).await;
    let other = sessions.open_again();
    at_once(16, |n| increment(if n % 2 == 0 { sessions.store.clone() } else { other.clone() }, 20)).await;
    assert_eq!(counter(&sessions.store).await.1, 16 * 20);
    assert_eq!(counter(&other).await.1, 16 * 20);
}

async fn h_a_dropped_future_leaves_the_old_record_or_the_new(sessions: Sessions) {
    for round in 0..100 {
        let id = id(round);
        let revision = sessions.created(&id, &record("old")).await;
        let new = record(vec![1; 3000]);
        tokio::select! {
            biased;
            updated = sessions.update(&id, revision, &new, NOW) => assert!(updated.is_ok()),
            () = std::future::ready(()) => {}
        }
        let stored = sessions.load(&id, NOW).await.unwrap().unwrap();
        assert!(stored.record == record("old") || stored.record == new);
        // A later writer comes after the update that nobody waits for.
        assert_eq!(sessions.delete(&id).await.unwrap(), DeleteOutcome::Deleted);
        assert_eq!(sessions.load(&id, NOW).await.unwrap(), None);
    }
}

async fn i_rename_to_itself_is_refused(sessions: Sessions) {
    let revision = sessions.created(&id(1), &record("one")).await;
    assert_eq!(sessions.rename(&id(1), revision, &id(1), &record("x"), NOW).await.unwrap(), RenameOutcome::IdTaken);
    assert_eq!(sessions.load(&id(1), NOW).await.unwrap().unwrap().record, record("one"));
}

async fn i_renames_in_opposite_directions_do_not_wait_for_each_other(sessions: Sessions) {
    // Sessions 1 and 2 have the same stripes as 65 and 66.
    let pairs = [(id(1), id(2)), (id(66), id(65))];
    let revisions = [sessions.created(&id(1), &record("a")).await, sessions.created(&id(66), &record("a")).await];
    at_once(2, |n| {
        let (store, (home, away)) = (sessions.store.clone(), pairs[usize::from(n)]);
        let mut revision = revisions[usize::from(n)];
        async move {
            for (from, to) in [(home, away), (away, home)].into_iter().cycle().take(60) {
                let renamed = store.rename(&from, revision, &to, &record("a"), NOW).await.unwrap();
                let RenameOutcome::Renamed(next) = renamed else { panic!("{renamed:?}") };
                revision = next;
            }
        }
    })
    .await;
}

/// Runs this number of tasks, which begin together.
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

/// Adds one to the counter in session 1, as many times as told.
async fn increment(store: FileStore, times: usize) {
    for _ in 0..times {
        loop {
            let (revision, value) = counter(&store).await;
            let next = record((value + 1).to_le_bytes());
            match store.update(&id(1), revision, &next, NOW).await.unwrap() {
                UpdateOutcome::Updated(_) => break,
                UpdateOutcome::Conflict => {}
                UpdateOutcome::Missing => panic!("the counter is gone"),
            }
        }
    }
}

async fn counter(store: &FileStore) -> (nexios_store_core::Revision, u64) {
    let stored = store.load(&id(1), NOW).await.unwrap().unwrap();
    (stored.revision, u64::from_le_bytes(stored.record.payload[..].try_into().unwrap()))
}
