use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nexios_signer::KeyRing;
use nexios_store_core::{
    CreateOutcome, DeleteExpired, DeleteOutcome, PrincipalIndex, Record, RenameOutcome, Result, Revision, SessionId,
    SessionStore, StoreErrorKind, Stored, Timestamp, TouchOutcome, UpdateOutcome, async_trait,
};

use crate::seal::RecordSealer;

/// A store that seals its records and keeps them in another store.
///
/// The [crate] documentation has an example, and says what the store hides and what becomes of records that no key
/// opens.
pub struct EncryptedStore<S> {
    store: S,
    sealer: RecordSealer,
    /// The last time that the operator was told that a retired key is in use, in Unix milliseconds.
    retired_key_told: AtomicU64,
}

impl<S: SessionStore> EncryptedStore<S> {
    /// Keeps records in `store`, sealed under the first of `keys`. Opens records that any of `keys` has sealed.
    pub fn new(store: S, keys: &KeyRing) -> Self {
        Self { store, sealer: RecordSealer::new(keys), retired_key_told: AtomicU64::new(0) }
    }

    /// Writes a record that a retired key has sealed under the first key. Otherwise one that is only read would be lost
    /// with the retired key.
    ///
    /// A failure changes nothing: a record that cannot be written can still be read.
    async fn seal_anew(
        &self,
        id: &SessionId,
        record: Record,
        revision: Revision,
        now: Timestamp,
    ) -> Result<Option<Stored>> {
        let outcome = match self.sealer.seal(id, &record) {
            Ok(sealed) => self.store.update(id, revision, &sealed, now).await,
            Err(error) => Err(error),
        };
        let revision = match outcome {
            Ok(UpdateOutcome::Updated(revision)) => revision,
            Ok(UpdateOutcome::Missing) => return Ok(None),
            // Another caller has written it, under a key of its own choice.
            Ok(UpdateOutcome::Conflict) => revision,
            Err(error) => {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "a session record could not be sealed under the first key; the next load tries again"
                );
                revision
            }
        };
        Ok(Some(Stored { record, revision }))
    }

    /// Tells the operator that a retired key is still in use: at once, and then once a minute for as long as it is.
    fn note_retired_key(&self, now: Timestamp) {
        if now == Timestamp::UNIX_EPOCH {
            return; // somebody looks at the record whether or not it has expired, at no time in particular
        }
        let told = self.retired_key_told.load(Ordering::Relaxed);
        let since = now.saturating_duration_since(Timestamp::from_unix_millis(told));
        // A clock that was set back must not silence the line until it has caught up.
        let is_due = since >= BETWEEN_EVENTS || now.as_unix_millis() < told;
        let tell = |told| {
            self.retired_key_told.compare_exchange(told, now.as_unix_millis(), Ordering::Relaxed, Ordering::Relaxed)
        };
        if is_due && tell(told).is_ok() {
            tracing::info!(
                last_used = now.as_unix_millis(),
                "a session record was opened that a retired key of the ring had sealed; the key can be removed once there \
                 has been none for as long as sessions live"
            );
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for EncryptedStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptedStore").field("store", &self.store).finish_non_exhaustive()
    }
}

#[async_trait]
impl<S: SessionStore> SessionStore for EncryptedStore<S> {
    async fn load(&self, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        let Some(stored) = self.store.load(id, now).await? else { return Ok(None) };
        let (record, sealed_by) = self.sealer.open(id, &stored.record)?;
        if sealed_by.is_retired() {
            self.note_retired_key(now);
            return self.seal_anew(id, record, stored.revision, now).await;
        }
        Ok(Some(Stored { record, ..stored }))
    }

    async fn create(&self, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        self.store.create(id, &self.sealer.seal(id, record)?, now).await
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Revision,
        record: &Record,
        now: Timestamp,
    ) -> Result<UpdateOutcome> {
        self.store.update(id, expected, &self.sealer.seal(id, record)?, now).await
    }

    async fn rename(
        &self,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        self.store.rename(old, expected, new, &self.sealer.seal(new, record)?, now).await
    }

    async fn touch(
        &self,
        id: &SessionId,
        seen: Revision,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<TouchOutcome> {
        self.store.touch(id, seen, expires_at, now).await
    }

    async fn delete(&self, id: &SessionId) -> Result<DeleteOutcome> {
        self.store.delete(id).await
    }

    /// Sets aside what the wrapped store cannot read. A record that merely does not open is in good order there and
    /// stays, because its key may come back.
    async fn set_aside(&self, id: &SessionId) -> Result<()> {
        // At the epoch nothing has expired, so the store looks at the record whatever the time is.
        match self.store.load(id, Timestamp::UNIX_EPOCH).await {
            Err(error) if error.kind() == StoreErrorKind::Corrupt => self.store.set_aside(id).await,
            Err(error) if error.kind() == StoreErrorKind::Backend => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn expiry(&self) -> Option<&dyn DeleteExpired> {
        self.store.expiry()
    }

    fn principals(&self) -> Option<&dyn PrincipalIndex> {
        self.store.principals()
    }
}

const BETWEEN_EVENTS: Duration = Duration::from_secs(60);
