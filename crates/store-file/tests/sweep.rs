//! The sweep removes expired records and leftovers in bounded steps, and nothing else.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may, as tests do")]

mod common;

use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::time::{Duration, SystemTime};

use common::{LATER, NOW, Sessions, at, hex, id, paths_below, record, slot, slot_of_version};
use nexios_store_core::{Record, SessionId, SessionStore, Swept, Timestamp, TouchOutcome, UpdateOutcome};
use nexios_store_file::Durability;

const ALL: NonZeroUsize = NonZeroUsize::MAX;
const MINUTE: Duration = Duration::from_secs(60);

async fn sweep(sessions: &Sessions, now: Timestamp, limit: usize) -> Swept {
    let limit = NonZeroUsize::new(limit).unwrap();
    sessions.expiry().unwrap().delete_expired(now, limit).await.unwrap()
}

fn changed(path: &Path, time: SystemTime) {
    File::open(path).unwrap().set_modified(time).unwrap();
}

/// Plants `count` expired records, spread over the directories.
fn plant_expired(sessions: &Sessions, count: usize) {
    for number in 0..count {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&(number as u64).to_le_bytes());
        let id = SessionId::from_bytes(bytes);
        sessions.plant(&id, &[slot(&id, 1, b"x"), vec![0; 2048]].concat());
    }
}

#[tokio::test]
async fn a_step_goes_on_where_the_last_one_ended() {
    let sessions = Sessions::new(Durability::Fast);
    plant_expired(&sessions, 600);
    let mut removed = Vec::new();
    loop {
        let swept = sweep(&sessions, LATER, 250).await;
        removed.push(swept.removed);
        if !swept.more {
            break;
        }
    }
    assert_eq!(removed, [250, 250, 100]);
}

#[tokio::test]
async fn each_step_is_bounded_and_the_steps_together_see_every_file() {
    let sessions = Sessions::new(Durability::Fast);
    plant_expired(&sessions, 300);
    assert_eq!(sweep(&sessions, NOW, 1).await, Swept { removed: 0, more: true });
    assert_eq!(sweep(&sessions, NOW, 1).await, Swept { removed: 0, more: false });
}

#[tokio::test]
async fn a_pass_leaves_half_for_the_next_when_everything_expires() {
    let sessions = Sessions::new(Durability::Fast);
    plant_expired(&sessions, 3000);
    let mut passes = Vec::new();
    for _ in 0..4 {
        let mut removed = 0;
        loop {
            let swept = sweep(&sessions, LATER, 100_000).await;
            removed += swept.removed;
            if !swept.more {
                break;
            }
        }
        passes.push(removed);
    }
    assert_eq!(passes, [1500, 1000, 500, 0]);
}

#[tokio::test]
async fn a_record_lives_until_the_expiry_of_its_current_version() {
    let sessions = Sessions::new(Durability::Fast);
    let of = |id: &SessionId, revision, expires_at| slot_of_version(1, id, revision, b"x", at(expires_at));
    let torn = |mut slot: Vec<u8>| {
        slot[96] ^= 1;
        slot
    };
    let (ended, lives) = (1_500_000, 9_000_000);
    for (number, (older, newer), is_removed) in [
        (1, ((lives, false), (ended, false)), true),
        (2, ((ended, false), (lives, false)), false),
        (3, ((lives, false), (ended, true)), false),
        (4, ((ended, false), (ended, true)), true),
    ] {
        let id = id(number);
        let slot = |revision, (expires_at, is_torn)| {
            if is_torn { torn(of(&id, revision, expires_at)) } else { of(&id, revision, expires_at) }
        };
        sessions.plant(&id, &[slot(5, older), slot(6, newer)].concat());
        assert_eq!(sweep(&sessions, LATER, 100).await.removed, usize::from(is_removed), "{number}");
        assert_eq!(sessions.path(&id).exists(), !is_removed, "{number}");
        let _ = sessions.delete(&id).await.unwrap();
    }
}

#[tokio::test]
async fn old_leftovers_are_removed() {
    let sessions = Sessions::new(Durability::Fast);
    let files = [
        ("01/.tmp-00112233445566778899aabbccddeeff".to_owned(), "half a record"),
        (format!("01/{}", hex(&id(1))), ""),
        (format!("02/{}", hex(&id(2))), "\0\0\0\0\0\0\0\0"),
    ];
    let now = SystemTime::now();
    for (age, is_removed) in [(9 * MINUTE, false), (11 * MINUTE, true)] {
        for (name, content) in &files {
            let path = sessions.dir().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            changed(&path, now - age);
        }
        let swept = sweep(&sessions, now.into(), 100).await;
        assert_eq!(swept, Swept { removed: 0, more: false }, "they are no expired records");
        for (name, _) in &files {
            assert_eq!(sessions.dir().join(name).exists(), !is_removed, "{name} {age:?}");
        }
    }
}

