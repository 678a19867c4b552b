//! Renames that lose, keep or double a session.

use nexios_store_core::{Record, RenameOutcome, Result, Revision, SessionId, SessionStore, Timestamp, async_trait};

use super::twist::Twist;
use super::{Model, others_run};

/// Has a moment at which the session is nowhere.
#[derive(Default)]
pub(super) struct DeletesThenCreates;

#[async_trait]
impl Twist for DeletesThenCreates {
    async fn rename(
        &self,
        model: &Model,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        {
            let mut map = model.map();
            if let Some(refused) = map.refuses_rename(old, expected, new, now)? {
                return Ok(refused);
            }
            map.records.remove(old);
        }
        others_run().await;
        model.step()?;
        Ok(RenameOutcome::Renamed(model.map().put(new, record)))
    }
}

#[derive(Default)]
pub(super) struct CreatesAndForgetsToDelete;

#[async_trait]
impl Twist for CreatesAndForgetsToDelete {
    async fn rename(
        &self,
        model: &Model,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        let mut map = model.map();
        if let Some(refused) = map.refuses_rename(old, expected, new, now)? {
            return Ok(refused);
        }
        Ok(RenameOutcome::Renamed(map.put(new, record)))
    }
}

/// Lets a delete of the old id succeed between its two steps, so that the deleted session lives on.
#[derive(Default)]
pub(super) struct CreatesThenDeletesWhateverHappened;

#[async_trait]
impl Twist for CreatesThenDeletesWhateverHappened {
    async fn rename(
        &self,
        model: &Model,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        let revision = {
            let mut map = model.map();
            if let Some(refused) = map.refuses_rename(old, expected, new, now)? {
                return Ok(refused);
            }
            map.put(new, record)
        };
        others_run().await;
        model.step()?;
        model.map().records.remove(old);
        Ok(RenameOutcome::Renamed(revision))
    }
}

#[derive(Default)]
pub(super) struct ChecksThenWrites;

#[async_trait]
impl Twist for ChecksThenWrites {
    async fn rename(
        &self,
        model: &Model,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        let refused = model.map().refuses_rename(old, expected, new, now)?;
        if let Some(refused) = refused {
            return Ok(refused);
        }
        others_run().await;
        let mut map = model.map();
        map.records.remove(old);
        Ok(RenameOutcome::Renamed(map.put(new, record)))
    }
}

/// Replaces what has the new id, as `rename(2)` does with files.
#[derive(Default)]
pub(super) struct TakesTakenIds;

#[async_trait]
impl Twist for TakesTakenIds {
    async fn rename(
        &self,
        model: &Model,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        let mut map = model.map();
        match map.refuses_rename(old, expected, new, now)? {
            None | Some(RenameOutcome::IdTaken) => {}
            Some(refused) => return Ok(refused),
        }
        map.records.remove(old);
        Ok(RenameOutcome::Renamed(map.put(new, record)))
    }
}

#[derive(Default)]
pub(super) struct DropsWhatItRefuses;

#[async_trait]
impl Twist for DropsWhatItRefuses {
    async fn rename(
        &self,
        model: &Model,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        let outcome = model.rename(old, expected, new, record, now).await?;
        if outcome == RenameOutcome::IdTaken {
            model.map().records.remove(old);
        }
        Ok(outcome)
    }
}
