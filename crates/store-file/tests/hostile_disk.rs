//! A full file system, a read-only one, and somebody who swaps files all the time.
//!
//! The first two tests mount a small file system in a namespace of their own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may, as tests do")]

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{BOTH, NOW, Sessions, at, id, namespace, record, tagged};
use nexios_store_core::{CreateOutcome, DeleteOutcome, SessionId, SessionStore, StoreErrorKind};
use nexios_store_file::{Durability, FileStore};

#[tokio::test]
async fn a_logout_works_on_a_full_file_system() {
    if !namespace::entered("a_logout_works_on_a_full_file_system") {
        return;
    }
    let mount_point = tempfile::tempdir().unwrap();
    let dir = mount_point.path();
    namespace::mount_memory("size=3m,mode=0700", dir);
    for durability in BOTH {
        let store = FileStore::builder(dir.join(format!("{durability:?}"))).durability(durability).open().unwrap();
        let mut ids = Vec::new();
        let error = loop {
            let id = SessionId::generate().unwrap();
            match store.create(&id, &tagged([7; 1500], 7), NOW).await {
                Ok(CreateOutcome::Created(revision)) => ids.push((id, revision)),
                Ok(CreateOutcome::IdTaken) => panic!("no id comes twice"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), StoreErrorKind::Backend);
        assert!(ids.len() > 20, "{}", ids.len());
        let (first, revision) = ids[0];
        assert!(store.update(&first, revision, &record([8; 500_000]), NOW).await.is_err(), "the disk is full");
        for (id, revision) in &ids {
            assert_eq!(store.load(id, NOW).await.unwrap().unwrap().revision, *revision);
        }
        for (id, _) in &ids {
            assert_eq!(store.delete(id).await.unwrap(), DeleteOutcome::Deleted, "{durability:?}");
            assert_eq!(store.load(id, NOW).await.unwrap(), None);
        }
    }
    namespace::unmount(dir);
}

#[tokio::test]
async fn a_read_only_disk_is_refused_and_one_in_use_stays_writable() {
    if !namespace::entered("a_read_only_disk_is_refused_and_one_in_use_stays_writable") {
        return;
    }
    let mount_point = tempfile::tempdir().unwrap();
    let mount_point = mount_point.path();
    namespace::mount_memory("size=3m,mode=0700", mount_point);
    let dir = mount_point.join("sessions");
    let store = FileStore::open(&dir).unwrap();
    let created = store.create(&id(1), &record("a"), NOW).await.unwrap();
    assert!(matches!(created, CreateOutcome::Created(_)));
    assert!(!namespace::remounted("ro", mount_point), "the lock files of an open store keep its file system writable");
    drop(store);

    assert!(namespace::remounted("ro", mount_point));
    let message = FileStore::open(&dir).unwrap_err().to_string();
    assert!(message.starts_with("SESSION_DIR is ") && message.contains("Read-only file system"), "{message}");
    assert!(FileStore::open(mount_point.join("new")).is_err());

    assert!(namespace::remounted("rw", mount_point));
    let store = FileStore::open(&dir).unwrap();
    assert_eq!(store.load(&id(1), NOW).await.unwrap().unwrap().record, record("a"));
    drop(store);
    namespace::unmount(mount_point);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn swapping_files_all_the_time_never_reaches_a_foreign_file() {
    let sessions = Sessions::new(Durability::Fast);
    let revision = sessions.created(&id(1), &record("a")).await;
    let foreign = sessions.dir().join("foreign");
    fs::write(&foreign, vec![b'f'; 4096]).unwrap();
    let (path, is_over) = (sessions.path(&id(1)), Arc::new(AtomicBool::new(false)));
    let swapping = {
        let (path, foreign, is_over) = (path.clone(), foreign.clone(), Arc::clone(&is_over));
        let (whole, link) = (fs::read(&path).unwrap(), path.with_file_name("link"));
        std::thread::spawn(move || {
            let (mut swaps, copy) = (0, path.with_file_name("copy"));
            while !is_over.load(Ordering::Relaxed) {
                symlink(&foreign, &link).unwrap();
                fs::rename(&link, &path).unwrap();
                fs::write(&copy, &whole).unwrap();
                fs::rename(&copy, &path).unwrap();
                swaps += 1;
            }
            swaps
        })
    };
    let (mut refused, mut done) = (0, 0);
    for round in 0..16_000 {
        let is_done = match round % 4 {
            0 => sessions.load(&id(1), NOW).await.is_ok(),
            1 => sessions.touch(&id(1), revision, at(3_000_000 + round), NOW).await.is_ok(),
            2 => sessions.create(&id(1), &record("b"), at(9_000_000)).await.is_ok(),
            _ => sessions.delete(&id(1)).await.is_ok(),
        };
        *if is_done { &mut done } else { &mut refused } += 1;
    }
    is_over.store(true, Ordering::Relaxed);
    assert!(swapping.join().unwrap() > 100 && refused > 0 && done > 0, "{refused} {done}");
    assert!(fs::read(&foreign).unwrap() == [b'f'; 4096], "the foreign file was touched");
}
