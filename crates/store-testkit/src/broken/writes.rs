//! Creates, updates and touches that check too little, or check and write in two steps.

use std::time::Duration;

use nexios_store_core::{
    CreateOutcome, Record, RenameOutcome, Result, Revision, SessionId, SessionStore, Stored, Timestamp, TouchOutcome,
    UpdateOutcome, async_trait,
};

use super::twist::Twist;
use super::{Model, others_run};

#[derive(Default)]
pub(super) struct KeepsTheLongestLife;

#[async_trait]
impl Twist for KeepsTheLongestLife {
    async fn update(
        &self,
        model: &Model,
        id: &SessionId,
        expected: Revision,
        record: &Record,
        now: Timestamp,
    ) -> Result<UpdateOutcome> {
        let before = model.load(id, now).await?.map_or(now, |stored| stored.record.expires_at);
        let record = Record { expires_at: before.max(record.expires_at), ..record.clone() };
        model.update(id, expected, &record, now).await
    }
}

/// Like a backend that takes no expiry in the past.
#[derive(Default)]
pub(super) struct GivesEachRecordAMinute;

#[async_trait]
impl Twist for GivesEachRecordAMinute {
    async fn create(&self, model: &Model, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        let expires_at = record.expires_at.max(now.saturating_add(Duration::from_secs(60)));
        model.create(id, &Record { expires_at, ..record.clone() }, now).await
    }
}

/// Like an `INSERT … ON CONFLICT DO NOTHING`.
#[derive(Default)]
pub(super) struct KeepsExpiredIds;

#[async_trait]
impl Twist for KeepsExpiredIds {
    async fn create(&self, model: &Model, id: &SessionId, record: &Record, _: Timestamp) -> Result<CreateOutcome> {
        model.create(id, record, Timestamp::UNIX_EPOCH).await
    }
}

#[derive(Default)]
pub(super) struct CreateOverwrites;

#[async_trait]
impl Twist for CreateOverwrites {
    async fn create(&self, model: &Model, id: &SessionId, record: &Record, _: Timestamp) -> Result<CreateOutcome> {
        Ok(CreateOutcome::Created(model.map().put(id, record)))
    }
}

#[derive(Default)]
pub(super) struct CreateChecksThenWrites;

#[async_trait]
impl Twist for CreateChecksThenWrites {
    async fn create(&self, model: &Model, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        if model.load(id, now).await?.is_some() {
            return Ok(CreateOutcome::IdTaken);
        }
        others_run().await;
        Ok(CreateOutcome::Created(model.map().put(id, record)))
    }
}

#[derive(Default)]
pub(super) struct IgnoresTheRevision;

#[async_trait]
impl Twist for IgnoresTheRevision {
    async fn update(
        &self,
        model: &Model,
        id: &SessionId,
        _: Revision,
        record: &Record,
        now: Timestamp,
    ) -> Result<UpdateOutcome> {
        let mut map = model.map();
        let Some(current) = map.live(id, now)?.map(|stored| stored.revision) else { return Ok(UpdateOutcome::Missing) };
        map.update(id, current, record, now)
    }
}

#[derive(Default)]
pub(super) struct UpdateChecksThenWrites;

#[async_trait]
impl Twist for UpdateChecksThenWrites {
    async fn update(
        &self,
        model: &Model,
        id: &SessionId,
        expected: Revision,
        record: &Record,
        now: Timestamp,
    ) -> Result<UpdateOutcome> {
        let Some(stored) = model.load(id, now).await? else { return Ok(UpdateOutcome::Missing) };
        if stored.revision != expected {
            return Ok(UpdateOutcome::Conflict);
        }
        others_run().await;
        Ok(UpdateOutcome::Updated(model.map().put(id, record)))
    }
}

/// Like a version column that begins at one.
#[derive(Default)]
pub(super) struct CountsRevisionsFromOne;

impl CountsRevisionsFromOne {
    fn set(model: &Model, id: &SessionId, number: u64) -> Revision {
        let revision = Revision::new(number);
        if let Some(stored) = model.map().records.get_mut(id) {
            stored.revision = revision;
        }
        revision
    }
}

#[async_trait]
impl Twist for CountsRevisionsFromOne {
    async fn create(&self, model: &Model, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        Ok(match model.create(id, record, now).await? {
            CreateOutcome::Created(_) => CreateOutcome::Created(Self::set(model, id, 1)),
            CreateOutcome::IdTaken => CreateOutcome::IdTaken,
        })
    }

    async fn update(
        &self,
        model: &Model,
        id: &SessionId,
        expected: Revision,
        record: &Record,
        now: Timestamp,
    ) -> Result<UpdateOutcome> {
        Ok(match model.update(id, expected, record, now).await? {
            UpdateOutcome::Updated(_) => UpdateOutcome::Updated(Self::set(model, id, expected.as_u64() + 1)),
            refused => refused,
        })
    }

