//! The store sets corrupt records aside for the operator, and they do not pile up.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may, as tests do")]

mod common;

use std::fs;
use std::time::{Duration, SystemTime};

use common::{Loaded, NOW, Sessions, hex, id, record, slot};
use nexios_store_core::{CreateOutcome, SessionId, SessionStore};
use nexios_store_file::Durability;

fn set_aside(sessions: &Sessions) -> Vec<String> {
    let Ok(names) = fs::read_dir(sessions.dir().join(".corrupt")) else { return Vec::new() };
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_corrupt_record_is_kept_and_its_id_is_free() {
    let sessions = Sessions::new(Durability::Fast);
    for (content, name) in
        [("one", hex(&id(1))), ("two", format!("{}-1", hex(&id(1)))), ("three", format!("{}-2", hex(&id(1))))]
    {
        sessions.plant(&id(1), content.as_bytes());
        sessions.set_aside(&id(1)).await.unwrap();
        assert_eq!(fs::read(sessions.dir().join(".corrupt").join(name)).unwrap(), content.as_bytes());
        assert_eq!(Loaded::of(sessions.load(&id(1), NOW).await), Loaded::Absent);
    }
    assert!(matches!(sessions.create(&id(1), &record("new"), NOW).await, Ok(CreateOutcome::Created(_))));
}

#[tokio::test]
async fn a_record_that_is_readable_or_absent_is_left_alone() {
    let sessions = Sessions::new(Durability::Fast);
    sessions.created(&id(1), &record("fine")).await;
    sessions.plant(&id(2), b"");
    let mut damaged = slot(&id(3), 6, b"new");
    damaged[97] ^= 1;
    sessions.plant(&id(3), &[slot(&id(3), 5, b"previous"), damaged].concat());
    for number in 1..=4 {
        sessions.set_aside(&id(number)).await.unwrap();
    }
    assert_eq!(set_aside(&sessions), [""; 0]);
    assert!((1..=3).all(|number| sessions.path(&id(number)).exists()));
}

#[tokio::test]
async fn the_quarantine_keeps_the_latest_hundred_files() {
    let sessions = Sessions::new(Durability::Fast);
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    let number = |number: u8| SessionId::from_bytes([number; 16]);
    fs::create_dir(sessions.dir().join(".corrupt")).unwrap();
    fs::write(sessions.dir().join(".corrupt/notes"), "the operator's").unwrap();
    for n in 0..110 {
        sessions.plant(&number(n), b"?");
        // The times go down while the names go up, so the two orders differ.
        let time = start + Duration::from_secs(1000 - u64::from(n));
        fs::File::open(sessions.path(&number(n))).unwrap().set_modified(time).unwrap();
        sessions.set_aside(&number(n)).await.unwrap();
        assert!(set_aside(&sessions).contains(&hex(&number(n))), "the newcomer is kept");
    }
    let kept = set_aside(&sessions);
    assert_eq!(kept.len(), 101);
    assert!(kept.contains(&"notes".to_owned()));
    assert!(kept.contains(&hex(&number(0))) && !kept.contains(&hex(&number(105))), "{kept:?}");
}

#[tokio::test]
async fn the_quarantine_keeps_at_most_16_mib() {
    let sessions = Sessions::new(Durability::Fast);
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    for (n, mib, kept) in [(1, 6, 1), (2, 6, 2), (3, 6, 2), (4, 1, 3), (5, 20, 1)] {
        sessions.plant(&id(n), &vec![b'?'; mib << 20]);
        let time = start + Duration::from_secs(u64::from(n));
        fs::File::open(sessions.path(&id(n))).unwrap().set_modified(time).unwrap();
        sessions.set_aside(&id(n)).await.unwrap();
        assert_eq!(set_aside(&sessions).len(), kept, "{n}");
    }
    assert_eq!(set_aside(&sessions), [hex(&id(5))]);
}
