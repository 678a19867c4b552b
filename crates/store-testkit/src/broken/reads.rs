//! Reads that give something else than was written, or that find a record for too long.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nexios_store_core::{
    CreateOutcome, DeleteOutcome, Record, Result, SessionId, SessionStore, StoreError, StoreErrorKind, Stored,
    Timestamp, async_trait,
};

use super::twist::Twist;
use super::{Model, others_run};

#[derive(Default)]
pub(super) struct CutsLongPayloads;

#[async_trait]
impl Twist for CutsLongPayloads {
    async fn load(&self, model: &Model, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        let mut stored = model.load(id, now).await?;
        if let Some(stored) = &mut stored {
            stored.record.payload.truncate(usize::from(u16::MAX));
        }
        Ok(stored)
    }
}

/// Like a column that is too short, or a file system that folds case.
#[derive(Default)]
pub(super) struct FoldsIds;

impl FoldsIds {
    fn folded(id: &SessionId) -> SessionId {
        let mut bytes = *id.as_bytes();
        bytes[15] = 0;
        SessionId::from_bytes(bytes)
    }
}

#[async_trait]
impl Twist for FoldsIds {
    async fn load(&self, model: &Model, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        model.load(&Self::folded(id), now).await
    }

    async fn create(&self, model: &Model, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        model.create(&Self::folded(id), record, now).await
    }

    async fn delete(&self, model: &Model, id: &SessionId) -> Result<DeleteOutcome> {
        model.delete(&Self::folded(id)).await
    }
}

/// Like a reader of a file that is written in place.
#[derive(Default)]
pub(super) struct ReadsInTwoHalves;

#[async_trait]
impl Twist for ReadsInTwoHalves {
    async fn load(&self, model: &Model, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        let first = model.load(id, now).await?;
        others_run().await;
        let second = model.load(id, now).await?;
        Ok(first.zip(second).map(|(first, second)| {
            let half = first.record.payload.len() / 2;
            let rest = second.record.payload.get(half..).unwrap_or_default();
            let payload = [&first.record.payload[..half], rest].concat();
            Stored { record: Record { payload: payload.into(), ..first.record }, revision: first.revision }
        }))
    }
}

#[derive(Default)]
pub(super) struct ReadsFromACache(Mutex<HashMap<SessionId, Stored>>);

#[async_trait]
impl Twist for ReadsFromACache {
    async fn load(&self, model: &Model, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        let loaded = model.load(id, now).await?;
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = loaded {
            cache.entry(*id).or_insert(loaded);
        }
        Ok(cache.get(id).cloned())
    }

    async fn create(&self, model: &Model, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        let created = model.create(id, record, now).await?;
        if let CreateOutcome::Created(revision) = created {
            let stored = Stored { record: record.clone(), revision };
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(*id, stored);
        }
        Ok(created)
    }
}

#[derive(Default)]
pub(super) struct SetsAsideWhatIsReadable;

#[async_trait]
impl Twist for SetsAsideWhatIsReadable {
    async fn set_aside(&self, model: &Model, id: &SessionId) -> Result<()> {
        model.delete(id).await.map(drop)
    }
}

#[derive(Default)]
pub(super) struct TakesDamageForAbsence;

#[async_trait]
impl Twist for TakesDamageForAbsence {
    async fn load(&self, model: &Model, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        model.load(id, now).await.or_else(|error| match error.kind() {
            StoreErrorKind::Corrupt => Ok(None),
            _ => Err(error),
        })
    }
}

/// Like a file store that names the file.
#[derive(Default)]
pub(super) struct TellsIdsInErrors;

impl TellsIdsInErrors {
    fn cause(id: &SessionId) -> String {
        format!("cannot read sessions/{}", String::from_utf8_lossy(&id.to_hex()))
    }
}

#[async_trait]
impl Twist for TellsIdsInErrors {
    async fn load(&self, model: &Model, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        model.load(id, now).await.map_err(|_| StoreError::corrupt(Self::cause(id)))
    }

    async fn delete(&self, model: &Model, id: &SessionId) -> Result<DeleteOutcome> {
        model.delete(id).await.map_err(|_| StoreError::backend(Self::cause(id)))
    }
}

#[derive(Default)]
pub(super) struct ForgetsExpiry;

#[async_trait]
impl Twist for ForgetsExpiry {
    async fn load(&self, model: &Model, id: &SessionId, _: Timestamp) -> Result<Option<Stored>> {
        model.load(id, Timestamp::UNIX_EPOCH).await
    }
}

/// Like a comparison with `<` in place of `<=`.
#[derive(Default)]
pub(super) struct ExpiresLate;

#[async_trait]
impl Twist for ExpiresLate {
    async fn load(&self, model: &Model, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        model.load(id, now.saturating_sub(Duration::from_millis(1))).await
    }
}