#[tokio::test]
async fn the_sweep_leaves_foreign_files() {
    let sessions = Sessions::new(Durability::Fast);
    let dir = sessions.dir();
    let one = hex(&id(1));
    let foreign = [
        "notes.txt".to_owned(),
        one.clone(),
        ".tmp-00112233445566778899aabbccddeeff".to_owned(),
        "01/README".to_owned(),
        "01/.tmp-0011".to_owned(),
        "01/.tmp-00112233445566778899AABBCCDDEEFF".to_owned(),
        "01/.tmp-00112233445566778899aabbccddeeff.bak".to_owned(),
        format!("01/{one}.bak"),
        format!("01/{}", one.to_uppercase().replace('1', "A")),
        format!("02/{one}"),
        format!("1/{one}"),
        format!("001/{one}"),
        format!("zz/{one}"),
        format!("01/deeper/{one}"),
    ];
    let expired = [slot(&id(1), 1, b"x"), vec![0; 2048]].concat();
    for name in &foreign {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &expired).unwrap();
        changed(&path, SystemTime::UNIX_EPOCH);
    }
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join(hex(&id(3))), [slot(&id(3), 1, b"x"), vec![0; 2048]].concat()).unwrap();
    symlink(outside.path(), dir.join("03")).unwrap();
    fs::write(dir.join("04"), "not a directory").unwrap();
    symlink("notes.txt", dir.join("01/.tmp-11112222333344445555666677778888")).unwrap();
    let before = paths_below(&dir);

    let swept = sweep(&sessions, at(u64::MAX), 1000).await;
    assert_eq!(swept, Swept { removed: 0, more: false });
    assert_eq!(paths_below(&dir), before);
    assert!(outside.path().join(hex(&id(3))).exists());
}

#[tokio::test]
async fn an_old_damaged_record_is_set_aside_for_the_operator() {
    let sessions = Sessions::new(Durability::Fast);
    sessions.plant(&id(1), &[b'?'; 4096]);
    sessions.plant(&id(2), &slot_of_version(2, &id(2), 1, b"x", at(1)));
    sessions.plant(&id(3), &[b'?'; 4096]);
    changed(&sessions.path(&id(1)), SystemTime::UNIX_EPOCH);
    changed(&sessions.path(&id(3)), SystemTime::now());
    assert_eq!(sweep(&sessions, SystemTime::now().into(), 1000).await.removed, 0);
    let kept = sessions.dir().join(".corrupt").join(hex(&id(1)));
    assert!(kept.exists() && !sessions.path(&id(1)).exists(), "it is old, so nobody is writing it");
    assert!(sessions.path(&id(2)).exists() && sessions.path(&id(3)).exists());
}

#[test]
fn a_record_that_was_prolonged_in_time_is_never_removed() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let sessions = Sessions::new(Durability::Fast);
    let other = sessions.open_again();
    let (rounds, prolonged) = (300_u32, Record { expires_at: at(9_000_000), ..record("prolonged") });
    let barrier = Arc::new(Barrier::new(2));
    let sweeper = {
        let barrier = Arc::clone(&barrier);
        std::thread::spawn(move || {
            let (runtime, mut removed) = (runtime(), 0);
            for _ in 0..rounds {
                barrier.wait();
                removed += runtime.block_on(other.expiry().unwrap().delete_expired(LATER, ALL)).unwrap().removed;
                barrier.wait();
            }
            removed
        })
    };
    let (runtime, mut missed) = (runtime(), 0);
    for round in 0..rounds {
        let ids: Vec<_> = (0..8).map(id).collect();
        let revisions: Vec<_> = ids.iter().map(|id| runtime.block_on(sessions.created(id, &record("short")))).collect();
        barrier.wait();
        for (id, revision) in ids.iter().zip(revisions) {
            let is_alive = if round % 2 == 0 {
                let touched = runtime.block_on(sessions.touch(id, revision, at(9_000_000), NOW)).unwrap();
                touched == TouchOutcome::Touched
            } else {
                let updated = runtime.block_on(sessions.update(id, revision, &prolonged, NOW)).unwrap();
                matches!(updated, UpdateOutcome::Updated(_))
            };
            let loaded = runtime.block_on(sessions.load(id, LATER)).unwrap();
            assert_eq!(loaded.is_some(), is_alive);
            missed += usize::from(!is_alive);
        }
        barrier.wait();
        for id in &ids {
            let _ = runtime.block_on(sessions.delete(id)).unwrap();
        }
    }
    assert_eq!(sweeper.join().unwrap(), missed, "who was not prolonged was swept");
}
