//! Damaged files never give wrong data, and the store tells the kinds of damage apart.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may, as tests do")]

mod common;

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;

use common::{BOTH, CORRUPT, LATER, Loaded, NOW, Sessions, UNSUPPORTED, at, id, record, slot, slot_of_version};
use nexios_store_core::{
    CreateOutcome, DeleteOutcome, RenameOutcome, Revision, SessionStore, StoreErrorKind, TouchOutcome, UpdateOutcome,
};
use nexios_store_file::Durability;

async fn load(sessions: &Sessions) -> Loaded {
    Loaded::of(sessions.load(&id(1), NOW).await)
}

#[tokio::test]
async fn the_format_on_disk_is_the_documented_one() {
    let sessions = Sessions::new(Durability::Fast);
    let revision = sessions.created(&id(1), &record("hello")).await;
    let first = slot(&id(1), revision.as_u64(), b"hello");
    assert!(fs::read(sessions.path(&id(1))).unwrap() == [&first[..], &[0; 2048]].concat());

    let updated = sessions.update(&id(1), revision, &record("world"), NOW).await.unwrap();
    assert_eq!(updated, UpdateOutcome::Updated(Revision::new(revision.as_u64() + 1)));
    let second = slot(&id(1), revision.as_u64() + 1, b"world");
    assert!(fs::read(sessions.path(&id(1))).unwrap() == [first, second].concat());
}

#[tokio::test]
async fn every_flipped_bit_gives_a_whole_version_or_an_error() {
    let old = slot(&id(1), 5, b"old payload");
    let new = slot(&id(1), 6, b"new payload");
    let (is_old, is_new) = (Loaded::record(5, b"old payload"), Loaded::record(6, b"new payload"));
    let empty = vec![0; 2048];
    for (name, slots, intact, damaged) in [
        ("created", [&new, &empty], &is_new, &CORRUPT),
        ("updated", [&old, &new], &is_new, &is_old),
        ("updated twice", [&new, &old], &is_new, &is_old),
    ] {
        let sessions = Sessions::new(Durability::Fast);
        let bytes = slots.map(|slot| &slot[..]).concat();
        sessions.plant(&id(1), &bytes);
        let file = OpenOptions::new().write(true).open(sessions.path(&id(1))).unwrap();
        let current = if slots[0] == &new { 0 } else { 2048 };
        // The checksums cover the payload and the header, except for the unused end of the expiry cell.
        let is_covered =
            |at: usize| (current..current + 96 + 11).contains(&at) && !(current + 28..current + 32).contains(&at);
        for (at, byte) in bytes.iter().enumerate() {
            for bit in 0..8 {
                file.write_at(&[byte ^ (1 << bit)], at as u64).unwrap();
                let expected = if is_covered(at) { damaged } else { intact };
                assert_eq!(&load(&sessions).await, expected, "{name}: bit {bit} of byte {at}");
            }
            file.write_at(&[*byte], at as u64).unwrap();
        }
        assert_eq!(&load(&sessions).await, intact, "{name}");
    }
}

#[tokio::test]
async fn flipped_bits_in_a_large_record_give_a_version_or_an_error() {
    let sessions = Sessions::new(Durability::Fast);
    let (old, new) = (vec![b'o'; 20_000], vec![b'n'; 20_000]);
    let revision = sessions.created(&id(1), &record(&old)).await;
    let is_old = Loaded::record(revision.as_u64(), &old);
    let is_new = Loaded::record(revision.as_u64() + 1, &new);
    let file = || OpenOptions::new().read(true).write(true).open(sessions.path(&id(1))).unwrap();
    for (current, intact, damaged) in [(0, &is_old, &CORRUPT), (32 * 1024, &is_new, &is_old)] {
        let mut bytes = vec![0; 64 * 1024];
        file().read_exact_at(&mut bytes, 0).unwrap();
        for at in (0..120).chain(20_090..20_100).map(|at| current + at) {
            for bit in 0..8 {
                file().write_at(&[bytes[at] ^ (1 << bit)], at as u64).unwrap();
                let is_covered = at < current + 96 + 20_000 && !(current + 28..current + 32).contains(&at);
                let expected = if is_covered { damaged } else { intact };
                let loaded = load(&sessions).await;
                // If a flipped bit makes a version longer than it is, its end seems not to have been written.
                let is_cut = current == 0 && (88..92).contains(&at) && loaded == Loaded::Absent;
                assert!(&loaded == expected || is_cut, "bit {bit} of byte {at}: {loaded:?}");
            }
            file().write_at(&[bytes[at]], at as u64).unwrap();
        }
        file().set_len(50_000).unwrap();
        assert_eq!(load(&sessions).await, CORRUPT);
        file().write_at(&bytes, 0).unwrap();
        if current == 0 {
            let updated = sessions.update(&id(1), revision, &record(&new), NOW).await.unwrap();
            assert!(matches!(updated, UpdateOutcome::Updated(_)));
        }
    }
}

