use std::collections::{HashMap, HashSet};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nexios_store_core::{
    CreateOutcome, DeleteExpired, DeleteOutcome, PrincipalIndex, PrincipalTag, Record, RenameOutcome, Result, Revision,
    SessionId, SessionStore, StoreError, Stored, Swept, Timestamp, TouchOutcome, UpdateOutcome, async_trait,
};
use tokio::task::yield_now;

use crate::{Fault, FaultInjection};

/// A store that keeps the contract, as simple as such a store can be. It is the kit's own standard.
///
/// The model is one map behind a mutex. Where other stores keep an index, it searches the map. Each operation is one
/// step that can [fail](FaultInjection), with an await before and after it, so that the kit has something to interrupt.
#[derive(Default)]
pub struct Model {
    map: Mutex<Map>,
    faults: Mutex<Faults>,
}

/// The records of a [`Model`], behind its mutex.
#[derive(Default)]
pub(super) struct Map {
    pub(super) records: HashMap<SessionId, Stored>,
    pub(super) damaged: HashSet<SessionId>,
    last_revision: u64,
}

#[derive(Default)]
struct Faults {
    armed: Option<(Fault, usize)>,
    steps: usize,
    struck: bool,
}

impl Model {
    /// Damages a record, so that it can no longer be read.
    pub fn damage(&self, id: SessionId) {
        self.map().damaged.insert(id);
    }

    pub(super) fn map(&self) -> MutexGuard<'_, Map> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a step that can fail.
    pub(super) fn step(&self) -> Result<()> {
        let mut faults = self.faults();
        let step = faults.steps;
        faults.steps += 1;
        let strikes = match faults.armed {
            Some((Fault::Error, at)) => step == at,
            Some((Fault::Crash, at)) => step >= at,
            None => false,
        };
        faults.struck |= strikes;
        if strikes { Err(StoreError::backend("injected fault")) } else { Ok(()) }
    }

    /// Changes the map as one step, or not at all.
    async fn change<T>(&self, change: impl FnOnce(&mut Map) -> Result<T>) -> Result<T> {
        yield_now().await;
        self.step()?;
        let result = change(&mut self.map());
        yield_now().await;
        result
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Map {
    /// The live record of an id.
    pub(super) fn live(&mut self, id: &SessionId, now: Timestamp) -> Result<Option<&mut Stored>> {
        if self.damaged.contains(id) {
            return Err(StoreError::corrupt("damaged on purpose"));
        }
        Ok(self.records.get_mut(id).filter(|stored| !stored.record.is_expired(now)))
    }

    /// Puts a record under an id, and replaces what is there.
    pub(super) fn put(&mut self, id: &SessionId, record: &Record) -> Revision {
        self.last_revision += 1;
        let revision = Revision::new(self.last_revision);
        self.records.insert(*id, Stored { record: record.clone(), revision });
        revision
    }

    pub(super) fn create(&mut self, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        if self.live(id, now)?.is_some() {
            return Ok(CreateOutcome::IdTaken);
        }
        Ok(CreateOutcome::Created(self.put(id, record)))
    }

    pub(super) fn update(
        &mut self,
        id: &SessionId,
        expected: Revision,
        record: &Record,
        now: Timestamp,
    ) -> Result<UpdateOutcome> {
        Ok(match self.live(id, now)? {
            None => UpdateOutcome::Missing,
            Some(stored) if stored.revision != expected => UpdateOutcome::Conflict,
            Some(_) => UpdateOutcome::Updated(self.put(id, record)),
        })
    }

    /// The reason why a rename cannot be done, if there is one.
    pub(super) fn refuses_rename(
        &mut self,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        now: Timestamp,
    ) -> Result<Option<RenameOutcome>> {
        Ok(match self.live(old, now)? {
            None => Some(RenameOutcome::Missing),
            Some(stored) if stored.revision != expected => Some(RenameOutcome::Conflict),
            Some(_) => self.live(new, now)?.map(|_| RenameOutcome::IdTaken),
        })
    }

    pub(super) fn expired(&self, now: Timestamp) -> impl Iterator<Item = SessionId> {
        let is_expired =
            move |(id, stored): &(&SessionId, &Stored)| stored.record.is_expired(now) && !self.damaged.contains(*id);
        self.records.iter().filter(is_expired).map(|(id, _)| *id)
    }

    pub(super) fn sessions_of(&self, tag: &PrincipalTag, now: Timestamp) -> Vec<SessionId> {
        let is_theirs = |stored: &Stored| stored.record.principal == Some(*tag) && !stored.record.is_expired(now);
        self.records.iter().filter(|(_, stored)| is_theirs(stored)).map(|(id, _)| *id).collect()
    }
}

#[async_trait]
impl SessionStore for Model {
    async fn load(&self, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        self.change(|map| Ok(map.live(id, now)?.cloned())).await
    }

    async fn create(&self, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        self.change(|map| map.create(id, record, now)).await
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Revision,
        record: &Record,
        now: Timestamp,
    ) -> Result<UpdateOutcome> {
        self.change(|map| map.update(id, expected, record, now)).await
    }

    async fn rename(
        &self,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        self.change(|map| {
            if let Some(refused) = map.refuses_rename(old, expected, new, now)? {
                return Ok(refused);
            }
            map.records.remove(old);
            Ok(RenameOutcome::Renamed(map.put(new, record)))
        })
        .await
    }

    async fn touch(
        &self,
        id: &SessionId,
        seen: Revision,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<TouchOutcome> {
        self.change(|map| {
            let Some(stored) = map.live(id, now)? else { return Ok(TouchOutcome::Missing) };
            if stored.revision != seen {
                return Ok(TouchOutcome::Conflict);
            }
            stored.record.expires_at = stored.record.expires_at.max(expires_at);
            Ok(TouchOutcome::Touched)
        })
        .await
    }

    async fn delete(&self, id: &SessionId) -> Result<DeleteOutcome> {
        self.change(|map| {
            map.damaged.remove(id);
            Ok(if map.records.remove(id).is_some() { DeleteOutcome::Deleted } else { DeleteOutcome::Missing })
        })
        .await
    }

    async fn set_aside(&self, id: &SessionId) -> Result<()> {
        self.change(|map| {
            if map.damaged.remove(id) {
                map.records.remove(id);
            }
            Ok(())
        })
        .await
    }

    fn expiry(&self) -> Option<&dyn DeleteExpired> {
        Some(self)
    }

    fn principals(&self) -> Option<&dyn PrincipalIndex> {
        Some(self)
    }
}

#[async_trait]
impl DeleteExpired for Model {
    async fn delete_expired(&self, now: Timestamp, limit: NonZeroUsize) -> Result<Swept> {
        self.change(|map| {
            let expired: Vec<SessionId> = map.expired(now).take(limit.get()).collect();
            for id in &expired {
                map.records.remove(id);
            }
            Ok(Swept { removed: expired.len(), more: expired.len() == limit.get() })
        })
        .await
    }
}

#[async_trait]
impl PrincipalIndex for Model {
    async fn sessions_of(&self, tag: &PrincipalTag, now: Timestamp) -> Result<Vec<SessionId>> {
        self.change(|map| Ok(map.sessions_of(tag, now))).await
    }
}

#[async_trait]
impl FaultInjection for Model {
    fn arm(&self, fault: Fault, step: usize) {
        *self.faults() = Faults { armed: Some((fault, step)), ..Faults::default() };
    }

    async fn disarm(&self) -> bool {
        std::mem::take(&mut *self.faults()).struck
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("records", &self.map().records.len()).finish_non_exhaustive()
    }
}
