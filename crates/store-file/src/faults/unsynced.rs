//! Several changes of one record that the system has not written out yet when the power fails.

use nexios_store_core::{CreateOutcome, Record, Timestamp, TouchOutcome, UpdateOutcome};

use super::disk::{Dice, Disk};
use super::scenario::sweep_leaves_nothing;
use super::world::{self, NEW, NOW};
use crate::Durability;
use crate::records::Records;

#[derive(Clone, Copy, Debug)]
enum Change {
    /// With a payload of this length.
    Create(usize),
    Update(usize),
    Touch,
}

/// Payloads for two slots in one page, for slots of one page each, for slots of two pages, and for a file that is read
/// in parts.
const LENGTHS: [usize; 4] = [100, 3_000, 5_000, 20_000];

/// Returns sequences of changes: a creation and two changes, and three changes of a record that is on the disk.
fn sequences() -> Vec<(Option<usize>, Vec<Change>)> {
    let mut sequences = Vec::new();
    for len in LENGTHS {
        let changes =
            || LENGTHS.into_iter().filter(move |next| *next >= len).map(Change::Update).chain([Change::Touch]);
        for (one, two) in changes().flat_map(|one| changes().map(move |two| (one, two))) {
            sequences.push((None, vec![Change::Create(len), one, two]));
            sequences.push((Some(len), vec![one, two, Change::Update(len)]));
        }
    }
    sequences
}

/// Returns a version of the record. Each byte of its payload is its number plus one, so no page is zeros.
fn version(number: u8, len: usize, expires_at: u64) -> Record {
    Record {
        payload: vec![number + 1; len].into(),
        expires_at: Timestamp::from_unix_millis(expires_at),
        principal: None,
    }
}

/// Makes a change, and returns the record as it is then.
fn change(records: &Records, change: Change, number: u8) -> Record {
    let stored = records.load(&NEW, NOW).unwrap();
    match change {
        Change::Create(len) => {
            let record = version(number, len, 2_000);
            assert!(matches!(records.create(&NEW, &record, NOW), Ok(CreateOutcome::Created(_))));
            record
        }
        Change::Update(len) => {
            let record = version(number, len, 2_000);
            let updated = records.update(&NEW, stored.unwrap().revision, &record, NOW);
            assert!(matches!(updated, Ok(UpdateOutcome::Updated(_))));
            record
        }
        Change::Touch => {
            let expires_at = Timestamp::from_unix_millis(9_000 + u64::from(number));
            assert!(matches!(
                records.touch(&NEW, stored.as_ref().unwrap().revision, expires_at, NOW),
                Ok(TouchOutcome::Touched)
            ));
            Record { expires_at, ..stored.unwrap().record }
        }
    }
}

/// Cuts the power at each call of each sequence, and lets `is_right` judge what is left. It gets the number of the
/// version that is left, or `None` if that is no version, and the number of the version that was answered last before
/// the cut.
fn cut(durability: Durability, mut is_right: impl FnMut(Option<usize>, usize) -> bool) {
    let mut looks = 0;
    for (settled, changes) in sequences() {
        let mut disk = Disk::new();
        let dir = world::new_dir();
        let records = world::open(&dir, durability);
        let mut versions = vec![settled.map(|len| change(&records, Change::Create(len), 0))];
        disk.settle();
        let mut answered_at = vec![disk.settled()];
        for (number, next) in (1..).zip(&changes) {
            versions.push(Some(change(&records, *next, number)));
            answered_at.push(Disk::calls());
        }
        disk.stop();
        drop((records, dir));
        for at in disk.settled()..=disk.len() {
            let answered = answered_at.iter().filter(|answered_at| **answered_at <= at).count() - 1;
            for _ in 0..LOOKS {
                looks += 1;
                let context =
                    format!("{settled:?} {changes:?}, {durability:?}, cut at {at} of {answered_at:?}, look {looks}");
                let dir = disk.after_cut(at, &mut Dice(looks));
                let records = world::open(&dir, durability);
                let left = records.load(&NEW, NOW).unwrap_or_else(|failure| panic!("{context}: {failure:?}"));
                let left = left.map(|stored| stored.record);
                let number = versions.iter().position(|version| *version == left);
                assert!(is_right(number, answered), "{context}: version {number:?} is left, {left:?}");
                // The leftovers must stop neither the next write nor the sweep.
                if looks % 8 == 0 {
                    drop(records);
                    sweep_leaves_nothing(&dir, &context);
                } else {
                    change(&records, left.map_or(Change::Create(7), |_| Change::Update(7)), 100);
                }
            }
        }
    }
}

#[test]
fn fast_gives_a_whole_version_whatever_was_not_written_out() {
    let (mut older, mut newest) = (0, 0);
    cut(Durability::Fast, |version, answered| {
        *if version < Some(answered) { &mut older } else { &mut newest } += 1;
        version.is_some_and(|version| version <= answered + 1)
    });
    assert!(older > 100 && newest > 100, "{older} {newest}");
}

#[test]
fn synced_gives_the_version_that_was_answered_last() {
    cut(Durability::Synced, |version, answered| {
        version.is_some_and(|version| (answered..=answered + 1).contains(&version))
    });
}

/// The number of possible leftovers that are checked for each cut.
const LOOKS: u64 = 3;