#[tokio::test]
async fn only_a_creation_that_lacks_a_page_is_absent() {
    for page in 0..5 {
        let sessions = Sessions::new(Durability::Fast);
        let (old, new) = (vec![b'o'; 20_000], vec![b'n'; 20_000]);
        sessions.created(&id(1), &record(&old)).await;
        let file = || OpenOptions::new().write(true).open(sessions.path(&id(1))).unwrap();
        let lose_page = |page: u64| file().write_all_at(&[0; 4096], page * 4096).unwrap();
        lose_page(page);
        assert_eq!(load(&sessions).await, Loaded::Absent, "page {page}");
        assert_eq!(sessions.delete(&id(1)).await.unwrap(), DeleteOutcome::Deleted);

        let revision = sessions.created(&id(1), &record(&old)).await;
        let updated = sessions.update(&id(1), revision, &record(&new), NOW).await.unwrap();
        assert!(matches!(updated, UpdateOutcome::Updated(_)));
        lose_page(8 + page);
        assert_eq!(load(&sessions).await, Loaded::record(revision.as_u64(), &old), "page {page}");
        if page < 4 {
            // A part of the second version is there, so the first one was on the disk.
            lose_page(page);
            assert_eq!(load(&sessions).await, CORRUPT, "page {page}");
        }
    }
}

#[tokio::test]
async fn a_file_cut_short_is_corrupt_and_an_empty_one_absent() {
    let sessions = Sessions::new(Durability::Fast);
    let bytes = [slot(&id(1), 5, b"old"), slot(&id(1), 6, b"new")].concat();
    sessions.plant(&id(1), &bytes);
    let file = OpenOptions::new().write(true).open(sessions.path(&id(1))).unwrap();
    for len in (1..bytes.len()).rev() {
        file.set_len(len as u64).unwrap();
        assert_eq!(load(&sessions).await, CORRUPT, "{len}");
    }
    file.set_len(0).unwrap();
    assert_eq!(load(&sessions).await, Loaded::Absent);
}

#[tokio::test]
async fn each_kind_of_damage_is_told_from_the_others() {
    let whole = slot(&id(1), 6, b"new");
    let empty = || vec![0; 2048];
    let newer = |revision| slot_of_version(2, &id(1), revision, b"later", LATER);
    let torn = [&slot(&id(1), 7, &[b'7'; 900])[..512], &slot(&id(1), 5, &[b'5'; 900])[512..]].concat();
    let magic = |magic: &[u8; 4]| [&magic[..], &whole[4..]].concat();
    let short_payload_between_zeros = [&[0; 96][..], &[1; 96], &[0; 2048 - 192]].concat();
    for (name, bytes, expected) in [
        ("empty file", vec![], Loaded::Absent),
        ("all zero", [empty(), empty()].concat(), Loaded::Absent),
        ("all zero, of no length of ours", vec![0; 1000], Loaded::Absent),
        ("created", [whole.clone(), empty()].concat(), Loaded::record(6, b"new")),
        ("a newer slot half written", [whole.clone(), torn.clone()].concat(), Loaded::record(6, b"new")),
        ("created, half written", [torn.clone(), empty()].concat(), CORRUPT),
        ("a payload without a header", [short_payload_between_zeros, empty()].concat(), CORRUPT),
        ("foreign magic", [magic(b"SQLi"), empty()].concat(), CORRUPT),
        ("foreign magic in one slot", [magic(b"SQLi"), whole.clone()].concat(), Loaded::record(6, b"new")),
        ("text", b"hello".repeat(1000), CORRUPT),
        ("a newer format", [newer(6), empty()].concat(), UNSUPPORTED),
        ("a newer format beside ours", [whole.clone(), newer(7)].concat(), UNSUPPORTED),
        ("a newer format of another length", newer(6)[..1000].to_vec(), UNSUPPORTED),
        ("of another session", [slot(&id(2), 6, b"new"), empty()].concat(), CORRUPT),
        ("one slot of another session", [whole.clone(), slot(&id(2), 7, b"x")].concat(), Loaded::record(6, b"new")),
    ] {
        for durability in BOTH {
            let sessions = Sessions::new(durability);
            sessions.plant(&id(1), &bytes);
            assert_eq!(load(&sessions).await, expected, "{name}");
        }
    }
}

