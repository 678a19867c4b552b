//! Every system call of every operation fails in every way, or is the last before a kill. Then a new process starts.

use rustix::io::Errno;

use super::scenario::{Operation, contents, start, sweep_leaves_nothing};
use super::{Plan, during};
use crate::Durability;

const ERRORS: [Errno; 5] = [Errno::IO, Errno::NOSPC, Errno::MFILE, Errno::ACCESS, Errno::ROFS];

/// Runs an operation under a plan, checks what is left, and returns how often the plan struck.
fn fares(operation: Operation, durability: Durability, plan: Plan) -> usize {
    let context = format!("{operation:?}, {durability:?}, {plan:?}");
    let (dir, records, revision) = start(durability);
    let (is_answered, hits) = during(plan, || operation.run(&records, revision));
    drop(records);
    let is_harmless = matches!(plan, Plan::Call(_, Errno::INTR) | Plan::ShortWrites(_));
    assert!(is_answered || !is_harmless, "{context}: it was not made again");
    let (before, after) = (operation.before(), operation.after());
    let left = contents(&dir, operation.now(), matches!(plan, Plan::TornWrite(_)), &context);
    let is_kill = matches!(plan, Plan::From(_) | Plan::TornWrite(_));
    if is_answered {
        assert_eq!(left, after, "{context}: what was answered is there");
    } else if operation.error_changes_nothing() && !is_kill {
        assert!(hits > 0 && left == before, "{context}: an error changes nothing, got {left:?}");
    } else {
        assert!(hits > 0, "{context}: failed for nothing");
        for (left, (before, after)) in left.iter().zip(before.iter().zip(&after)) {
            assert!(left == before || left == after, "{context}: neither the old nor the new, but {left:?}");
        }
        assert!(left.iter().any(Option::is_some) || after == [None, None] || before == [None, None], "{context}: lost");
    }
    sweep_leaves_nothing(&dir, &context);
    hits
}

/// Strikes the first call, then the second, and so on, until the operation has no call of that number.
fn each_call(operation: Operation, plan: impl Fn(usize) -> Plan) {
    for durability in [Durability::Fast, Durability::Synced] {
        let calls = (0..2000).take_while(|call| fares(operation, durability, plan(*call)) > 0).count();
        assert!((3..2000).contains(&calls), "{operation:?}: {calls} calls were struck");
    }
}

/// Returns all operations but the sweep. A sweep opens 512 directories, most of which do not exist. The test in
/// `failures` strikes those calls.
fn operations() -> impl Iterator<Item = Operation> {
    Operation::ALL.into_iter().filter(|operation| *operation != Operation::Sweep)
}

#[test]
fn every_call_fails_with_every_error() {
    for operation in operations() {
        for errno in ERRORS {
            each_call(operation, |call| Plan::Call(call, errno));
        }
    }
}

#[test]
fn every_call_is_interrupted_and_made_again() {
    for operation in operations() {
        each_call(operation, |call| Plan::Call(call, Errno::INTR));
    }
}

#[test]
fn every_call_is_the_last_before_a_kill() {
    for operation in operations() {
        each_call(operation, Plan::From);
    }
}

#[test]
fn every_call_of_a_sweep_fails_or_is_the_last() {
    for plan in [Plan::From, |call| Plan::Call(call, Errno::IO)] {
        // The calls for the records, those for the markers, and the first two.
        for call in (0xa8..0xbc).chain(0x1a0..0x1c8).chain([0, 1]) {
            assert!(fares(Operation::Sweep, Durability::Fast, plan(call)) > 0);
        }
    }
}

#[test]
fn writes_are_short_or_torn() {
    let mut hits = 0;
    for operation in Operation::ALL {
        for durability in [Durability::Fast, Durability::Synced] {
            hits += fares(operation, durability, Plan::ShortWrites(7));
            if operation == Operation::Touch {
                // Its 16 bytes are in one page, and a kill does not tear a page. A torn expiry cell would end a
                // version.
                continue;
            }
            for len in [0, 1, 15, 16, 40, 95, 96, 100] {
                hits += fares(operation, durability, Plan::TornWrite(len));
            }
        }
    }
    assert!(hits > 500, "{hits}");
}
