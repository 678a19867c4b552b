//! Renames that do no harm until a crash comes between their steps.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nexios_store_core::{
    PrincipalIndex, PrincipalTag, Record, RenameOutcome, Result, Revision, SessionId, SessionStore, Timestamp,
    async_trait,
};

use super::Model;
use super::twist::Twist;

/// Writes the principal first, in place, then the id. So the old id, which somebody else may know, becomes the user's.
#[derive(Default)]
pub(super) struct SetsThePrincipalFirst;

#[async_trait]
impl Twist for SetsThePrincipalFirst {
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
            if let Some(stored) = map.live(old, now)? {
                stored.record.principal = record.principal;
            }
        }
        model.rename(old, expected, new, record, now).await
    }
}

/// Lists the old record as the user's until the new one is there.
#[derive(Default)]
pub(super) struct MarksTheOldRecord(Mutex<HashMap<SessionId, PrincipalTag>>);

#[async_trait]
impl Twist for MarksTheOldRecord {
    async fn rename(
        &self,
        model: &Model,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        locked(&self.0).extend(record.principal.map(|tag| (*old, tag)));
        let outcome = model.rename(old, expected, new, record, now).await?;
        locked(&self.0).remove(old);
        Ok(outcome)
    }

    async fn sessions_of(&self, model: &Model, tag: &PrincipalTag, now: Timestamp) -> Result<Vec<SessionId>> {
        let mut listed = model.sessions_of(tag, now).await?;
        let marked: Vec<_> = locked(&self.0).iter().filter(|(_, of)| *of == tag).map(|(id, _)| *id).collect();
        for id in marked {
            if !listed.contains(&id) && model.map().live(&id, now)?.is_some() {
                listed.push(id);
            }
        }
        Ok(listed)
    }
}

/// Leaves both records after a crash. The old one cannot be revoked, because the index has moved on to the new one.
#[derive(Default)]
pub(super) struct ListsOneOfTwo(Mutex<HashSet<SessionId>>);

#[async_trait]
impl Twist for ListsOneOfTwo {
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
            let before = map.live(old, now)?.and_then(|stored| stored.record.principal);
            if before == record.principal {
                locked(&self.0).insert(*old);
            }
            map.put(new, record)
        };
        model.step()?;
        model.map().records.remove(old);
        Ok(RenameOutcome::Renamed(revision))
    }

    async fn sessions_of(&self, model: &Model, tag: &PrincipalTag, now: Timestamp) -> Result<Vec<SessionId>> {
        let mut listed = model.sessions_of(tag, now).await?;
        listed.retain(|id| !locked(&self.0).contains(id));
        Ok(listed)
    }
}

/// Writes the index before the record, and never checks that the record was written.
#[derive(Default)]
pub(super) struct ListsWhatNeverWas(Mutex<HashMap<SessionId, PrincipalTag>>);

#[async_trait]
impl Twist for ListsWhatNeverWas {
    async fn rename(
        &self,
        model: &Model,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        locked(&self.0).extend(record.principal.map(|tag| (*new, tag)));
        let outcome = model.rename(old, expected, new, record, now).await?;
        locked(&self.0).remove(new);
        Ok(outcome)
    }

    async fn sessions_of(&self, model: &Model, tag: &PrincipalTag, now: Timestamp) -> Result<Vec<SessionId>> {
        let mut listed = model.sessions_of(tag, now).await?;
        let marked: Vec<_> = locked(&self.0).iter().filter(|(_, of)| *of == tag).map(|(id, _)| *id).collect();
        listed.extend(marked.into_iter().filter(|id| !listed.contains(id)).collect::<Vec<_>>());
        Ok(listed)
    }
}

fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
