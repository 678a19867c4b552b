//! Sweeps that remove too much, too little, or count wrong.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use nexios_store_core::{
    CreateOutcome, DeleteExpired, Record, Result, SessionId, SessionStore, Swept, Timestamp, async_trait,
};

use super::twist::Twist;
use super::{Model, others_run};

#[derive(Default)]
pub(super) struct SweepsTheLiving;

#[async_trait]
impl Twist for SweepsTheLiving {
    async fn delete_expired(&self, model: &Model, _: Timestamp, limit: NonZeroUsize) -> Result<Swept> {
        model.delete_expired(Timestamp::MAX, limit).await
    }
}

#[derive(Default)]
pub(super) struct IgnoresTheLimit;

#[async_trait]
impl Twist for IgnoresTheLimit {
    async fn delete_expired(&self, model: &Model, now: Timestamp, _: NonZeroUsize) -> Result<Swept> {
        model.delete_expired(now, NonZeroUsize::MAX).await
    }
}

#[derive(Default)]
pub(super) struct NeverEnds;

#[async_trait]
impl Twist for NeverEnds {
    async fn delete_expired(&self, model: &Model, now: Timestamp, limit: NonZeroUsize) -> Result<Swept> {
        let swept = model.delete_expired(now, limit).await?;
        Ok(Swept { more: true, ..swept })
    }
}

/// Like a list of expiries that only `create` writes to.
#[derive(Default)]
pub(super) struct GoesByTheFirstExpiry(Mutex<HashMap<SessionId, Timestamp>>);

#[async_trait]
impl Twist for GoesByTheFirstExpiry {
    async fn create(&self, model: &Model, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(*id).or_insert(record.expires_at);
        model.create(id, record, now).await
    }

    async fn delete_expired(&self, model: &Model, now: Timestamp, limit: NonZeroUsize) -> Result<Swept> {
        let mut expiries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let removed = expiries.extract_if(|_, expires_at| *expires_at <= now).take(limit.get());
        let removed = removed.filter(|(id, _)| model.map().records.remove(id).is_some()).count();
        Ok(Swept { removed, more: removed == limit.get() })
    }
}

#[derive(Default)]
pub(super) struct CountsWhatItSaw;

#[async_trait]
impl Twist for CountsWhatItSaw {
    async fn delete_expired(&self, model: &Model, now: Timestamp, limit: NonZeroUsize) -> Result<Swept> {
        let seen: Vec<SessionId> = model.map().expired(now).take(limit.get()).collect();
        others_run().await;
        for id in &seen {
            if model.load(id, now).await?.is_none() {
                model.map().records.remove(id);
            }
        }
        Ok(Swept { removed: seen.len(), more: seen.len() == limit.get() })
    }
}

/// Like a sweep that does not look again under the lock.
#[derive(Default)]
pub(super) struct RemovesWhatItSaw;

#[async_trait]
impl Twist for RemovesWhatItSaw {
    async fn delete_expired(&self, model: &Model, now: Timestamp, limit: NonZeroUsize) -> Result<Swept> {
        let seen: Vec<SessionId> = model.map().expired(now).take(limit.get()).collect();
        others_run().await;
        let removed = seen.iter().filter(|id| model.map().records.remove(id).is_some()).count();
        Ok(Swept { removed, more: seen.len() == limit.get() })
    }
}

#[derive(Default)]
pub(super) struct StopsAtABadRecord;

#[async_trait]
impl Twist for StopsAtABadRecord {
    async fn delete_expired(&self, model: &Model, now: Timestamp, limit: NonZeroUsize) -> Result<Swept> {
        let is_stuck = !model.map().damaged.is_empty();
        if is_stuck { Ok(Swept::default()) } else { model.delete_expired(now, limit).await }
    }
}
