//! Others that act between two system calls of an operation.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::thread;

use nexios_store_core::{DeleteOutcome, Record, RenameOutcome, SessionId, Timestamp, TouchOutcome, UpdateOutcome};

use super::meanwhile;
use super::scenario::{ADA, of, start};
use super::world::{HUGE, LARGE, NEW, NOW, OLD, SMALL, World, record, world};
use crate::Durability;
use crate::sweep::Sweeper;

/// Runs a scenario again and again, and lets others act before another system call each time.
fn act_between_calls(mut scenario: impl FnMut(usize) -> bool) {
    let calls = (0..100).take_while(|call| scenario(*call)).count();
    assert!((3..100).contains(&calls), "{calls} calls");
}

#[test]
fn a_load_overtaken_by_writers_gives_a_version_of_its_time() {
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
fn a_load_never_goes_back_to_a_version_before_it_began() {
    const OTHER: &[u8] = &[b'o'; HUGE.len()];
    act_between_calls(|call| {
        // The load reads the headers of two versions and then the payload of the newer one. Meanwhile two updates
        // overwrite both slots. The newer version is gone, but the slot of the older one has the same payload as
        // before.
        let world = Rc::new(world(Durability::Fast, HUGE));
        world.update(OTHER);
        let before = world.load(&OLD).unwrap();
        let writer = Rc::clone(&world);
        let update_twice = move || [HUGE, &[b'l'; HUGE.len()]].into_iter().for_each(|payload| writer.update(payload));
        let (loaded, acted) = meanwhile(call, update_twice, || world.load(&OLD).unwrap());
        assert!(loaded.revision >= before.revision, "updates before call {call}: a version that was replaced before");
        acted
    });
}

#[test]
fn a_sweep_leaves_a_record_that_is_prolonged_meanwhile() {
    // In the same file, and in a larger one that takes its name.
    type Prolong = fn(&World) -> bool;
    let prolong: [(_, Prolong); 2] = [
        ("touch", |world| matches!(world.records.touch(&OLD, world.revision(), LATER, NOW), Ok(TouchOutcome::Touched))),
        ("growth", |world| {
            let prolonged = Record { expires_at: LATER, ..record(HUGE) };
            let updated = world.records.update(&OLD, world.revision(), &prolonged, NOW);
            matches!(updated, Ok(UpdateOutcome::Updated(_)))
        }),
    ];
    for (name, prolong) in prolong {
        let (mut in_time, mut too_late) = (0, 0);
        // The sweep opens the directories of all 256 first bytes in order. The record is in that of 0xaa.
        for call in 0xa0..0xc0 {
            let world = Rc::new(world(Durability::Fast, SMALL));
            let (other, is_prolonged) = (Rc::clone(&world), Rc::new(Cell::new(false)));
            let answer = Rc::clone(&is_prolonged);
            let sweep = || Sweeper::default().step(&world.records, EXPIRY, NonZeroUsize::MAX).unwrap();
            let (swept, acted) = meanwhile(call, move || answer.set(prolong(&other)), sweep);
            let context = format!("{name} before call {call}");
            assert!(acted, "{context}");
            assert_eq!(swept.removed, usize::from(!is_prolonged.get()), "{context}");
            assert_eq!(world.records.load(&OLD, EXPIRY).unwrap().is_some(), is_prolonged.get(), "{context}");
            *if is_prolonged.get() { &mut in_time } else { &mut too_late } += 1;
        }
        assert!(in_time > 0 && too_late > 0, "{name}: {in_time} {too_late}");
    }
}

/// The outcome of a listing during which a session was renamed.
struct Overtaken {
    /// The rename had a system call number `pause`, and so waited for the listing before it.
    has_waited: bool,
    /// The listing had a system call number `resume`, and so let the rename go on to its end before it.
    has_resumed: bool,
    /// The listing shows the session. `None` if it failed, because it would have had to wait for the rename.
    is_listed: Option<bool>,
    is_renamed: bool,
}

/// Lists the sessions during a rename. The rename stops before its call `pause`, and goes on to its end before the call
/// `resume` of the listing.
fn list_during_rename([from, to]: [SessionId; 2], pause: usize, resume: usize) -> Overtaken {
    let (_dir, records, mut revision) = start(Durability::Fast);
    if from != OLD {
        let renamed = records.rename(&OLD, revision, &from, &of(ADA, SMALL), NOW).unwrap();
        let RenameOutcome::Renamed(next) = renamed else { panic!("{renamed:?}") };
        revision = next;
    }
    let records = Arc::new(records);
    let (waits, is_waiting) = mpsc::channel();
    let (goes_on, go_on) = mpsc::channel::<()>();
    let (has_ended, end) = mpsc::channel::<()>();
    let renaming = {
        let records = Arc::clone(&records);
        thread::spawn(move || {
            let _has_ended = has_ended;
            let wait = move || {
                waits.send(()).unwrap();
                // An error means that the listing is over.
                let _ = go_on.recv();
            };
            meanwhile(pause, wait, || records.rename(&from, revision, &to, &of(ADA, SMALL), NOW)).0.is_ok()
        })
    };
    let has_waited = is_waiting.recv().is_ok();
    let resume_and_wait = move || {
        drop(goes_on);
        // An error means that the rename has ended.
        let _ = end.recv();
    };
    let (listed, has_resumed) = meanwhile(resume, resume_and_wait, || records.sessions_of(&ADA, NOW));
    let is_listed = listed.ok().map(|listed| listed.contains(&from) || listed.contains(&to));
    Overtaken { has_waited, has_resumed, is_listed, is_renamed: renaming.join().unwrap() }
}

#[test]
fn a_listing_shows_a_session_that_is_renamed_at_any_call() {
    let (mut listed, mut moved) = (0, 0);
    // In both directions, because the system decides in which order it returns the two names.
    for way in [[OLD, NEW], [NEW, OLD]] {
        for pause in 0..100 {
            let mut has_waited = true;
            for resume in 0..100 {
                let overtaken = list_during_rename(way, pause, resume);
                has_waited = overtaken.has_waited;
                let context =
                    format!("renaming waits before its call {pause}, goes on before call {resume} of a listing");
                assert!(overtaken.is_listed.unwrap_or(true), "{context}: the session is not listed");
                listed += usize::from(overtaken.is_listed.is_some());
                moved += usize::from(overtaken.is_listed.is_some() && overtaken.is_renamed && overtaken.has_resumed);
                if !(overtaken.has_waited && overtaken.has_resumed) {
                    break;
                }
            }
            if !has_waited {
                break;
            }
        }
    }
    assert!(listed > 100 && moved > 20, "{listed} {moved}");
}

/// The expiry of the records in a [`World`].
const EXPIRY: Timestamp = Timestamp::from_unix_millis(2_000);
const LATER: Timestamp = Timestamp::from_unix_millis(9_000);
