//! A record that cannot be used, as each operation of the store sees it.

use std::fs;

use nexios_store_core::{Result, SessionStore, StoreErrorKind};

use super::{ADA, NOW, Sessions, at, id, listed, marker, paths_below, record};

/// Checks that each operation on session 1, which the index has for Ada, fails as in an outage. All files stay where they
/// are, and the sweep goes on to other records.
pub(crate) async fn is_an_outage(sessions: &Sessions, name: &str) {
    let source = sessions.created(&id(2), &record("x")).await;
    let before = paths_below(&sessions.dir());
    let (one, revision) = (id(1), source);
    let results: [Result<()>; 8] = [
        sessions.load(&one, NOW).await.map(drop),
        sessions.create(&one, &record("x"), NOW).await.map(drop),
        sessions.update(&one, revision, &record("x"), NOW).await.map(drop),
        sessions.touch(&one, revision, at(9_000_000), NOW).await.map(drop),
        sessions.rename(&one, revision, &id(3), &record("x"), NOW).await.map(drop),
        sessions.rename(&id(2), source, &one, &record("x"), NOW).await.map(drop),
        sessions.delete(&one).await.map(drop),
        sessions.set_aside(&one).await,
    ];
    for (call, result) in results.into_iter().enumerate() {
        assert_eq!(result.unwrap_err().kind(), StoreErrorKind::Backend, "{name}: call {call}");
    }
    assert_eq!(listed(sessions, ADA).await, [one], "{name}");
    assert_eq!(paths_below(&sessions.dir()), before, "{name}");
    let swept = sessions.expiry().unwrap().delete_expired(at(u64::MAX), 10.try_into().unwrap()).await.unwrap();
    assert_eq!((swept.removed, swept.more), (1, false), "{name}: the sweep goes on to the other record");
    assert!(fs::symlink_metadata(sessions.path(&one)).is_ok() && marker(sessions, ADA, &one).exists(), "{name}");
}