#[tokio::test]
async fn a_record_copied_to_another_id_is_corrupt() {
    let sessions = Sessions::new(Durability::Fast);
    sessions.created(&id(1), &record("mine")).await;
    sessions.plant(&id(2), &fs::read(sessions.path(&id(1))).unwrap());
    assert_eq!(Loaded::of(sessions.load(&id(2), NOW).await), CORRUPT);
}

#[tokio::test]
async fn a_huge_sparse_file_is_refused_without_reading_it() {
    let sessions = Sessions::new(Durability::Fast);
    sessions.plant(&id(1), b"");
    let file = OpenOptions::new().write(true).open(sessions.path(&id(1))).unwrap();
    for len in [1 << 32, 1 << 40] {
        file.set_len(len).unwrap();
        assert_eq!(load(&sessions).await, CORRUPT);
    }
    file.set_len(1 << 26).unwrap();
    assert_eq!(load(&sessions).await, Loaded::Absent, "the largest that is ours, all zero");
}

#[tokio::test]
async fn an_update_over_a_damaged_version_skips_its_revision() {
    let sessions = Sessions::new(Durability::Fast);
    let mut damaged = slot(&id(1), 6, b"new");
    damaged[97] ^= 1;
    sessions.plant(&id(1), &[slot(&id(1), 5, b"old"), damaged].concat());
    let updated = sessions.update(&id(1), Revision::new(5), &record("newer"), NOW).await.unwrap();
    assert_eq!(updated, UpdateOutcome::Updated(Revision::new(7)));
    assert_eq!(load(&sessions).await, Loaded::record(7, b"newer"));
}

