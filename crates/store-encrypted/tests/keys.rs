//! Keys come and go, and records stay.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may, as tests do")]

mod common;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{CORRUPT, LATER, Loaded, NEW, NOW, OLD, Records, TAG, created, id, loaded, record, ring, tagged};
use nexios_store_core::*;
use nexios_store_encrypted::EncryptedStore;

#[tokio::test]
async fn what_a_retired_key_sealed_opens_and_the_next_write_is_sealed_under_the_first() {
    let records = Records::default();
    let revision = created(&records.store(&[OLD]), &id(1), &tagged("before")).await;
    let rotated = records.store(&[NEW, OLD]);
    assert_eq!(loaded(&rotated, &id(1)).await, Loaded::Record(tagged("before")));
    assert_eq!(loaded(&records.store(&[NEW]), &id(1)).await, CORRUPT, "a load writes nothing");

    let _ = rotated.touch(&id(1), LATER.saturating_add(std::time::Duration::from_secs(1)), NOW).await.unwrap();
    assert_eq!(loaded(&records.store(&[NEW]), &id(1)).await, CORRUPT, "nor does a touch");

    let updated = rotated.update(&id(1), revision, &tagged("after"), NOW).await.unwrap();
    assert!(matches!(updated, UpdateOutcome::Updated(_)));
    assert_eq!(loaded(&records.store(&[NEW]), &id(1)).await, Loaded::Record(tagged("after")));
}

#[tokio::test]
async fn a_removed_key_opens_nothing_and_its_records_are_there_when_it_comes_back() {
    let records = Records::default();
    created(&records.store(&[OLD]), &id(1), &tagged("before")).await;
    let sealed = records.raw(&id(1)).await;
    let without = records.store(&[NEW]);
    assert_eq!(loaded(&without, &id(1)).await, CORRUPT);
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
    for (answer, is_set_aside, is_error) in [
        (Answer::Damaged, true, false),
        (Answer::Sealed, false, false),
        (Answer::Nothing, false, false),
        (Answer::Newer, false, false),
        (Answer::Fails, false, true),
    ] {
        let wrapped = Arc::new(OneAnswer { answer, set_aside: AtomicUsize::new(0) });
        let store = EncryptedStore::new(wrapped.clone(), &ring(&[NEW]));
        assert_eq!(store.set_aside(&id(1)).await.is_err(), is_error, "{answer:?}");
        assert_eq!(wrapped.set_aside.load(Ordering::SeqCst), usize::from(is_set_aside), "{answer:?}");
        assert!(store.expiry().is_none() && store.principals().is_none(), "what it lacks, the wrapper lacks");
    }
}

/// A store with one answer, that sets aside whatever it is told to.
#[derive(Debug)]
struct OneAnswer {
    answer: Answer,
    set_aside: AtomicUsize,
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Damaged,
    Sealed,
    Nothing,
    Newer,
    Fails,
}

#[async_trait]
impl SessionStore for OneAnswer {
    async fn load(&self, _: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        // Expired at the time the tests take it to be, as what was stored long ago is.
        let record = Record { expires_at: NOW, ..record([1; 80]) };
        match self.answer {
            Answer::Damaged => Err(StoreError::corrupt("torn")),
            Answer::Sealed if record.is_expired(now) => Err(StoreError::corrupt("nobody looks at what has expired")),
            Answer::Sealed => Ok(Some(Stored { record, revision: Revision::new(1) })),
            Answer::Nothing => Ok(None),
            Answer::Newer => Err(StoreError::unsupported("format 9")),
            Answer::Fails => Err(StoreError::backend("unplugged")),
        }
    }

    async fn set_aside(&self, _: &SessionId) -> Result<()> {
        self.set_aside.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn create(&self, _: &SessionId, _: &Record, _: Timestamp) -> Result<CreateOutcome> {
        Ok(CreateOutcome::IdTaken)
    }

    async fn update(&self, _: &SessionId, _: Revision, _: &Record, _: Timestamp) -> Result<UpdateOutcome> {
        Ok(UpdateOutcome::Missing)
    }

    async fn rename(
        &self,
        _: &SessionId,
        _: Revision,
        _: &SessionId,
        _: &Record,
        _: Timestamp,
    ) -> Result<RenameOutcome> {
        Ok(RenameOutcome::Missing)
    }

    async fn touch(&self, _: &SessionId, _: Timestamp, _: Timestamp) -> Result<TouchOutcome> {
        Ok(TouchOutcome::Missing)
    }

    async fn delete(&self, _: &SessionId) -> Result<DeleteOutcome> {
        Ok(DeleteOutcome::Missing)
    }

    fn expiry(&self) -> Option<&dyn DeleteExpired> {
        None
    }

    fn principals(&self) -> Option<&dyn PrincipalIndex> {
        None
    }
}