    async fn rename(
        &self,
        model: &Model,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        Ok(match model.rename(old, expected, new, record, now).await? {
            RenameOutcome::Renamed(_) => RenameOutcome::Renamed(Self::set(model, new, expected.as_u64() + 1)),
            refused => refused,
        })
    }
}

#[derive(Default)]
pub(super) struct UpdateUpserts;

#[async_trait]
impl Twist for UpdateUpserts {
    async fn update(
        &self,
        model: &Model,
        id: &SessionId,
        expected: Revision,
        record: &Record,
        now: Timestamp,
    ) -> Result<UpdateOutcome> {
        let mut map = model.map();
        Ok(match map.update(id, expected, record, now)? {
            UpdateOutcome::Missing => UpdateOutcome::Updated(map.put(id, record)),
            other => other,
        })
    }
}

#[derive(Default)]
pub(super) struct TouchRevives;

#[async_trait]
impl Twist for TouchRevives {
    async fn touch(
        &self,
        model: &Model,
        id: &SessionId,
        seen: Revision,
        expires_at: Timestamp,
        _: Timestamp,
    ) -> Result<TouchOutcome> {
        model.touch(id, seen, expires_at, Timestamp::UNIX_EPOCH).await
    }
}

#[derive(Default)]
pub(super) struct TouchShortens;

#[async_trait]
impl Twist for TouchShortens {
    async fn touch(
        &self,
        model: &Model,
        id: &SessionId,
        seen: Revision,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<TouchOutcome> {
        let mut map = model.map();
        let Some(stored) = map.live(id, now)? else { return Ok(TouchOutcome::Missing) };
        if stored.revision != seen {
            return Ok(TouchOutcome::Conflict);
        }
        stored.record.expires_at = expires_at;
        Ok(TouchOutcome::Touched)
    }
}

#[derive(Default)]
pub(super) struct TouchDoesNothing;

#[async_trait]
impl Twist for TouchDoesNothing {
    async fn touch(
        &self,
        model: &Model,
        id: &SessionId,
        seen: Revision,
        _: Timestamp,
        now: Timestamp,
    ) -> Result<TouchOutcome> {
        model.touch(id, seen, now, now).await
    }
}

/// A slow page that only reads gives back the life that another request has just shortened.
#[derive(Default)]
pub(super) struct TouchIgnoresTheRevision;

#[async_trait]
impl Twist for TouchIgnoresTheRevision {
    async fn touch(
        &self,
        model: &Model,
        id: &SessionId,
        _: Revision,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<TouchOutcome> {
        let mut map = model.map();
        let Some(stored) = map.live(id, now)? else { return Ok(TouchOutcome::Missing) };
        stored.record.expires_at = stored.record.expires_at.max(expires_at);
        Ok(TouchOutcome::Touched)
    }
}

/// Like a touch that is an update.
#[derive(Default)]
pub(super) struct TouchMakesARevision;

#[async_trait]
impl Twist for TouchMakesARevision {
    async fn touch(
        &self,
        model: &Model,
        id: &SessionId,
        seen: Revision,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<TouchOutcome> {
        let mut map = model.map();
        let Some(stored) = map.live(id, now)? else { return Ok(TouchOutcome::Missing) };
        if stored.revision != seen {
            return Ok(TouchOutcome::Conflict);
        }
        let record = Record { expires_at: stored.record.expires_at.max(expires_at), ..stored.record.clone() };
        map.put(id, &record);
        Ok(TouchOutcome::Touched)
    }
}

#[derive(Default)]
pub(super) struct TouchChecksThenWrites;

#[async_trait]
impl Twist for TouchChecksThenWrites {
    async fn touch(
        &self,
        model: &Model,
        id: &SessionId,
        seen: Revision,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<TouchOutcome> {
        let Some(before) = model.load(id, now).await? else { return Ok(TouchOutcome::Missing) };
        if before.revision != seen {
            return Ok(TouchOutcome::Conflict);
        }
        others_run().await;
        let mut map = model.map();
        let Some(stored) = map.live(id, now)? else { return Ok(TouchOutcome::Missing) };
        stored.record.expires_at = before.record.expires_at.max(expires_at);
        Ok(TouchOutcome::Touched)
    }
}

/// Like the `touch` of express-session's file store used to be.
#[derive(Default)]
pub(super) struct TouchWritesBackWhatItRead;

#[async_trait]
impl Twist for TouchWritesBackWhatItRead {
    async fn touch(
        &self,
        model: &Model,
        id: &SessionId,
        seen: Revision,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<TouchOutcome> {
        let Some(Stored { record, revision }) = model.load(id, now).await? else { return Ok(TouchOutcome::Missing) };
        if revision != seen {
            return Ok(TouchOutcome::Conflict);
        }
        others_run().await;
        let record = Record { expires_at: record.expires_at.max(expires_at), ..record };
        model.map().records.insert(*id, Stored { record, revision });
        Ok(TouchOutcome::Touched)
    }
}
