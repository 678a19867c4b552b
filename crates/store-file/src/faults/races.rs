//! Somebody else acts between two system calls of an operation.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::rc::Rc;

use nexios_store_core::{DeleteOutcome, Timestamp, TouchOutcome};

use super::meanwhile;
use super::world::{HUGE, LARGE, NOW, OLD, SMALL, World, record, world};
use crate::Durability;
use crate::sweep::Sweeper;

/// Runs a scenario with something else between each two system calls in turn.
fn act_between_calls(mut scenario: impl FnMut(usize) -> bool) {
    let calls = (0..100).take_while(|call| scenario(*call)).count();
    assert!((3..100).contains(&calls), "{calls} calls");
}

#[test]
fn a_load_that_writers_overtake_gives_a_version_of_its_time() {
    let others: [(_, fn(&World)); 4] = [
        ("update", |world| world.update(b"next")),
        ("two updates", |world| [b"next", b"last"].into_iter().for_each(|payload| world.update(payload))),
        ("growth", |world| world.update(&[b'g'; 200_000])),
        ("delete", |world| assert!(matches!(world.records.delete(&OLD), Ok(DeleteOutcome::Deleted)))),
    ];
    for ((name, other), payload) in others.into_iter().flat_map(|other| [SMALL, LARGE, HUGE].map(|len| (other, len))) {
        act_between_calls(|call| {
            let world = Rc::new(world(Durability::Fast, payload));
            let writer = Rc::clone(&world);
            let (loaded, acted) = meanwhile(call, move || other(&writer), || world.load(&OLD));
            let is_before = loaded.as_ref() == Some(&world.stored);
            let is_between = loaded.as_ref().is_some_and(|loaded| loaded.record == record(b"next"));
            let is_after = loaded == world.load(&OLD);
            assert!(is_before || acted && (is_between || is_after), "{name} before call {call}");
            acted
        });
    }
}

#[test]
fn a_sweep_that_is_overtaken_leaves_what_was_prolonged() {
    let (expiry, later) = (Timestamp::from_unix_millis(2_000), Timestamp::from_unix_millis(9_000));
    let (mut prolonged, mut late) = (0, 0);
    // It opens the directories of all 256 first bytes in order; the record is in that of 0xaa.
    for call in 0xa0..0xc0 {
        let world = Rc::new(world(Durability::Fast, SMALL));
        let (toucher, touched) = (Rc::clone(&world), Rc::new(Cell::new(false)));
        let answer = Rc::clone(&touched);
        let touch = move || answer.set(matches!(toucher.records.touch(&OLD, later, NOW), Ok(TouchOutcome::Touched)));
        let sweep = || Sweeper::default().step(&world.records, expiry, NonZeroUsize::MAX).unwrap();
        let (swept, acted) = meanwhile(call, touch, sweep);
        assert!(acted, "call {call}");
        assert_eq!(swept.removed, usize::from(!touched.get()), "call {call}");
        assert_eq!(world.records.load(&OLD, expiry).unwrap().is_some(), touched.get(), "call {call}");
        *if touched.get() { &mut prolonged } else { &mut late } += 1;
    }
    assert!(prolonged > 0 && late > 0, "{prolonged} {late}");
}
