//! The power fails after each call of each operation. The disk then has any part of what was not synced.

use super::disk::{Dice, Disk};
use super::scenario::{Content, Operation, contents, start, sweep_leaves_nothing};
use crate::Durability;

/// The number of possible leftovers that are checked for each cut.
const LOOKS: u64 = 12;

/// Returns whether a cut after the answer may undo the operation with `Fast`. A cut undoes no other operation.
const fn may_be_undone(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::Create | Operation::CreateLarge | Operation::Update | Operation::Grow | Operation::Touch
    )
}

/// Calls `look` for each cut. It gets a description, whether the operation was answered before the cut, and what is
/// left.
fn cut(operation: Operation, durability: Durability, mut look: impl FnMut(&str, bool, &[Content; 2])) {
    let mut disk = Disk::new();
    let (dir, records, revision) = start(durability);
    disk.settle();
    assert!(operation.run(&records, revision));
    disk.stop();
    drop((records, dir));
    let end = disk.len();
    for at in disk.settled()..=end {
        for seed in 0..LOOKS {
            let context = format!("{operation:?}, {durability:?}, cut at {at} of {end}, look {seed}");
            let dir = disk.after_cut(at, &mut Dice(seed));
            let left = contents(&dir, operation.now(), false, &context);
            look(&context, at == end, &left);
            if seed % 4 == 0 {
                sweep_leaves_nothing(&dir, &context);
            }
        }
    }
}

#[test]
fn synced_loses_nothing_that_was_answered() {
    for operation in Operation::ALL {
        let (before, after) = (operation.before(), operation.after());
        cut(operation, Durability::Synced, |context, is_answered, left| {
            if is_answered {
                assert_eq!(*left, after, "{context}");
            }
            is_either(left, &before, &after, context);
        });
    }
}

#[test]
fn fast_gives_whole_versions_and_undoes_no_logout() {
    let mut undone = 0;
    for operation in Operation::ALL {
        let (before, after) = (operation.before(), operation.after());
        cut(operation, Durability::Fast, |context, is_answered, left| {
            if is_answered && !may_be_undone(operation) {
                assert_eq!(*left, after, "{context}");
            }
            undone += usize::from(is_answered && *left != after);
            is_either(left, &before, &after, context);
        });
    }
    assert!(undone > 0, "the disk forgot nothing");
}

fn is_either(left: &[Content; 2], before: &[Content; 2], after: &[Content; 2], context: &str) {
    for (left, (before, after)) in left.iter().zip(before.iter().zip(after)) {
        assert!(left == before || left == after, "{context}: neither the old nor the new, but {left:?}");
    }
    let is_lost = left.iter().all(Option::is_none) && before.iter().any(Option::is_some);
    assert!(!is_lost || after.iter().all(Option::is_none), "{context}: lost");
}
