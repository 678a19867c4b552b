//! The index of principals on the disk: what it holds, and what the store does not believe.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may, as tests do")]

mod common;

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, symlink};

use common::{ADA, LATER, NOW, Sessions, at, id, listed, marker, record, tagged};
use nexios_store_core::{DeleteOutcome, PrincipalTag, SessionStore, StoreErrorKind, UpdateOutcome};
use nexios_store_file::Durability;

const BOB: u8 = 0xb0;

#[tokio::test]
async fn a_marker_comes_with_a_record_and_goes_with_it() {
    let sessions = Sessions::new(Durability::Fast);
    sessions.created(&id(1), &tagged("a", ADA)).await;
    sessions.created(&id(2), &record("nobody's")).await;
    assert_eq!(fs::metadata(marker(&sessions, ADA, &id(1))).unwrap().len(), 0);
    assert_eq!(listed(&sessions, ADA).await, [id(1)]);
    assert_eq!(sessions.delete(&id(1)).await.unwrap(), DeleteOutcome::Deleted);
    assert!(!marker(&sessions, ADA, &id(1)).exists());
}

#[tokio::test]
async fn a_marker_without_its_record_is_dropped() {
    let sessions = Sessions::new(Durability::Fast);
    sessions.created(&id(1), &tagged("a", ADA)).await;
    let planted = [marker(&sessions, ADA, &id(2)), marker(&sessions, BOB, &id(1))];
    for path in &planted {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    assert_eq!(listed(&sessions, ADA).await, [id(1)]);
    assert_eq!(listed(&sessions, BOB).await, []);
    assert!(planted.iter().all(|path| !path.exists()));
    assert!(marker(&sessions, ADA, &id(1)).exists());
}

#[tokio::test]
async fn an_expired_record_keeps_its_marker_until_it_is_swept() {
    let sessions = Sessions::new(Durability::Fast);
    sessions.created(&id(1), &tagged("a", ADA)).await;
    let index = sessions.principals().unwrap();
    assert_eq!(index.sessions_of(&PrincipalTag::from_bytes([ADA; 32]), LATER).await.unwrap(), []);
    assert_eq!(listed(&sessions, ADA).await, [id(1)]);
    let swept = sessions.expiry().unwrap().delete_expired(LATER, 9.try_into().unwrap()).await.unwrap();
    assert_eq!((swept.removed, marker(&sessions, ADA, &id(1)).exists()), (1, false));
}

#[tokio::test]
async fn damage_does_not_bring_back_a_version_of_another_principal() {
    let sessions = Sessions::new(Durability::Fast);
    let revision = sessions.created(&id(1), &tagged("ada's", ADA)).await;
    let updated = sessions.update(&id(1), revision, &tagged("bob's", BOB), NOW).await.unwrap();
    assert!(matches!(updated, UpdateOutcome::Updated(_)));
    assert!(marker(&sessions, BOB, &id(1)).exists() && !marker(&sessions, ADA, &id(1)).exists());
    let file = OpenOptions::new().write(true).read(true).open(sessions.path(&id(1))).unwrap();
    let mut whole = vec![0; 4096];
    file.read_exact_at(&mut whole, 0).unwrap();
    let flipped = whole.windows(5).position(|bytes| bytes == b"bob's").unwrap();
    file.write_all_at(b"?", flipped as u64).unwrap();
    assert_eq!(sessions.load(&id(1), NOW).await.unwrap_err().kind(), StoreErrorKind::Corrupt);
}

#[tokio::test]
async fn foreign_things_among_the_markers_are_left_alone() {
    let sessions = Sessions::new(Durability::Fast);
    sessions.created(&id(1), &tagged("a", ADA)).await;
    let shard = marker(&sessions, ADA, &id(1)).parent().unwrap().to_owned();
    fs::write(shard.join("notes"), "mine").unwrap();
    fs::create_dir(marker(&sessions, ADA, &id(2))).unwrap();
    symlink("notes", marker(&sessions, ADA, &id(3))).unwrap();
    assert_eq!(listed(&sessions, ADA).await, [id(1)]);
    let swept = sessions.expiry().unwrap().delete_expired(at(u64::MAX), 9.try_into().unwrap()).await.unwrap();
    assert_eq!((swept.removed, swept.more), (1, false));
    let mut left: Vec<_> = fs::read_dir(shard).unwrap().map(|entry| entry.unwrap().path()).collect();
    left.sort();
    assert_eq!(left.len(), 3, "{left:?}");
}
