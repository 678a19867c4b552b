//! Keys come and go, and records stay.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may, as tests do")]

mod common;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{LATER, Loaded, NEW, NO_KEY, NOW, OLD, Records, TAG, created, id, loaded, record, ring, tagged};
use nexios_store_core::*;
use nexios_store_encrypted::EncryptedStore;
use nexios_store_memory::MemoryStore;
use nexios_store_testkit::hook::{Call, Hook, Hooked, before};

#[tokio::test]
async fn a_load_seals_a_retired_keys_record_anew() {
    let records = Records::default();
    let before = created(&records.store(&[OLD]), &id(1), &tagged("before")).await;
    let rotated = records.store(&[NEW, OLD]);
    let stored = rotated.load(&id(1), NOW).await.unwrap().unwrap();
    assert_eq!(stored.record, tagged("before"));
    assert_eq!(loaded(&records.store(&[NEW]), &id(1)).await, Loaded::Record(tagged("before")), "the old key can go");

    let outdated = rotated.update(&id(1), before, &tagged("after"), NOW).await.unwrap();
    assert_eq!(outdated, UpdateOutcome::Conflict, "it is a write like any other");
    let updated = rotated.update(&id(1), stored.revision, &tagged("after"), NOW).await.unwrap();
    assert!(matches!(updated, UpdateOutcome::Updated(_)), "whose revision the load has told");
    let again = rotated.load(&id(1), NOW).await.unwrap().unwrap();
    assert_eq!(updated, UpdateOutcome::Updated(again.revision), "once is enough");
}

/// A process that is behind writes last, under the key that all others have retired.
#[tokio::test]
async fn a_late_process_loses_no_record_with_the_old_key() {
    let records = Records::default();
    let (late, rotated) = (records.store(&[OLD, NEW]), records.store(&[NEW, OLD]));
    let revision = created(&rotated, &id(1), &record("before")).await;
    let _ = late.update(&id(1), revision, &record("late"), NOW).await.unwrap();
    assert_eq!(loaded(&records.store(&[NEW]), &id(1)).await, NO_KEY, "the old key cannot go yet");
    assert_eq!(loaded(&rotated, &id(1)).await, Loaded::Record(record("late")), "a visit that only reads");
    assert_eq!(loaded(&records.store(&[NEW]), &id(1)).await, Loaded::Record(record("late")));
}

#[tokio::test]
async fn a_record_that_cannot_be_sealed_anew_is_read_all_the_same() {
    let inner = Arc::new(MemoryStore::new());
    let revision = created(&EncryptedStore::new(inner.clone(), &ring(&[OLD])), &id(1), &record("before")).await;
    let full = |call: &Call<'_>| match call {
        Call::Update { .. } => Err(StoreError::backend("disk full")),
        _ => Ok(()),
    };
    let store = EncryptedStore::new(Hooked::new(inner, before(full)), &ring(&[NEW, OLD]));
    let stored = store.load(&id(1), NOW).await.unwrap().unwrap();
    assert_eq!((stored.record, stored.revision), (record("before"), revision));
}

#[tokio::test]
async fn records_of_a_removed_key_stay_until_the_key_comes_back() {
    let records = Records::default();
    created(&records.store(&[OLD]), &id(1), &tagged("before")).await;
    let sealed = records.raw(&id(1)).await;
    let without = records.store(&[NEW]);
    assert_eq!(loaded(&without, &id(1)).await, NO_KEY);
    without.set_aside(&id(1)).await.unwrap();
    assert_eq!(records.raw(&id(1)).await, sealed);
    assert_eq!(without.principals().unwrap().sessions_of(&TAG, NOW).await.unwrap(), [id(1)], "it can be revoked");
    assert_eq!(loaded(&records.store(&[NEW, OLD]), &id(1)).await, Loaded::Record(tagged("before")));
}

#[tokio::test]
async fn a_record_that_no_key_opens_can_be_deleted_and_expires() {
    let records = Records::default();
    for number in 1..=2 {
        created(&records.store(&[OLD]), &id(number), &record("before")).await;
    }
    let without = records.store(&[NEW]);
    assert_eq!(without.delete(&id(1)).await.unwrap(), DeleteOutcome::Deleted);
    assert_eq!(loaded(&without, &id(1)).await, Loaded::Absent);
    let swept = without.expiry().unwrap().delete_expired(LATER, NonZeroUsize::MAX).await.unwrap();
    assert_eq!((swept.removed, loaded(&without, &id(2)).await), (1, Loaded::Absent));
}

#[tokio::test]
async fn only_what_the_wrapped_store_cannot_read_is_set_aside() {
    type Load = fn(Timestamp) -> Result<()>;
    let cases: [(&str, SessionId, Load, usize, bool); 5] = [
        ("damaged", id(1), |_| Err(StoreError::corrupt("torn")), 1, false),
        ("sealed", id(1), |now| if now < NOW { Ok(()) } else { Err(StoreError::corrupt("expired")) }, 0, false),
        ("absent", id(2), |_| Ok(()), 0, false),
        ("newer", id(1), |_| Err(StoreError::unsupported("format 9")), 0, false),
        ("unplugged", id(1), |_| Err(StoreError::backend("unplugged")), 0, true),
    ];
    for (name, id, load, set_aside, is_error) in cases {
        let inner = MemoryStore::new();
        created(&inner, &self::id(1), &record([1; 80])).await;
        let shelf = Arc::new(Shelf { load, set_aside: AtomicUsize::new(0) });
        let store = EncryptedStore::new(Hooked::new(inner, shelf.clone()), &ring(&[NEW]));
        assert_eq!(store.set_aside(&id).await.is_err(), is_error, "{name}");
        assert_eq!(shelf.set_aside.load(Ordering::SeqCst), set_aside, "{name}");
        assert!(store.expiry().is_none() && store.principals().is_none(), "what it lacks, the wrapper lacks");
    }
}

/// Decides whether a load at a time fails, and counts what is set aside.
struct Shelf {
    load: fn(Timestamp) -> Result<()>,
    set_aside: AtomicUsize,
}

#[async_trait]
impl Hook for Shelf {
    async fn before(&self, call: &Call<'_>) -> Result<()> {
        match *call {
            Call::Load { now, .. } => return (self.load)(now),
            Call::SetAside { .. } => _ = self.set_aside.fetch_add(1, Ordering::SeqCst),
            _ => {}
        }
        Ok(())
    }

    fn sweeps(&self) -> bool {
        false
    }

    fn keeps_index(&self) -> bool {
        false
    }
}
