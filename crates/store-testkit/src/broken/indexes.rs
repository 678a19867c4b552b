//! Indexes that forget, remember too much, or are late.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nexios_store_core::{
    CreateOutcome, DeleteOutcome, PrincipalIndex, PrincipalTag, Record, RenameOutcome, Result, Revision, SessionId,
    SessionStore, Timestamp, async_trait,
};

use super::twist::Twist;
use super::{Model, others_run};

#[derive(Default)]
pub(super) struct ForgetsTheRenamed(Mutex<HashSet<SessionId>>);

#[async_trait]
impl Twist for ForgetsTheRenamed {
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
        if let RenameOutcome::Renamed(_) = outcome {
            locked(&self.0).insert(*new);
        }
        Ok(outcome)
    }

    async fn sessions_of(&self, model: &Model, tag: &PrincipalTag, now: Timestamp) -> Result<Vec<SessionId>> {
        let mut listed = model.sessions_of(tag, now).await?;
        listed.retain(|id| !locked(&self.0).contains(id));
        Ok(listed)
    }
}

#[derive(Default)]
pub(super) struct RemembersTheDeleted(Mutex<HashMap<SessionId, PrincipalTag>>);

#[async_trait]
impl Twist for RemembersTheDeleted {
    async fn delete(&self, model: &Model, id: &SessionId) -> Result<DeleteOutcome> {
        let tag = model.map().records.get(id).and_then(|stored| stored.record.principal);
        locked(&self.0).extend(tag.map(|tag| (*id, tag)));
        model.delete(id).await
    }

    async fn sessions_of(&self, model: &Model, tag: &PrincipalTag, now: Timestamp) -> Result<Vec<SessionId>> {
        let mut listed = model.sessions_of(tag, now).await?;
        let deleted: Vec<_> = locked(&self.0).iter().filter(|(_, of)| *of == tag).map(|(id, _)| *id).collect();
        listed.extend(deleted.into_iter().filter(|id| !listed.contains(id)).collect::<Vec<_>>());
        Ok(listed)
    }
}

/// Like an index that is written before the record is checked.
#[derive(Default)]
pub(super) struct RemembersTheRefused(Mutex<HashMap<SessionId, PrincipalTag>>);

#[async_trait]
impl Twist for RemembersTheRefused {
    async fn create(&self, model: &Model, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        let outcome = model.create(id, record, now).await?;
        if outcome == CreateOutcome::IdTaken {
            locked(&self.0).extend(record.principal.map(|tag| (*id, tag)));
        }
        Ok(outcome)
    }

    async fn sessions_of(&self, model: &Model, tag: &PrincipalTag, now: Timestamp) -> Result<Vec<SessionId>> {
        let mut listed = model.sessions_of(tag, now).await?;
        listed.extend(locked(&self.0).iter().filter(|(_, of)| *of == tag).map(|(id, _)| *id));
        Ok(listed)
    }
}

#[derive(Default)]
pub(super) struct ListsTheExpired;

#[async_trait]
impl Twist for ListsTheExpired {
    async fn sessions_of(&self, model: &Model, tag: &PrincipalTag, _: Timestamp) -> Result<Vec<SessionId>> {
        model.sessions_of(tag, Timestamp::UNIX_EPOCH).await
    }
}

/// Like an index that `create` and `rename` write to, but `update` does not.
#[derive(Default)]
pub(super) struct KeepsTheFirstPrincipal(Mutex<HashMap<SessionId, Option<PrincipalTag>>>);

#[async_trait]
impl Twist for KeepsTheFirstPrincipal {
    async fn create(&self, model: &Model, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        let outcome = model.create(id, record, now).await?;
        if let CreateOutcome::Created(_) = outcome {
            locked(&self.0).insert(*id, record.principal);
        }
        Ok(outcome)
    }

    async fn sessions_of(&self, model: &Model, tag: &PrincipalTag, now: Timestamp) -> Result<Vec<SessionId>> {
        let first = locked(&self.0);
        let mut map = model.map();
        let ids: Vec<SessionId> = first.iter().filter(|(_, of)| **of == Some(*tag)).map(|(id, _)| *id).collect();
        Ok(ids.into_iter().filter(|id| matches!(map.live(id, now), Ok(Some(_)))).collect())
    }
}

/// Writes the record first, and the index a moment later.
#[derive(Default)]
pub(super) struct ListsTheRenamedLate(Mutex<HashSet<SessionId>>);

#[async_trait]
impl Twist for ListsTheRenamedLate {
    async fn rename(
        &self,
        model: &Model,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        locked(&self.0).insert(*new);
        let outcome = model.rename(old, expected, new, record, now).await;
        others_run().await;
        locked(&self.0).remove(new);
        outcome
    }

    async fn sessions_of(&self, model: &Model, tag: &PrincipalTag, now: Timestamp) -> Result<Vec<SessionId>> {
        let mut listed = model.sessions_of(tag, now).await?;
        listed.retain(|id| !locked(&self.0).contains(id));
        Ok(listed)
    }
}

fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