#[tokio::test]
async fn what_is_not_a_live_record_can_be_created_anew() {
    let expired = |revision| slot_of_version(1, &id(1), revision, b"old", at(10));
    for (name, bytes) in [
        ("empty", vec![]),
        ("all zero", vec![0; 4096]),
        ("all zero, longer", vec![0; 65536]),
        ("all zero, odd", vec![0; 777]),
        ("expired", [expired(5), expired(6)].concat()),
        ("expired, the newer one damaged", [expired(5), vec![1; 2048]].concat()),
    ] {
        for payload in [vec![1; 10], vec![2; 3000], vec![3; 30_000]] {
            for durability in BOTH {
                let sessions = Sessions::new(durability);
                sessions.plant(&id(1), &bytes);
                assert_eq!(load(&sessions).await, Loaded::Absent, "{name}");
                let created = sessions.create(&id(1), &record(&payload), NOW).await.unwrap();
                let CreateOutcome::Created(revision) = created else { panic!("{name}") };
                assert!(!(5..=6).contains(&revision.as_u64()), "{name}");
                assert_eq!(load(&sessions).await, Loaded::record(revision.as_u64(), &payload), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_record_of_a_newer_format_is_left_alone_by_all_but_delete() {
    let newer = [slot_of_version(2, &id(1), 6, b"later", at(10)), slot(&id(1), 5, b"ours")].concat();
    let sessions = Sessions::new(Durability::Fast);
    sessions.plant(&id(1), &newer);
    let source = sessions.created(&id(2), &record("x")).await;
    let revision = Revision::new(5);
    for error in [
        sessions.load(&id(1), NOW).await.unwrap_err(),
        sessions.create(&id(1), &record("x"), NOW).await.unwrap_err(),
        sessions.update(&id(1), revision, &record("x"), NOW).await.unwrap_err(),
        sessions.touch(&id(1), revision, at(9_000_000), NOW).await.unwrap_err(),
        sessions.rename(&id(1), revision, &id(3), &record("x"), NOW).await.unwrap_err(),
        sessions.rename(&id(2), source, &id(1), &record("x"), NOW).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), StoreErrorKind::Unsupported);
    }
    sessions.set_aside(&id(1)).await.unwrap();
    let swept = sessions.expiry().unwrap().delete_expired(at(u64::MAX), 10.try_into().unwrap()).await.unwrap();
    assert_eq!((swept.removed, swept.more), (1, false), "the other one");
    assert!(fs::read(sessions.path(&id(1))).unwrap() == newer);
    assert_eq!(sessions.delete(&id(1)).await.unwrap(), DeleteOutcome::Deleted);
    assert_eq!(load(&sessions).await, Loaded::Absent);
}

#[tokio::test]
async fn a_corrupt_record_fails_every_write_but_delete() {
    let sessions = Sessions::new(Durability::Fast);
    sessions.plant(&id(1), &[b'?'; 4096]);
    let source = sessions.created(&id(2), &record("x")).await;
    let revision = Revision::new(5);
    for error in [
        sessions.create(&id(1), &record("x"), NOW).await.unwrap_err(),
        sessions.update(&id(1), revision, &record("x"), NOW).await.unwrap_err(),
        sessions.touch(&id(1), revision, at(9_000_000), NOW).await.unwrap_err(),
        sessions.rename(&id(1), revision, &id(3), &record("x"), NOW).await.unwrap_err(),
        sessions.rename(&id(2), source, &id(1), &record("x"), NOW).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    }
    assert_eq!(Loaded::of(sessions.load(&id(2), NOW).await), Loaded::record(source.as_u64(), b"x"));
    assert_eq!(sessions.delete(&id(1)).await.unwrap(), DeleteOutcome::Deleted);
    assert_eq!(load(&sessions).await, Loaded::Absent);
}

#[tokio::test]
async fn a_rename_that_left_both_records_can_be_finished() {
    let sessions = Sessions::new(Durability::Fast);
    sessions.plant(&id(1), &[slot(&id(1), 5, b"old"), vec![0; 2048]].concat());
    sessions.plant(&id(2), &[slot(&id(2), 9, b"new"), vec![0; 2048]].concat());
    let again = sessions.rename(&id(1), Revision::new(5), &id(2), &record("x"), NOW).await.unwrap();
    assert_eq!(again, RenameOutcome::IdTaken);
    let renamed = sessions.rename(&id(1), Revision::new(5), &id(3), &record("x"), NOW).await.unwrap();
    assert!(matches!(renamed, RenameOutcome::Renamed(_)));
    assert_eq!(load(&sessions).await, Loaded::Absent);
}

#[tokio::test]
async fn a_flipped_bit_does_not_make_a_touch_write_elsewhere() {
    let sessions = Sessions::new(Durability::Fast);
    let mut damaged = slot(&id(1), 6, b"new");
    damaged[97] ^= 1;
    sessions.plant(&id(1), &[damaged.clone(), slot(&id(1), 5, b"old")].concat());
    let touched = sessions.touch(&id(1), Revision::new(5), at(9_000_000), NOW).await.unwrap();
    assert_eq!(touched, TouchOutcome::Touched);
    let stored = sessions.load(&id(1), at(8_000_000)).await.unwrap().unwrap();
    assert_eq!((stored.revision, stored.record.expires_at), (Revision::new(5), at(9_000_000)));
    let mut start = vec![0; 2048];
    File::open(sessions.path(&id(1))).unwrap().read_exact_at(&mut start, 0).unwrap();
    assert!(start == damaged);
}

#[tokio::test]
async fn a_record_that_fits_into_no_file_is_refused() {
    let sessions = Sessions::new(Durability::Fast);
    let largest = (32 << 20) - 96;
    let error = sessions.create(&id(1), &record(vec![0; largest + 1]), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Backend);
    assert_eq!(load(&sessions).await, Loaded::Absent);
    let revision = sessions.created(&id(1), &record(vec![7; largest])).await;
    assert_eq!(load(&sessions).await, Loaded::record(revision.as_u64(), &vec![7; largest]));
}
