//! The system calls of each operation fail in turn, or are the last before a kill.

use std::num::NonZeroUsize;
use std::time::{Duration, SystemTime};

use nexios_store_core::{CreateOutcome, DeleteOutcome, RenameOutcome, Timestamp, TouchOutcome, UpdateOutcome};
use rustix::io::Errno;

use super::scenario::{ADA, of, start};
use super::world::{HUGE, LARGE, NEW, NOW, OLD, SMALL, World, name, record, world};
use super::{Plan, during};
use crate::Durability;
use crate::error::Failure;
use crate::sweep::Sweeper;
use crate::sys::{self, SYNC_DIRECTORY};

/// Runs a scenario with each of its system calls failing in turn.
fn fail_each_call(plan: impl Fn(usize) -> Plan, mut scenario: impl FnMut(Plan) -> usize) {
    let calls = (0..1000).take_while(|call| scenario(plan(*call)) > 0).count();
    assert!((3..1000).contains(&calls), "{calls} calls");
}

const DURABILITIES: [Durability; 2] = [Durability::Fast, Durability::Synced];
const ERRORS: [Errno; 4] = [Errno::IO, Errno::NOSPC, Errno::MFILE, Errno::ACCESS];

#[test]
fn a_load_that_fails_is_never_an_absent_session() {
    for payload in [SMALL, HUGE] {
        let world = world(Durability::Fast, payload);
        fail_each_call(Plan::From, |plan| {
            let (loaded, hits) = during(plan, || world.records.load(&OLD, NOW));
            assert_eq!(loaded.is_err(), hits > 0);
            hits
        });
    }
}

#[test]
fn a_create_that_fails_leaves_nothing() {
    for (durability, errno) in DURABILITIES.into_iter().flat_map(|durability| ERRORS.map(|errno| (durability, errno))) {
        for payload in [SMALL, HUGE] {
            fail_each_call(
                |call| Plan::Call(call, errno),
                |plan| {
                    let world = world(durability, SMALL);
                    let (created, hits) = during(plan, || world.records.create(&NEW, &record(payload), NOW));
                    assert_eq!(created.is_err(), hits > 0, "{plan:?}");
                    if hits > 0 {
                        assert_eq!(world.names(), [name(&OLD)], "{plan:?}");
                        let again = world.records.create(&NEW, &record(payload), NOW).unwrap();
                        assert!(matches!(again, CreateOutcome::Created(_)));
                    }
                    assert_eq!(world.load(&NEW).unwrap().record, record(payload));
                    hits
                },
            );
        }
    }
}

#[test]
fn a_failed_or_killed_update_leaves_the_old_or_the_new_version() {
    let cases = [(SMALL, b"next" as &[u8]), (SMALL, LARGE), (SMALL, HUGE), (HUGE, SMALL), (HUGE, b"h")];
    for (durability, (before, after)) in
        DURABILITIES.into_iter().flat_map(|durability| cases.map(|case| (durability, case)))
    {
        for plan in [Plan::From, |call| Plan::Call(call, Errno::NOSPC)] {
            fail_each_call(plan, |plan| {
                let world = world(durability, before);
                let update = || world.records.update(&OLD, world.revision(), &record(after), NOW);
                let (updated, hits) = during(plan, update);
                assert_eq!(updated.is_err(), hits > 0, "{plan:?}");
                let loaded = world.load(&OLD).unwrap();
                let is_new = loaded.record == record(after) && loaded.revision > world.revision();
                assert!(is_new || hits > 0 && loaded == world.stored, "{plan:?}");
                if matches!(plan, Plan::Call(..)) {
                    assert_eq!(world.names(), [name(&OLD)], "{plan:?}");
                }
                let again = world.records.update(&OLD, loaded.revision, &record(SMALL), NOW).unwrap();
                assert!(matches!(again, UpdateOutcome::Updated(_)));
                hits
            });
        }
    }
}

#[test]
fn an_update_torn_at_any_byte_leaves_the_old_version() {
    let full = 96 + SMALL.len();
    for len in 0..full {
        let world = world(Durability::Fast, SMALL);
        let update = || world.records.update(&OLD, world.revision(), &record(b"later"), NOW);
        let (updated, hits) = during(Plan::TornWrite(len), update);
        assert!(updated.is_err() && hits > 0, "{len}");
        assert_eq!(world.load(&OLD).as_ref(), Some(&world.stored), "{len}");
        let updated = world.records.update(&OLD, world.revision(), &record(b"next"), NOW).unwrap();
        let UpdateOutcome::Updated(revision) = updated else { panic!("{updated:?}") };
        // A write that was torn after the revision in its header may have been seen. Its number is not used again.
        let torn = world.revision().as_u64() + 1;
        assert!(revision.as_u64() > torn || len < 40, "{len}");
    }
}

