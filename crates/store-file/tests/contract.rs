//! The clauses of the contract, with both durabilities. The letters are those of `SessionStore`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may, as tests do")]

mod common;

use std::collections::HashSet;
use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use common::{LATER, NOW, Sessions, at, id, record, tagged};
use nexios_store_core::{
    CreateOutcome, DeleteOutcome, Record, RenameOutcome, SessionStore, StoreErrorKind, Stored, TouchOutcome,
    UpdateOutcome,
};
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
    a_readers_never_see_less_than_what_was_answered,
    b_an_expired_record_is_absent_to_every_method,
    b_the_id_of_an_expired_record_is_free,
    c_of_concurrent_creates_exactly_one_succeeds,
    d_of_concurrent_updates_and_renames_exactly_one_succeeds,
    d_parallel_increments_end_at_the_exact_sum,
    d_two_stores_on_one_directory_end_at_the_exact_sum,
    e_a_revision_is_never_used_again,
    f_a_deleted_record_stays_deleted,
    f_no_late_write_undoes_a_concurrent_delete,
    g_touch_prolongs_and_never_shortens,
    g_touch_never_loses_a_concurrent_update,
    h_a_dropped_future_leaves_the_old_record_or_the_new,
    i_rename_refuses_a_taken_id,
    i_rename_to_itself_is_refused,
    i_renames_in_opposite_directions_do_not_wait_for_each_other,
    j_a_sweep_removes_the_expired_and_no_more_than_asked,
    l_an_error_from_rename_leaves_the_old_record,
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
    assert_eq!(common::paths_below(&sessions.dir()).len(), 2, "no temporary file is left");
}

