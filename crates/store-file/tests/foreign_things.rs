//! The store does not read, write or remove anything but regular files of its own with one link.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may, as tests do")]

mod common;

use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use common::outage::is_an_outage;
use common::{ADA, NOW, Sessions, id, listed, marker, namespace, slot};
use nexios_store_core::SessionStore;
use nexios_store_file::Durability;

/// Plants a thing at the name of session 1, which the index has for a user. Checks that each operation says that it
/// cannot use the thing and leaves it as it is, and that the index does not leave it out.
async fn is_refused(name: &str, plant: impl FnOnce(&Sessions, &Path)) -> Sessions {
    let sessions = Sessions::new(Durability::Fast);
    fs::create_dir(sessions.dir().join("01")).unwrap();
    let (path, target) = (sessions.path(&id(1)), sessions.dir().join("target"));
    let valid = [slot(&id(1), 5, b"planted"), vec![0; 2048]].concat();
    fs::write(&target, &valid).unwrap();
    plant(&sessions, &path);
    fs::create_dir_all(marker(&sessions, ADA, &id(1)).parent().unwrap()).unwrap();
    fs::write(marker(&sessions, ADA, &id(1)), "").unwrap();
    let before = fs::symlink_metadata(&path).unwrap().file_type();

    is_an_outage(&sessions, name).await;

    assert_eq!(fs::symlink_metadata(&path).unwrap().file_type(), before, "{name}");
    assert!(fs::read(&target).unwrap() == valid, "{name}: the target was touched");
    assert_eq!(sessions.load(&id(2), NOW).await.unwrap(), None);
    assert_eq!(listed(&sessions, ADA).await, [id(1)], "{name}: after the sweep");
    sessions
}

#[tokio::test]
async fn a_symbolic_link_is_not_followed() {
    is_refused("link", |sessions, path| symlink(sessions.dir().join("target"), path).unwrap()).await;
}

#[tokio::test]
async fn a_dangling_link_is_not_followed() {
    is_refused("dangling link", |_, path| symlink("nowhere", path).unwrap()).await;
}

#[tokio::test]
async fn a_link_to_itself_is_not_followed() {
    is_refused("loop", |_, path| symlink(path, path).unwrap()).await;
}

#[tokio::test]
async fn a_hard_link_is_refused() {
    is_refused("hard link", |sessions, path| fs::hard_link(sessions.dir().join("target"), path).unwrap()).await;
}

#[tokio::test]
async fn a_directory_is_refused() {
    is_refused("directory", |_, path| fs::create_dir(path).unwrap()).await;
}

#[tokio::test]
async fn a_fifo_is_refused_without_waiting_for_its_other_end() {
    is_refused("fifo", |_, path| {
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
        assert!(fs::symlink_metadata(path).unwrap().file_type().is_fifo());
    })
    .await;
}

#[tokio::test]
async fn a_socket_is_refused() {
    is_refused("socket", |_, path| {
        // In some temporary directories the path is too long for the address of a socket.
        let near = tempfile::tempdir_in("/tmp").unwrap();
        let _listener = UnixListener::bind(near.path().join("socket")).unwrap();
        fs::rename(near.path().join("socket"), path).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_device_is_refused() {
    if !namespace::entered("a_device_is_refused") {
        return;
    }
    let sessions = is_refused("device", |_, path| {
        fs::write(path, "").unwrap();
        namespace::bind("/dev/null", path);
        assert!(fs::symlink_metadata(path).unwrap().file_type().is_char_device());
    })
    .await;
    namespace::unmount(&sessions.path(&id(1)));
}

#[tokio::test]
async fn a_lock_file_that_is_a_link_or_a_fifo_is_refused_at_open() {
    for is_link in [true, false] {
        let sessions = Sessions::new(Durability::Fast);
        let lock = sessions.dir().join(".locks/07");
        fs::remove_file(&lock).unwrap();
        if is_link {
            symlink("/dev/null", &lock).unwrap();
        } else {
            assert!(std::process::Command::new("mkfifo").arg(&lock).status().unwrap().success());
        }
        let message = nexios_store_file::FileStore::open(sessions.dir()).unwrap_err().to_string();
        assert!(message.contains("opening a lock file"), "{message}");
    }
}
