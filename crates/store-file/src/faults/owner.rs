//! Records that belong to another user, although the system lets us open them.

use rustix::io::Errno;

use super::world::{NEW, NOW, OLD, SMALL, record, world};
use super::{Plan, during};
use crate::Durability;
use crate::error::Failure;
use crate::sys;

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
    ];
    for (call, result) in results.into_iter().enumerate() {
        assert!(matches!(result, Err(Failure::Foreign)), "call {call}: {result:?}");
    }
    assert!(theirs.bytes() == before, "the file was touched");
}

#[test]
fn a_record_that_the_system_does_not_open_for_us_is_refused() {
    let world = world(Durability::Fast, SMALL);
    // Linux answers this if somebody else's file is to be read without changing its time of access.
    let (loaded, hits) = during(Plan::Purpose(sys::OPEN, Errno::PERM), || world.records.load(&OLD, NOW));
    assert!(matches!(loaded, Err(Failure::Foreign)) && hits > 0, "{loaded:?}");
}
