//! (a) What was written is read back byte for byte.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nexios_store_core::{Record, SessionId, StoreErrorKind, Timestamp};
use tokio::task::yield_now;

use super::{NO_DAMAGE, patterned};
use crate::caller::{ensure, ensure_eq};
use crate::race::at_once;
use crate::{Subject, Verdict};

/// A record of any size, with and without a principal, is read back as it was created, updated and renamed.
pub async fn a_what_was_written_is_read_back(subject: &Subject) -> Verdict {
    let caller = subject.caller('a');
    let far = Timestamp::from_unix_millis(253_402_300_799_999); // the end of the year 9999
    for len in [0, 1, 255, 256, 257, 4095, 4096, 4097, 65_536, 300_000] {
        let anonymous = caller.record(patterned(len));
        let tagged = caller.tagged(patterned(len), caller.tag());
        let lasting = Record { expires_at: far, ..tagged.clone() };
        for record in [anonymous, tagged, lasting] {
            let (id, revision) = caller.session(&record).await;
            caller.finds(&id, &record, revision, "after a create").await;
            caller.finds(&id, &record, revision, "when it is read again").await;

            let (id, revision) = caller.session(&caller.record("before")).await;
            let revision = caller.updated(&id, revision, &record).await;
            caller.finds(&id, &record, revision, "after an update").await;

            let (old, revision) = caller.session(&caller.record("before")).await;
            let new = caller.id();
            let revision = caller.renamed(&old, revision, &new, &record).await;
            caller.finds(&new, &record, revision, "after a rename").await;
        }
    }
    Verdict::Holds
}

/// A record is always what was written last, while it grows and shrinks, gains and loses a principal, and lives longer
/// or shorter with each update.
pub async fn a_an_update_replaces_the_whole_record(subject: &Subject) -> Verdict {
    let caller = subject.caller('a');
    let first = caller.record("first");
    let (id, mut revision) = caller.session(&first).await;
    for (len, minutes, tag) in [
        (10, 10, Some(caller.tag())),
        (2_000, 90, None),
        (10, 5, Some(caller.tag())),
        (100_000, 5, None),
        (0, 1, Some(caller.tag())),
        (50_000, 1_000, None),
        (3, 2, None),
    ] {
        let expires_at = caller.now().saturating_add(Duration::from_secs(60 * minutes));
        let next = Record { payload: patterned(len), expires_at, principal: tag };
        revision = caller.updated(&id, revision, &next).await;
        caller.finds(&id, &next, revision, "after it was replaced by one of another size, life and principal").await;
    }
    Verdict::Holds
}

/// Ids that differ in one bit are different sessions. So are the ids of all zeros and of all ones.
pub async fn a_similar_ids_are_different_sessions(subject: &Subject) -> Verdict {
    let caller = subject.caller('a');
    let base = *caller.id().as_bytes();
    let flipped = |byte: usize, bit: u8| {
        let mut bytes = base;
        bytes[byte] ^= 1 << bit;
        bytes
    };
    let ids = [
        base,
        flipped(0, 0),
        flipped(0, 7),
        flipped(7, 5),
        flipped(8, 2),
        flipped(15, 0),
        flipped(15, 7),
        [0; 16],
        [255; 16],
    ]
    .map(SessionId::from_bytes);
    let mut sessions = Vec::new();
    for (n, id) in ids.into_iter().enumerate() {
        let record = caller.record(format!("session {n}"));
        let revision = caller.created(&id, &record).await;
        sessions.push((id, record, revision));
    }
    caller.deleted(&ids[0]).await;
    for (id, record, revision) in &sessions[1..] {
        caller.finds(id, record, *revision, "of a session beside one with a similar id").await;
    }
    Verdict::Holds
}

