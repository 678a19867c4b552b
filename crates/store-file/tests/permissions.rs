//! The modes of files and directories. These tests are a program of their own, because the umask belongs to the whole
//! process.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may, as tests do")]

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use common::{NOW, id, record, slot, tagged};
use nexios_store_core::{RenameOutcome, SessionStore, UpdateOutcome};
use nexios_store_file::FileStore;
use rustix::fs::Mode;

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn nobody_else_can_read_anything_whatever_the_umask() {
    rustix::process::umask(Mode::empty());
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("made/on/the/way/sessions");
    let store = FileStore::open(&dir).unwrap();
    let nexios_store_core::CreateOutcome::Created(revision) = store.create(&id(1), &record("a"), NOW).await.unwrap()
    else {
        panic!("the id is free")
    };
    let grown = store.update(&id(1), revision, &record(vec![0; 9000]), NOW).await.unwrap();
    let UpdateOutcome::Updated(revision) = grown else { panic!("{grown:?}") };
    let renamed = store.rename(&id(1), revision, &id(2), &tagged("b", 7), NOW).await.unwrap();
    assert!(matches!(renamed, RenameOutcome::Renamed(_)));
    assert!(store.create(&id(1), &record("a"), NOW).await.is_ok());
    let broken = dir.join("01").join(common::hex(&id(1)));
    fs::write(&broken, slot(&id(9), 1, b"damaged")).unwrap();
    store.set_aside(&id(1)).await.unwrap();

    let mut unread = vec![parent.path().join("made")];
    let (mut files, mut directories) = (0, 0);
    while let Some(path) = unread.pop() {
        if path.is_dir() {
            assert_eq!(mode(&path), 0o700, "{}", path.display());
            directories += 1;
            unread.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
            files += 1;
        }
    }
    assert_eq!((files, directories), (81 + 3, 5 + 4 + 2));
}

#[test]
fn a_directory_that_others_can_enter_is_refused() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("sessions");
    fs::create_dir(&dir).unwrap();
    for mode in [0o750, 0o701, 0o777, 0o710] {
        fs::set_permissions(&dir, Permissions::from_mode(mode)).unwrap();
        let message = FileStore::open(&dir).unwrap_err().to_string();
        let expected = format!(
            "SESSION_DIR is `{}`, which is open to other users (mode {mode:04o}): run `chmod 700` on it if it holds \
             nothing but sessions, or choose another directory",
            dir.display(),
        );
        assert_eq!(message, expected);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 0, "nothing was made in it");
    }
    fs::set_permissions(&dir, Permissions::from_mode(0o700)).unwrap();
    assert!(FileStore::open(&dir).is_ok());
}

#[test]
fn a_directory_of_another_user_is_refused() {
    let parent = tempfile::tempdir().unwrap();
    let ours = parent.path().join("sessions");
    fs::create_dir(&ours).unwrap();
    fs::set_permissions(&ours, Permissions::from_mode(0o700)).unwrap();
    // Root can give a directory away. For everybody else, `/` belongs to root.
    let (dir, owner) = if chown(&ours, Some(12345), None).is_ok() { (&*ours, 12345) } else { (Path::new("/"), 0) };
    let message = FileStore::open(dir).unwrap_err().to_string();
    let process = rustix::process::geteuid().as_raw();
    let expected =
        format!("which belongs to the user {owner}, but this process runs as {process}: choose a directory of its own");
    assert!(message.ends_with(&expected), "{message}");
}
