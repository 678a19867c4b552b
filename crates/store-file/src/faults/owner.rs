//! The records belong to another user, and the system lets us open them all the same.

use super::world::{NEW, NOW, OLD, SMALL, record, world};
use crate::Durability;
use crate::error::Failure;

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
        records.touch(&OLD, NOW, NOW).map(drop),
        records.rename(&OLD, revision, &NEW, &record(b"new"), NOW).map(drop),
        records.delete(&OLD).map(drop),
    ];
    for (call, result) in results.into_iter().enumerate() {
        assert!(matches!(result, Err(Failure::Foreign)), "call {call}: {result:?}");
    }
    assert!(theirs.bytes() == before, "the file was touched");
}