/// Readers beside a writer see whole records, and never an older one than was acknowledged before they asked.
pub async fn a_reads_during_writes_are_whole_and_not_old(subject: &Subject) -> Verdict {
    let caller = subject.caller('a');
    // Long and short records, so that a store has to grow and a torn read shows.
    let template = caller.record("");
    let version = move |number: u64| {
        let copies = if number % 40 < 20 { 20 } else { 2_500 };
        Record { payload: number.to_le_bytes().repeat(copies).into(), ..template.clone() }
    };
    let (id, first) = caller.session(&version(0)).await;
    let [begun, answered, seen] = [const { AtomicU64::new(0) }; 3].map(Arc::new);
    at_once(1 + READERS, |n| {
        let (caller, version) = (caller.clone(), version.clone());
        let [begun, answered, seen] = [&begun, &answered, &seen].map(Arc::clone);
        async move {
            if n == 0 {
                let (mut number, mut revision) = (0, first);
                // Until the readers have seen some of it, because they may be late, or slow.
                while number < WRITES || seen.load(Ordering::SeqCst) < SEEN {
                    number += 1;
                    begun.store(number, Ordering::SeqCst);
                    revision = caller.updated(&id, revision, &version(number)).await;
                    answered.store(number, Ordering::SeqCst);
                    yield_now().await;
                }
                answered.store(u64::MAX, Ordering::SeqCst);
                return;
            }
            let mut last_seen = 0;
            loop {
                let least = answered.load(Ordering::SeqCst);
                let is_last = least == u64::MAX;
                let least = if is_last { begun.load(Ordering::SeqCst) } else { least };
                let Some(stored) = caller.load(&id).await else {
                    caller.broken(format_args!("expected a record that is being updated to be there, got none"))
                };
                let most = begun.load(Ordering::SeqCst);
                let number = stored.record.payload.first_chunk().map_or(u64::MAX, |bytes| u64::from_le_bytes(*bytes));
                ensure!(
                    caller,
                    (least..=most).contains(&number),
                    "expected a reader to see a version between {least}, answered when it asked, and {most}, got {number}"
                );
                caller.is_record(&stored.record, &version(number), "that is read while it is updated");
                if is_last {
                    return;
                }
                seen.fetch_add(u64::from(number != last_seen), Ordering::SeqCst);
                last_seen = number;
                yield_now().await;
            }
        }
    })
    .await;
    Verdict::Holds
}

/// `set_aside` leaves a readable record alone, and an id without a record, too.
pub async fn a_set_aside_leaves_a_readable_record(subject: &Subject) -> Verdict {
    let caller = subject.caller('a');
    let tag = caller.tag();
    let record = caller.tagged("readable", tag);
    let (id, revision) = caller.session(&record).await;
    let unknown = caller.id();
    for id in [&id, &unknown] {
        caller.answer("set_aside", caller.store().set_aside(id).await);
    }
    caller.finds(&id, &record, revision, "after it was set aside although it is readable").await;
    caller.lists(&tag, &[id], "after one was set aside although it is readable").await;
    caller.finds_nothing(&unknown, "of an unknown id that was set aside").await;
    Verdict::Holds
}

/// A damaged record is the error `Corrupt`, and neither an absent session nor another one. Other records stay readable.
///
/// Applies if the subject says how a record is [damaged](Subject::damage).
pub async fn a_a_damaged_record_is_an_error(subject: &Subject) -> Verdict {
    let caller = subject.caller('a');
    let Some(damage) = subject.damage_injection() else { return NO_DAMAGE };
    let record = caller.record("hush-hush");
    let (id, revision) = caller.session(&record).await;
    let (healthy, healthy_revision) = caller.session(&record).await;
    damage(id).await;
    let calls = [
        ("load", caller.store().load(&id, caller.now()).await.err()),
        ("update", caller.store().update(&id, revision, &record, caller.now()).await.err()),
        ("rename", caller.store().rename(&id, revision, &caller.id(), &record, caller.now()).await.err()),
    ];
    for (call, error) in calls {
        let Some(error) = error else {
            caller.broken(format_args!("expected `{call}` of a damaged record to fail, got an answer"))
        };
        ensure_eq!(caller, error.kind(), StoreErrorKind::Corrupt, "the error of `{call}` of a damaged record");
        caller.keeps_secrets(&error, &[id], "hush-hush");
    }
    caller.finds(&healthy, &record, healthy_revision, "beside a damaged one").await;
    caller.answer("set_aside", caller.store().set_aside(&id).await);
    caller.finds(&healthy, &record, healthy_revision, "after a damaged one was set aside").await;
    let after = caller.store().load(&id, caller.now()).await;
    ensure!(caller, !matches!(after, Ok(Some(_))), "expected a damaged record not to be read once it was set aside");
    Verdict::Holds
}

const READERS: usize = 3;
/// The least number of writes. There are as many more as it takes.
const WRITES: u64 = 200;
const SEEN: u64 = 100;
