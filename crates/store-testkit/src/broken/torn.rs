//! Operations that leave a mixture when they are dropped, or a gap when they fail half-way.

use std::num::NonZeroUsize;

use nexios_store_core::{
    CreateOutcome, DeleteExpired, DeleteOutcome, Record, Result, Revision, SessionId, SessionStore, Swept, Timestamp,
    TouchOutcome, UpdateOutcome, async_trait,
};

use super::twist::Twist;
use super::{Model, others_run};

/// Writes the record first, then the principal.
#[derive(Default)]
pub(super) struct CreatesInTwoSteps;

#[async_trait]
impl Twist for CreatesInTwoSteps {
    async fn create(&self, model: &Model, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        let created = model.map().create(id, &Record { principal: None, ..record.clone() }, now)?;
        if let CreateOutcome::Created(_) = created {
            others_run().await;
            if let Some(stored) = model.map().live(id, now)? {
                stored.record.principal = record.principal;
            }
        }
        Ok(created)
    }
}

/// Writes the payload first, in place, then the rest.
#[derive(Default)]
pub(super) struct UpdatesInTwoSteps;

#[async_trait]
impl Twist for UpdatesInTwoSteps {
    async fn update(
        &self,
        model: &Model,
        id: &SessionId,
        expected: Revision,
        record: &Record,
        now: Timestamp,
    ) -> Result<UpdateOutcome> {
        if let Some(stored) = model.map().live(id, now)?.filter(|stored| stored.revision == expected) {
            stored.record.payload = record.payload.clone();
        }
        others_run().await;
        model.update(id, expected, record, now).await
    }
}

/// Takes the record out, and puts it back with its new expiry.
#[derive(Default)]
pub(super) struct TouchesInTwoSteps;

#[async_trait]
impl Twist for TouchesInTwoSteps {
    async fn touch(
        &self,
        model: &Model,
        id: &SessionId,
        seen: Revision,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<TouchOutcome> {
        let Some(mut stored) = model.load(id, now).await? else { return Ok(TouchOutcome::Missing) };
        if stored.revision != seen {
            return Ok(TouchOutcome::Conflict);
        }
        model.map().records.remove(id);
        others_run().await;
        stored.record.expires_at = stored.record.expires_at.max(expires_at);
        model.map().records.insert(*id, stored);
        Ok(TouchOutcome::Touched)
    }
}

/// Removes the content first, then the name.
#[derive(Default)]
pub(super) struct DeletesInTwoSteps;

#[async_trait]
impl Twist for DeletesInTwoSteps {
    async fn delete(&self, model: &Model, id: &SessionId) -> Result<DeleteOutcome> {
        if let Some(stored) = model.map().records.get_mut(id) {
            stored.record.payload.clear();
        }
        others_run().await;
        model.delete(id).await
    }
}

/// Takes everything out, and puts the live records back.
#[derive(Default)]
pub(super) struct SweepsInTwoSteps;

#[async_trait]
impl Twist for SweepsInTwoSteps {
    async fn delete_expired(&self, model: &Model, now: Timestamp, limit: NonZeroUsize) -> Result<Swept> {
        let all = std::mem::take(&mut model.map().records);
        others_run().await;
        model.map().records.extend(all);
        model.delete_expired(now, limit).await
    }
}

/// Removes the record, and only then finds that something is wrong.
#[derive(Default)]
pub(super) struct DeletesBeforeItFails;

#[async_trait]
impl Twist for DeletesBeforeItFails {
    async fn delete(&self, model: &Model, id: &SessionId) -> Result<DeleteOutcome> {
        let removed = model.map().records.remove(id);
        model.step()?;
        Ok(if removed.is_some() { DeleteOutcome::Deleted } else { DeleteOutcome::Missing })
    }
}
