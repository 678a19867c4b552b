//! Records that cannot be used for now are an outage: each operation says so, nothing is moved or removed, and the
//! record is found again as it was. Only what is damaged for good is set aside.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may, as tests do")]

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use common::outage::is_an_outage;
use common::{ADA, BOTH, CORRUPT, Loaded, NOW, Sessions, id, listed, privileges, tagged};
use nexios_store_core::{DeleteOutcome, SessionStore, StoreErrorKind, UpdateOutcome};
use nexios_store_file::Durability;

/// Makes a record of Ada's and an outage of it, and ends the outage. Checks that the record is as it was.
async fn is_found_again(name: &str, begin: impl Fn(&Path, &Path), end: impl Fn(&Path, &Path)) {
    for durability in BOTH {
        let sessions = Sessions::new(durability);
        let revision = sessions.created(&id(1), &tagged("ada's", ADA)).await;
        let (path, elsewhere) = (sessions.path(&id(1)), sessions.dir().join("elsewhere"));
        begin(&path, &elsewhere);
        is_an_outage(&sessions, name).await;
        end(&path, &elsewhere);
        assert_eq!(Loaded::of(sessions.load(&id(1), NOW).await), Loaded::record(revision.as_u64(), b"ada's"), "{name}");
        assert_eq!(listed(&sessions, ADA).await, [id(1)], "{name}");
        let updated = sessions.update(&id(1), revision, &tagged("still ada's", ADA), NOW).await.unwrap();
        assert!(matches!(updated, UpdateOutcome::Updated(_)), "{name}");
        assert_eq!(sessions.delete(&id(1)).await.unwrap(), DeleteOutcome::Deleted, "{name}");
        assert_eq!(listed(&sessions, ADA).await, [], "{name}");
    }
}

/// Checks the same with a thing that takes the place of the record.
async fn is_found_again_beside(thing: &str, plant: impl Fn(&Path, &Path)) {
    let begin = |path: &Path, elsewhere: &Path| {
        fs::rename(path, elsewhere).unwrap();
        plant(path, elsewhere);
    };
    let end = |path: &Path, elsewhere: &Path| {
        if path.is_dir() {
            fs::remove_dir(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
        fs::rename(elsewhere, path).unwrap();
    };
    is_found_again(thing, begin, end).await;
}

#[tokio::test]
async fn a_record_is_found_again_when_its_hard_link_goes() {
    let link = |path: &Path, elsewhere: &Path| fs::hard_link(path, elsewhere).unwrap();
    is_found_again("hard link", link, |_, elsewhere| fs::remove_file(elsewhere).unwrap()).await;
}

#[tokio::test]
async fn a_record_is_found_again_where_a_symbolic_link_was() {
    is_found_again_beside("link", |path, elsewhere| symlink(elsewhere, path).unwrap()).await;
    is_found_again_beside("dangling link", |path, _| symlink("nowhere", path).unwrap()).await;
    is_found_again_beside("loop", |path, _| symlink(path, path).unwrap()).await;
}

#[tokio::test]
async fn a_record_is_found_again_where_a_directory_was() {
    is_found_again_beside("directory", |path, _| fs::create_dir(path).unwrap()).await;
}

#[tokio::test]
async fn a_record_is_found_again_where_a_fifo_was() {
    is_found_again_beside("fifo", |path, _| {
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    })
    .await;
}

#[tokio::test]
async fn a_record_is_found_again_when_its_owner_comes_back() {
    let own = rustix::process::geteuid().as_raw();
    if !rustix::process::geteuid().is_root() {
        return; // Only root can give a file away. For everybody else there is `faults/owner.rs`.
    }
    let give = |to: u32| move |path: &Path, _: &Path| chown(path, Some(to), None).unwrap();
    is_found_again("another owner", give(12345), give(own)).await;
}

#[tokio::test]
async fn a_record_is_found_again_when_it_may_be_read_again() {
    if !privileges::dropped("a_record_is_found_again_when_it_may_be_read_again") {
        return;
    }
    let set = |mode: u32| move |path: &Path, _: &Path| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    is_found_again("no permissions", set(0o000), set(0o600)).await;
}

#[tokio::test]
async fn a_listing_goes_on_past_a_record_that_cannot_be_used() {
    let sessions = Sessions::new(Durability::Fast);
    for number in [1, 2, 3] {
        sessions.created(&id(number), &tagged("ada's", ADA)).await;
    }
    fs::hard_link(sessions.path(&id(2)), sessions.dir().join("copy")).unwrap();
    assert_eq!(listed(&sessions, ADA).await, [id(1), id(2), id(3)]);
    for (number, is_deleted) in [(1, true), (2, false), (3, true)] {
        assert_eq!(sessions.delete(&id(number)).await.is_ok(), is_deleted, "{number}");
    }
    assert_eq!(listed(&sessions, ADA).await, [id(2)]);
}

#[tokio::test]
async fn a_damaged_record_is_set_aside_once_its_hard_link_is_gone() {
    let sessions = Sessions::new(Durability::Fast);
    sessions.plant(&id(1), &[b'?'; 4096]);
    let (copy, kept) = (sessions.dir().join("copy"), sessions.dir().join(".corrupt"));
    fs::hard_link(sessions.path(&id(1)), &copy).unwrap();
    let is_kept = |kept: &PathBuf| fs::read_dir(kept).is_ok_and(|mut names| names.next().is_some());
    for error in [sessions.load(&id(1), NOW).await.map(drop), sessions.set_aside(&id(1)).await] {
        assert_eq!(error.unwrap_err().kind(), StoreErrorKind::Backend);
    }
    assert!(sessions.path(&id(1)).exists() && !is_kept(&kept));

    fs::remove_file(copy).unwrap();
    assert_eq!(Loaded::of(sessions.load(&id(1), NOW).await), CORRUPT);
    sessions.set_aside(&id(1)).await.unwrap();
    assert!(!sessions.path(&id(1)).exists() && is_kept(&kept));
}