#[test]
fn a_failed_or_killed_touch_leaves_the_old_or_the_new_expiry() {
    let later = Timestamp::from_unix_millis(9_000);
    for durability in DURABILITIES {
        fail_each_call(Plan::From, |plan| {
            let world = world(durability, SMALL);
            let (touched, hits) = during(plan, || world.records.touch(&OLD, world.revision(), later, NOW));
            assert_eq!(matches!(touched, Ok(TouchOutcome::Touched)), hits == 0);
            let loaded = world.load(&OLD).unwrap();
            assert!(loaded.record.expires_at == later || hits > 0 && loaded == world.stored);
            assert_eq!((loaded.revision, loaded.record.payload), (world.revision(), SMALL.into()));
            hits
        });
    }
}

#[test]
fn an_error_from_delete_leaves_the_record_as_it_was() {
    for (durability, errno) in DURABILITIES.into_iter().flat_map(|durability| ERRORS.map(|errno| (durability, errno))) {
        fail_each_call(
            |call| Plan::Call(call, errno),
            |plan| {
                let world = world(durability, SMALL);
                let (deleted, hits) = during(plan, || world.records.delete(&OLD));
                match deleted {
                    Ok(outcome) => assert_eq!((outcome, world.load(&OLD)), (DeleteOutcome::Deleted, None)),
                    Err(_) => assert_eq!(world.load(&OLD).as_ref(), Some(&world.stored), "{plan:?}"),
                }
                hits
            },
        );
    }
}

#[test]
fn an_error_from_rename_leaves_the_old_record_as_it_was() {
    for (durability, errno) in DURABILITIES.into_iter().flat_map(|durability| ERRORS.map(|errno| (durability, errno))) {
        fail_each_call(
            |call| Plan::Call(call, errno),
            |plan| {
                let world = world(durability, SMALL);
                let rename = || world.records.rename(&OLD, world.revision(), &NEW, &record(LARGE), NOW);
                let (renamed, hits) = during(plan, rename);
                if let Ok(outcome) = renamed {
                    assert!(matches!(outcome, RenameOutcome::Renamed(_)));
                    assert_eq!(world.load(&OLD), None);
                    assert_eq!(world.load(&NEW).unwrap().record, record(LARGE));
                } else {
                    assert_eq!(world.load(&OLD).as_ref(), Some(&world.stored), "{plan:?}");
                    assert_eq!(world.load(&NEW), None, "{plan:?}");
                    assert_eq!(world.names(), [name(&OLD)], "{plan:?}");
                }
                hits
            },
        );
    }
}

#[test]
fn a_crash_in_rename_or_delete_leaves_old_or_new_or_both() {
    for durability in DURABILITIES {
        let (mut only_old, mut both, mut only_new) = (0, 0, 0);
        fail_each_call(Plan::From, |plan| {
            let world = world(durability, SMALL);
            let rename = || world.records.rename(&OLD, world.revision(), &NEW, &record(LARGE), NOW);
            let (_, hits) = during(plan, rename);
            let new = world.load(&NEW);
            assert!(new.as_ref().is_none_or(|new| new.record == record(LARGE)));
            match world.load(&OLD) {
                Some(old) => {
                    assert_eq!(old, world.stored);
                    *if new.is_none() { &mut only_old } else { &mut both } += 1;
                }
                None => {
                    assert!(new.is_some(), "{plan:?}");
                    only_new += 1;
                }
            }
            sweep_leaves_no_temporary_file(&world);
            hits
        });
        assert!(only_old > 0 && both > 0 && only_new > 0, "{only_old} {both} {only_new}");
        fail_each_call(Plan::From, |plan| {
            let world = world(durability, SMALL);
            let (_, hits) = during(plan, || world.records.delete(&OLD));
            assert!(world.load(&OLD).is_none_or(|old| old == world.stored));
            sweep_leaves_no_temporary_file(&world);
            hits
        });
    }
}

