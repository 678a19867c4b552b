use nexios_store_core::{
    CreateOutcome, DeleteExpired, DeleteOutcome, PrincipalIndex, Record, RenameOutcome, Result, Revision, SessionId,
    SessionStore, Stored, Swept, Timestamp, TouchOutcome, UpdateOutcome, async_trait,
};
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keeps sessions in a map for as long as the process lives.
#[derive(Debug, Default)]
struct MapStore(Mutex<Map>);

#[derive(Debug, Default)]
struct Map {
    records: HashMap<SessionId, Stored>,
    last_revision: u64, // counted for the whole store: no revision is ever used twice
}

impl MapStore {
    fn map(&self) -> MutexGuard<'_, Map> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Map {
    /// The record of an id, unless it has expired.
    fn live(&mut self, id: &SessionId, now: Timestamp) -> Option<&mut Stored> {
        self.records.get_mut(id).filter(|stored| !stored.record.is_expired(now))
    }

    /// Stores a record under an id, whatever is there, at a new revision.
    fn put(&mut self, id: &SessionId, record: &Record) -> Revision {
        self.last_revision += 1;
        let revision = Revision::new(self.last_revision);
        self.records.insert(*id, Stored { record: record.clone(), revision });
        revision
    }
}

#[async_trait]
impl SessionStore for MapStore {
    async fn load(&self, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        Ok(self.map().live(id, now).cloned())
    }

    async fn create(&self, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        let mut map = self.map();
        if map.live(id, now).is_some() {
            return Ok(CreateOutcome::IdTaken);
        }
        Ok(CreateOutcome::Created(map.put(id, record)))
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Revision,
        record: &Record,
        now: Timestamp,
    ) -> Result<UpdateOutcome> {
        let mut map = self.map();
        Ok(match map.live(id, now) {
            None => UpdateOutcome::Missing,
            Some(stored) if stored.revision != expected => UpdateOutcome::Conflict,
            Some(_) => UpdateOutcome::Updated(map.put(id, record)),
        })
    }

    async fn rename(
        &self,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        let mut map = self.map();
        match map.live(old, now) {
            None => return Ok(RenameOutcome::Missing),
            Some(stored) if stored.revision != expected => return Ok(RenameOutcome::Conflict),
            Some(_) => {}
        }
        if map.live(new, now).is_some() {
            return Ok(RenameOutcome::IdTaken);
        }
        map.records.remove(old);
        Ok(RenameOutcome::Renamed(map.put(new, record)))
    }

    async fn touch(&self, id: &SessionId, seen: Revision, expires_at: Timestamp, now: Timestamp) -> Result<TouchOutcome> {
        let mut map = self.map();
        let Some(stored) = map.live(id, now) else { return Ok(TouchOutcome::Missing) };
        if stored.revision != seen {
            return Ok(TouchOutcome::Conflict);
        }
        stored.record.expires_at = stored.record.expires_at.max(expires_at);
        Ok(TouchOutcome::Touched)
    }

    async fn delete(&self, id: &SessionId) -> Result<DeleteOutcome> {
        Ok(match self.map().records.remove(id) {
            Some(_) => DeleteOutcome::Deleted,
            None => DeleteOutcome::Missing,
        })
    }

    fn expiry(&self) -> Option<&dyn DeleteExpired> {
        Some(self)
    }

    fn principals(&self) -> Option<&dyn PrincipalIndex> {
        None
    }
}

#[async_trait]
impl DeleteExpired for MapStore {
    async fn delete_expired(&self, now: Timestamp, limit: NonZeroUsize) -> Result<Swept> {
        let mut map = self.map();
        let expired = map.records.iter().filter(|(_, stored)| stored.record.is_expired(now)).map(|(id, _)| *id);
        let expired: Vec<SessionId> = expired.take(limit.get()).collect();
        for id in &expired {
            map.records.remove(id);
        }
        Ok(Swept { removed: expired.len(), more: expired.len() == limit.get() })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (store, now) = (MapStore::default(), Timestamp::from_unix_millis(0));
    let (id, later) = (SessionId::generate()?, Timestamp::from_unix_millis(1_000));
    let record = Record { payload: "hello".into(), expires_at: later, principal: None };

    let CreateOutcome::Created(revision) = store.create(&id, &record, now).await? else { panic!("a new id is free") };
    assert_eq!(store.load(&id, now).await?, Some(Stored { record, revision }));
    assert_eq!(store.load(&id, later).await?, None, "an expired record is absent");
    assert_eq!(store.delete_expired(later, NonZeroUsize::MIN).await?.removed, 1);
    Ok(())
}
