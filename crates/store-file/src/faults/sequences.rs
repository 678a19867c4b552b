//! The system calls of each operation, in the order that the table in `records` gives. They show what is synced, and
//! when.

use std::num::NonZeroUsize;

use nexios_store_core::{SessionId, Timestamp};

use super::traced;
use super::world::{HUGE, LARGE, NEW, NOW, OLD, SMALL, record, world};
use crate::Durability;
use crate::sweep::Sweeper;
use crate::sys::{
    CREATE, DRAW_RANDOM as DRAW, MAKE_DIRECTORY, OPEN, OPEN_DIRECTORY, READ, READ_DIRECTORY, REMOVE, RENAME, STAT,
    STAT_ROOT, SYNC, SYNC_DIRECTORY, WRITE,
};

#[test]
fn an_operation_makes_no_other_calls_than_these() {
    let (fast, synced) = (Durability::Fast, Durability::Synced);
    let neighbour = SessionId::from_bytes([[0xaa; 15].as_slice(), &[0]].concat().try_into().unwrap());
    let trace = |durability, operation: &str| {
        let world = world(durability, if operation.ends_with("of a large record") { LARGE } else { SMALL });
        let (records, revision, later) = (&world.records, world.revision(), Timestamp::MAX);
        let (is_done, calls) = traced(|| match operation {
            "load" => records.load(&OLD, NOW).is_ok(),
            "load of an absent record" => records.load(&NEW, NOW).is_ok(),
            "update" | "update of a large record" => records.update(&OLD, revision, &record(b"next"), NOW).is_ok(),
            "growth" => records.update(&OLD, revision, &record(&[0; 4000]), NOW).is_ok(),
            "large growth" => records.update(&OLD, revision, &record(HUGE), NOW).is_ok(),
            "touch" | "touch of a large record" => records.touch(&OLD, revision, later, NOW).is_ok(),
            "touch for nothing" => records.touch(&OLD, revision, NOW, NOW).is_ok(),
            "create" => records.create(&neighbour, &record(SMALL), NOW).is_ok(),
            "create in a new directory" => records.create(&NEW, &record(SMALL), NOW).is_ok(),
            "delete" => records.delete(&OLD).is_ok(),
            "rename" => records.rename(&OLD, revision, &neighbour, &record(SMALL), NOW).is_ok(),
            _ => false,
        });
        assert!(is_done, "{operation}");
        calls
    };
    let look = [OPEN, STAT, READ];
    let sync_name = [OPEN_DIRECTORY, SYNC_DIRECTORY];
    let make_directory = [DRAW, CREATE, STAT_ROOT, MAKE_DIRECTORY, SYNC_DIRECTORY];
    // To know whose marker is to be removed.
    let whose = look;
    let retire = [DRAW, RENAME, OPEN_DIRECTORY, SYNC_DIRECTORY, REMOVE];
    for (operation, durability, expected) in [
        ("load", fast, look.to_vec()),
        ("load", synced, look.to_vec()),
        ("load of an absent record", fast, vec![OPEN, STAT_ROOT]),
        ("update", fast, [&look[..], &[WRITE]].concat()),
        ("update", synced, [&look[..], &[WRITE, SYNC]].concat()),
        ("update of a large record", fast, [&look[..], &[SYNC, WRITE]].concat()),
        ("update of a large record", synced, [&look[..], &[SYNC, WRITE, SYNC]].concat()),
        ("touch of a large record", fast, [&look[..], &[WRITE]].concat()),
        ("growth", fast, [&look[..], &[DRAW, CREATE, WRITE, SYNC, RENAME]].concat()),
        ("growth", synced, [&look[..], &[DRAW, CREATE, WRITE, SYNC, RENAME], &sync_name].concat()),
        ("large growth", fast, [&look[..], &[DRAW, CREATE, WRITE, WRITE, SYNC, RENAME]].concat()),
        ("touch", fast, [&look[..], &[WRITE]].concat()),
        ("touch", synced, [&look[..], &[WRITE, SYNC]].concat()),
        ("touch for nothing", synced, look.to_vec()),
        ("create", fast, vec![DRAW, CREATE, WRITE]),
        ("create", synced, [&[DRAW, CREATE, WRITE, SYNC][..], &sync_name].concat()),
        ("create in a new directory", fast, [&make_directory[..], &[CREATE, WRITE]].concat()),
        ("create in a new directory", synced, [&make_directory[..], &[CREATE, WRITE, SYNC], &sync_name].concat()),
        ("delete", fast, [&[STAT][..], &whose, &retire].concat()),
        ("delete", synced, [&[STAT][..], &whose, &retire].concat()),
        ("rename", fast, [&look[..], &[DRAW, CREATE, WRITE, SYNC], &sync_name, &retire].concat()),
        ("rename", synced, [&look[..], &[DRAW, CREATE, WRITE, SYNC], &sync_name, &retire].concat()),
    ] {
        assert_eq!(trace(durability, operation), expected, "{operation}, {durability:?}");
    }
}

#[test]
fn a_sweep_makes_no_other_calls_than_these() {
    let trace = |now| {
        let world = world(Durability::Fast, SMALL);
        let (swept, calls) = traced(|| Sweeper::default().step(&world.records, now, NonZeroUsize::MAX));
        assert!(swept.is_ok());
        // A sweep looks for all directories that may exist.
        let of_directories = [OPEN_DIRECTORY, READ_DIRECTORY, STAT_ROOT];
        calls.into_iter().filter(|call| !of_directories.contains(call)).collect::<Vec<_>>()
    };
    assert_eq!(trace(NOW), [OPEN, STAT, READ], "a record that lives");
    assert_eq!(trace(Timestamp::MAX), [OPEN, STAT, READ, STAT, READ, REMOVE], "an expired one");
}