fn sweep_leaves_no_temporary_file(world: &World) {
    // By then the records have expired, and the sweep removes them as well.
    let in_a_while = Timestamp::from(SystemTime::now()).saturating_add(Duration::from_secs(700));
    let swept = Sweeper::default().step(&world.records, in_a_while, NonZeroUsize::MAX).unwrap();
    assert!(!swept.more);
    assert_eq!(world.names(), [""; 0]);
}

#[test]
fn a_logout_works_on_a_full_disk() {
    for errno in [Errno::NOSPC, Errno::DQUOT] {
        let world = world(Durability::Synced, SMALL);
        let full = Plan::Purpose(sys::RENAME, errno);
        let (deleted, hits) = during(full, || world.records.delete(&OLD));
        assert!(matches!(deleted, Ok(DeleteOutcome::Deleted)) && hits == 1);
        assert_eq!(world.names(), [""; 0]);
    }
}

#[test]
fn deletions_and_id_changes_are_synced_with_both_durabilities() {
    for durability in DURABILITIES {
        let world = world(durability, SMALL);
        let broken = Plan::Purpose(SYNC_DIRECTORY, Errno::IO);
        let (deleted, _) = during(broken, || world.records.delete(&OLD));
        assert!(matches!(deleted, Err(Failure::System(_))), "{durability:?}");
        let rename = || world.records.rename(&OLD, world.revision(), &NEW, &record(SMALL), NOW);
        for operation in [SYNC_DIRECTORY, sys::SYNC] {
            let (renamed, hits) = during(Plan::Purpose(operation, Errno::IO), rename);
            assert!(renamed.is_err() && hits > 0, "{durability:?} {operation}");
        }
        assert_eq!(world.load(&OLD).as_ref(), Some(&world.stored));
    }
}

#[test]
fn a_failed_sync_keeps_the_marker_of_a_living_session() {
    let failing = Plan::Purpose(SYNC_DIRECTORY, Errno::IO);
    let (_dir, records, _) = start(Durability::Fast);
    let CreateOutcome::Created(revision) = records.create(&NEW, &record(SMALL), NOW).unwrap() else {
        panic!("the id is free")
    };
    // Both calls mark a session of Ada's under an id that another session of hers has already.
    let (created, hits) = during(failing, || records.create(&OLD, &of(ADA, SMALL), NOW));
    assert!(created.is_err() && hits == 1, "{created:?}");
    let (renamed, hits) = during(failing, || records.rename(&NEW, revision, &OLD, &of(ADA, SMALL), NOW));
    assert!(renamed.is_err() && hits == 1, "{renamed:?}");
    assert_eq!(records.sessions_of(&ADA, NOW).unwrap(), [OLD], "a session that is not listed cannot be revoked");
}

#[test]
fn interrupted_calls_are_made_again_and_short_writes_finished() {
    fail_each_call(
        |call| Plan::Call(call, Errno::INTR),
        |plan| {
            let world = world(Durability::Synced, SMALL);
            let rename = || world.records.rename(&OLD, world.revision(), &NEW, &record(SMALL), NOW);
            let (renamed, hits) = during(plan, rename);
            assert!(matches!(renamed, Ok(RenameOutcome::Renamed(_))));
            hits
        },
    );
    let world = world(Durability::Fast, SMALL);
    let update = || world.records.update(&OLD, world.revision(), &record(LARGE), NOW);
    let (updated, hits) = during(Plan::ShortWrites(7), update);
    assert!(matches!(updated, Ok(UpdateOutcome::Updated(_))) && hits > 100);
    assert_eq!(world.load(&OLD).unwrap().record, record(LARGE));
}

#[test]
fn a_sweep_goes_on_past_a_file_that_fails() {
    let later = Timestamp::from_unix_millis(2_000);
    let world = world(Durability::Fast, SMALL);
    fail_each_call(
        |call| Plan::Call(call, Errno::IO),
        |plan| {
            for id in [OLD, NEW] {
                assert!(world.records.create(&id, &record(SMALL), NOW).is_ok());
            }
            let (swept, hits) = during(plan, || Sweeper::default().step(&world.records, later, NonZeroUsize::MAX));
            match swept {
                Ok(swept) => assert!(!swept.more && (1..=2).contains(&swept.removed), "{plan:?} {swept:?}"),
                Err(_) => assert!(matches!(plan, Plan::Call(0, _)), "only the directory itself stops it: {plan:?}"),
            }
            hits
        },
    );
}
