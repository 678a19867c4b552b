//! Records that belong to another user, although the system lets us open them.

use nexios_store_core::{StoreError, StoreErrorKind};
use rustix::io::Errno;

use super::scenario::{ADA, start};
use super::world::{NEW, NOW, OLD, SMALL, record, world};
use super::{Plan, during};
use crate::Durability;
use crate::error::Failure;
use crate::{quarantine, sys};

#[test]
fn a_record_of_another_user_is_refused_by_each_operation() {
    let ours = world(Durability::Fast, SMALL);
    let (before, revision) = (ours.bytes(), ours.revision());
    let theirs = ours.of_another_user();
    let records = &theirs.records;
    let results = [
        records.load(&OLD, NOW).map(drop),
        records.create(&OLD, &record(b"new"), NOW).map(drop),
        records.update(&OLD, revision, &record(b"new"), NOW).map(drop),
        records.touch(&OLD, revision, NOW, NOW).map(drop),
        records.rename(&OLD, revision, &NEW, &record(b"new"), NOW).map(drop),
        records.delete(&OLD).map(drop),
        quarantine::set_aside(records, &OLD),
    ];
    for (call, result) in results.into_iter().enumerate() {
        assert!(matches!(result, Err(Failure::Foreign)), "call {call}: {result:?}");
    }
    assert_eq!(StoreError::from(Failure::Foreign).kind(), StoreErrorKind::Backend, "it may be ours again");
    assert!(theirs.bytes() == before, "the file was touched");
}

#[test]
fn a_record_that_the_system_does_not_open_for_us_is_refused() {
    let world = world(Durability::Fast, SMALL);
    // Linux answers this if somebody else's file is to be read without changing its time of access.
    let (loaded, hits) = during(Plan::Purpose(sys::OPEN, Errno::PERM), || world.records.load(&OLD, NOW));
    assert!(matches!(loaded, Err(Failure::Foreign)) && hits > 0, "{loaded:?}");
}

#[test]
fn a_record_that_cannot_be_looked_at_is_not_deleted() {
    for (purpose, errno) in CANNOT_LOOK {
        let (_dir, records, revision) = start(Durability::Fast);
        let (deleted, hits) = during(Plan::Purpose(purpose, errno), || records.delete(&OLD));
        assert!(matches!(deleted, Err(Failure::System(_))) && hits > 0, "{purpose} {errno}: {deleted:?}");
        assert_eq!(records.load(&OLD, NOW).unwrap().unwrap().revision, revision, "it may say that a session has moved");
    }
}

#[test]
fn a_record_that_cannot_be_looked_at_is_listed() {
    for (purpose, errno) in CANNOT_LOOK {
        let (_dir, records, _) = start(Durability::Fast);
        let (listed, hits) = during(Plan::Purpose(purpose, errno), || records.sessions_of(&ADA, NOW));
        assert!(listed.is_ok_and(|ids| ids == [OLD]) && hits > 0, "{purpose} {errno}");
    }
}

const CANNOT_LOOK: [(&str, Errno); 4] =
    [(sys::OPEN, Errno::ACCESS), (sys::OPEN, Errno::IO), (sys::STAT, Errno::IO), (sys::READ, Errno::IO)];