async fn a_readers_never_see_less_than_what_was_answered(sessions: Sessions) {
    let payload = |value: u64| record(value.to_le_bytes().repeat(if value % 200 < 100 { 20 } else { 2500 }));
    let mut revision = sessions.created(&id(1), &payload(0)).await;
    let answered = Arc::new(AtomicU64::new(0));
    let reading = at_once(3, |_| {
        let (store, answered) = (sessions.store.clone(), Arc::clone(&answered));
        async move {
            let mut looks = 0;
            while answered.load(Ordering::SeqCst) < 400 {
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
    assert!(looks.iter().sum::<usize>() > 10, "{looks:?}");
}

async fn b_an_expired_record_is_absent_to_every_method(sessions: Sessions) {
    let revision = sessions.created(&id(1), &record("old")).await;
    let (one, two) = (id(1), id(2));
    assert!(sessions.load(&one, at(1_999_999)).await.unwrap().is_some());
    assert_eq!(sessions.load(&one, LATER).await.unwrap(), None);
    let next = Record { expires_at: at(9_000_000), ..record("new") };
    assert_eq!(sessions.update(&one, revision, &next, LATER).await.unwrap(), UpdateOutcome::Missing);
    assert_eq!(sessions.touch(&one, at(9_000_000), LATER).await.unwrap(), TouchOutcome::Missing);
    assert_eq!(sessions.rename(&one, revision, &two, &next, LATER).await.unwrap(), RenameOutcome::Missing);
    assert_eq!(sessions.load(&one, LATER).await.unwrap(), None);
    assert_eq!(sessions.load(&two, LATER).await.unwrap(), None);
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

async fn c_of_concurrent_creates_exactly_one_succeeds(sessions: Sessions) {
    for round in 0..20 {
        let outcomes = at_once(16, |n| {
            let store = sessions.store.clone();
            async move { (n, store.create(&id(round), &record([n]), NOW).await.unwrap()) }
        })
        .await;
        let mut created = outcomes.iter().filter_map(|(n, outcome)| match outcome {
            CreateOutcome::Created(revision) => Some((*n, *revision)),
            CreateOutcome::IdTaken => None,
        });
        let (winner, revision) = created.next().unwrap();
        assert_eq!(created.next(), None);
        assert_eq!(sessions.load(&id(round), NOW).await.unwrap(), Some(Stored { record: record([winner]), revision }));
    }
}

async fn d_of_concurrent_updates_and_renames_exactly_one_succeeds(sessions: Sessions) {
    for round in 0..20 {
        let old = id(round);
        let revision = sessions.created(&old, &record("before")).await;
        let target = |n: u8| id(100 + n);
        let outcomes = at_once(16, |n| {
            let store = sessions.store.clone();
            async move {
                if n % 2 == 0 {
                    let updated = store.update(&old, revision, &record([n]), NOW).await.unwrap();
                    (n, matches!(updated, UpdateOutcome::Updated(_)))
                } else {
                    let renamed = store.rename(&old, revision, &target(n), &record([n]), NOW).await.unwrap();
                    (n, matches!(renamed, RenameOutcome::Renamed(_)))
                }
            }
        })
        .await;
        let winners: Vec<u8> = outcomes.into_iter().filter_map(|(n, won)| won.then_some(n)).collect();
        let [winner] = winners[..] else { panic!("{winners:?}") };
        let place = if winner % 2 == 0 { old } else { target(winner) };
        assert_eq!(sessions.load(&place, NOW).await.unwrap().unwrap().record, record([winner]));
        for gone in (0..16).map(target).chain([old]).filter(|id| *id != place) {
            assert_eq!(sessions.load(&gone, NOW).await.unwrap(), None);
        }
        assert_eq!(sessions.delete(&place).await.unwrap(), DeleteOutcome::Deleted);
    }
}

async fn d_parallel_increments_end_at_the_exact_sum(sessions: Sessions) {
    sessions.created(&id(1), &record(0_u64.to_le_bytes())).await;
    at_once(64, |_| increment(sessions.store.clone(), 5)).await;
    assert_eq!(counter(&sessions.store).await.1, 64 * 5);
}

async fn d_two_stores_on_one_directory_end_at_the_exact_sum(sessions: Sessions) {
    sessions.created(&id(1), &record(0_u64.to_le_bytes())).await;
    let other = sessions.open_again();
    at_once(16, |n| increment(if n % 2 == 0 { sessions.store.clone() } else { other.clone() }, 20)).await;
    assert_eq!(counter(&sessions.store).await.1, 16 * 20);
    assert_eq!(counter(&other).await.1, 16 * 20);
}

async fn e_a_revision_is_never_used_again(sessions: Sessions) {
    let mut seen = HashSet::new();
    for _ in 0..30 {
        let mut revision = sessions.created(&id(1), &record("a")).await;
        assert!(seen.insert(revision));
        for len in [1, 3000] {
            let updated = sessions.update(&id(1), revision, &record(vec![0; len]), NOW).await.unwrap();
            let UpdateOutcome::Updated(next) = updated else { panic!("{updated:?}") };
            assert!(seen.insert(next));
            revision = next;
        }
        assert_eq!(sessions.delete(&id(1)).await.unwrap(), DeleteOutcome::Deleted);
    }
}

async fn f_a_deleted_record_stays_deleted(sessions: Sessions) {
    let revision = sessions.created(&id(1), &record("a")).await;
    assert_eq!(sessions.delete(&id(1)).await.unwrap(), DeleteOutcome::Deleted);
    assert_eq!(sessions.delete(&id(1)).await.unwrap(), DeleteOutcome::Missing);
    assert_eq!(sessions.update(&id(1), revision, &record("b"), NOW).await.unwrap(), UpdateOutcome::Missing);
    assert_eq!(sessions.touch(&id(1), at(9_000_000), NOW).await.unwrap(), TouchOutcome::Missing);
    assert_eq!(sessions.rename(&id(1), revision, &id(2), &record("b"), NOW).await.unwrap(), RenameOutcome::Missing);
    assert_eq!(sessions.load(&id(1), NOW).await.unwrap(), None);
    assert_eq!(sessions.load(&id(2), NOW).await.unwrap(), None);
}

async fn f_no_late_write_undoes_a_concurrent_delete(sessions: Sessions) {
    for round in 0..30 {
        let id = id(round);
        let revision = sessions.created(&id, &record("a")).await;
        at_once(6, |n| {
            let store = sessions.store.clone();
            async move {
                match n {
                    0 => drop(store.delete(&id).await.unwrap()),
                    1 => drop(store.touch(&id, at(9_000_000), NOW).await.unwrap()),
                    2 => drop(store.update(&id, revision, &record(vec![1; 5000]), NOW).await.unwrap()),
                    _ => drop(store.update(&id, revision, &record("late"), NOW).await.unwrap()),
                }
            }
        })
        .await;
        assert_eq!(sessions.load(&id, NOW).await.unwrap(), None);
    }
}

async fn g_touch_prolongs_and_never_shortens(sessions: Sessions) {
    let revision = sessions.created(&id(1), &tagged("a", 5)).await;
    for (asked, expected) in
        [(at(1_500_000), LATER), (LATER, LATER), (at(3_000_000), at(3_000_000)), (NOW, at(3_000_000))]
    {
        assert_eq!(sessions.touch(&id(1), asked, NOW).await.unwrap(), TouchOutcome::Touched);
        let stored = Stored { record: Record { expires_at: expected, ..tagged("a", 5) }, revision };
        assert_eq!(sessions.load(&id(1), NOW).await.unwrap(), Some(stored));
    }
}

async fn g_touch_never_loses_a_concurrent_update(sessions: Sessions) {
    let mut revision = sessions.created(&id(1), &record(0_u64.to_le_bytes())).await;
    for round in 1..=50_u64 {
        let update = {
            let store = sessions.store.clone();
            async move { store.update(&id(1), revision, &record(round.to_le_bytes()), NOW).await.unwrap() }
        };
        let touch = at_once(4, |_| {
            let store = sessions.store.clone();
            async move { store.touch(&id(1), at(2_000_000 + round), NOW).await.unwrap() }
        });
        let (updated, touched) = tokio::join!(tokio::spawn(update), touch);
        let UpdateOutcome::Updated(next) = updated.unwrap() else { panic!("nobody else updates") };
        assert_eq!(touched, [TouchOutcome::Touched; 4]);
        revision = next;
        let stored = sessions.load(&id(1), NOW).await.unwrap().unwrap();
        assert_eq!((stored.revision, &stored.record.payload[..]), (revision, &round.to_le_bytes()[..]));
    }
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
        // A later writer comes after the one that nobody waits for.
        assert_eq!(sessions.delete(&id).await.unwrap(), DeleteOutcome::Deleted);
        assert_eq!(sessions.load(&id, NOW).await.unwrap(), None);
    }
}

async fn i_rename_refuses_a_taken_id(sessions: Sessions) {
    let one = sessions.created(&id(1), &record("one")).await;
    let two = sessions.created(&id(2), &record("two")).await;
    assert_eq!(sessions.rename(&id(1), one, &id(2), &record("x"), NOW).await.unwrap(), RenameOutcome::IdTaken);
    assert_eq!(sessions.rename(&id(1), two, &id(3), &record("x"), NOW).await.unwrap(), RenameOutcome::Conflict);
    for (number, revision, payload) in [(1, one, "one"), (2, two, "two")] {
        let stored = Stored { record: record(payload), revision };
        assert_eq!(sessions.load(&id(number), NOW).await.unwrap(), Some(stored));
    }
    let renamed = sessions.rename(&id(1), one, &id(3), &tagged("three", 3), NOW).await.unwrap();
    let RenameOutcome::Renamed(revision) = renamed else { panic!("{renamed:?}") };
    assert_eq!(sessions.load(&id(1), NOW).await.unwrap(), None);
    assert_eq!(sessions.load(&id(3), NOW).await.unwrap(), Some(Stored { record: tagged("three", 3), revision }));
}

async fn i_rename_to_itself_is_refused(sessions: Sessions) {
    let revision = sessions.created(&id(1), &record("one")).await;
    assert_eq!(sessions.rename(&id(1), revision, &id(1), &record("x"), NOW).await.unwrap(), RenameOutcome::IdTaken);
    assert_eq!(sessions.load(&id(1), NOW).await.unwrap().unwrap().record, record("one"));
}

async fn i_renames_in_opposite_directions_do_not_wait_for_each_other(sessions: Sessions) {
    // The stripes of 1 and 2 are those of 65 and 66.
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

async fn j_a_sweep_removes_the_expired_and_no_more_than_asked(sessions: Sessions) {
    for number in 0..10 {
        sessions.created(&id(number), &record("expires")).await;
        sessions.created(&id(100 + number), &Record { expires_at: at(9_000_000), ..record("lives") }).await;
    }
    sessions.plant(&id(5), &[b'?'; 4096]);
    let expiry = sessions.expiry().unwrap();
    let none = expiry.delete_expired(at(1_999_999), NonZeroUsize::MAX).await.unwrap();
    assert_eq!((none.removed, none.more), (0, false));
    let mut removed = 0;
    loop {
        let swept = expiry.delete_expired(LATER, NonZeroUsize::new(4).unwrap()).await.unwrap();
        assert!(swept.removed <= 4);
        removed += swept.removed;
        if !swept.more {
            break;
        }
    }
    assert_eq!(removed, 9, "all but the bad one");
    for number in 100..110 {
        assert!(sessions.load(&id(number), LATER).await.unwrap().is_some());
    }
}

async fn l_an_error_from_rename_leaves_the_old_record(sessions: Sessions) {
    let revision = sessions.created(&id(1), &record("one")).await;
    std::fs::write(sessions.dir().join("02"), "a file where a directory should be").unwrap();
    let error = sessions.rename(&id(1), revision, &id(2), &record("two"), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Backend);
    assert_eq!(sessions.load(&id(1), NOW).await.unwrap(), Some(Stored { record: record("one"), revision }));
}

/// Runs as many tasks, which begin together.
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

/// Adds one to the counter in session 1, so many times.
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
