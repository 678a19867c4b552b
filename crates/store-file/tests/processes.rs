//! Several processes on one directory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may, as tests do")]

mod common;

use std::env;
use std::fs::OpenOptions;
use std::process::Command;
use std::time::Duration;

use common::{NOW, Sessions, at, hex, id, record};
use nexios_store_core::{SessionStore, StoreErrorKind, UpdateOutcome};
use nexios_store_file::{Durability, FileStore};

const DIR: &str = "NEXIOS_TEST_SESSION_DIR";
const PROCESSES: u64 = 4;
const INCREMENTS: u64 = 250;

#[tokio::test]
async fn increments_of_several_processes_end_at_the_exact_sum() {
    let sessions = Sessions::new(Durability::Fast);
    sessions.created(&id(1), &record(0_u64.to_le_bytes())).await;
    let child = || {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "a_child_process"]).env(DIR, sessions.dir());
        command.spawn().unwrap()
    };
    let children: Vec<_> = (0..PROCESSES).map(|_| child()).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let stored = sessions.load(&id(1), NOW).await.unwrap().unwrap();
    assert_eq!(stored.record.payload, (PROCESSES * INCREMENTS).to_le_bytes()[..]);
}

#[tokio::test]
async fn a_child_process() {
    // This test does something only in the processes that the test above starts.
    let Some(dir) = env::var_os(DIR) else { return };
    let store = FileStore::open(dir).unwrap();
    let mut done = 0;
    while done < INCREMENTS {
        let stored = store.load(&id(1), NOW).await.unwrap().unwrap();
        let value = u64::from_le_bytes(stored.record.payload[..].try_into().unwrap());
        let next = record((value + 1).to_le_bytes());
        match store.update(&id(1), stored.revision, &next, NOW).await.unwrap() {
            UpdateOutcome::Updated(_) => done += 1,
            UpdateOutcome::Conflict => {}
            UpdateOutcome::Missing => panic!("the counter is gone"),
        }
    }
}

#[tokio::test]
async fn writers_wait_for_a_lock_until_a_timeout_and_readers_never() {
    let sessions = Sessions::new(Durability::Fast);
    let revision = sessions.created(&id(1), &record("a")).await;
    let impatient = FileStore::builder(sessions.dir()).lock_timeout(Duration::from_millis(5)).open().unwrap();
    let stripes: Vec<_> = (0..64)
        .map(|stripe| {
            let path = sessions.dir().join(format!(".locks/{stripe:02x}"));
            OpenOptions::new().write(true).open(path).unwrap()
        })
        .collect();
    for stripe in &stripes {
        stripe.lock().unwrap();
    }

    let error = impatient.update(&id(1), revision, &record("b"), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Backend);
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "timed out waiting for the lock of a session record");
    assert!(impatient.delete(&id(1)).await.is_err());
    assert_eq!(impatient.load(&id(1), NOW).await.unwrap().unwrap().record, record("a"));
    let swept = impatient.expiry().unwrap().delete_expired(at(u64::MAX), 9.try_into().unwrap()).await.unwrap();
    assert_eq!((swept.removed, swept.more), (0, false));

    // Closing its files releases the locks of a killed process. The lock files stay.
    drop(stripes);
    let updated = impatient.update(&id(1), revision, &record("b"), NOW).await.unwrap();
    assert!(matches!(updated, UpdateOutcome::Updated(_)));
}

#[tokio::test]
async fn only_one_process_sweeps() {
    let sessions = Sessions::new(Durability::Fast);
    sessions.created(&id(1), &record("a")).await;
    let other = OpenOptions::new().write(true).open(sessions.dir().join(".locks/sweep")).unwrap();
    other.lock().unwrap();
    for expected in [0, 1] {
        let swept = sessions.expiry().unwrap().delete_expired(at(u64::MAX), 9.try_into().unwrap()).await.unwrap();
        assert_eq!((swept.removed, swept.more), (expected, false));
        other.unlock().unwrap();
    }
}

#[tokio::test]
async fn a_removed_directory_is_a_failure_and_not_an_absent_session() {
    let sessions = Sessions::new(Durability::Fast);
    let revision = sessions.created(&id(1), &record("a")).await;
    std::fs::remove_dir_all(sessions.dir()).unwrap();
    for error in [
        sessions.load(&id(1), NOW).await.unwrap_err(),
        sessions.load(&id(2), NOW).await.unwrap_err(),
        sessions.create(&id(2), &record("a"), NOW).await.unwrap_err(),
        sessions.update(&id(1), revision, &record("a"), NOW).await.unwrap_err(),
        sessions.touch(&id(1), revision, at(9_000_000), NOW).await.unwrap_err(),
        sessions.rename(&id(1), revision, &id(2), &record("a"), NOW).await.unwrap_err(),
        sessions.delete(&id(1)).await.unwrap_err(),
        sessions.set_aside(&id(1)).await.unwrap_err(),
        sessions.expiry().unwrap().delete_expired(NOW, 9.try_into().unwrap()).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), StoreErrorKind::Backend);
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the session directory was removed");
    }
    assert!(!sessions.dir().exists(), "{} was not made again", hex(&id(1)));
}

#[test]
fn a_call_without_a_runtime_is_an_error_not_a_panic() {
    let sessions = Sessions::new(Durability::Fast);
    let mut load = std::pin::pin!(sessions.load(&SESSION, NOW));
    let polled = load.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
    let std::task::Poll::Ready(Err(error)) = polled else { panic!("{polled:?}") };
    assert_eq!(error.kind(), StoreErrorKind::Backend);
}

const SESSION: nexios_store_core::SessionId = nexios_store_core::SessionId::from_bytes([1; 16]);
