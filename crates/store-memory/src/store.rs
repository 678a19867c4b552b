use std::array;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use nexios_store_core::{
    CreateOutcome, DeleteExpired, DeleteOutcome, PrincipalIndex, PrincipalTag, Record, RenameOutcome, Result, Revision,
    SessionId, SessionStore, StoreError, Stored, Swept, Timestamp, TouchOutcome, UpdateOutcome, async_trait,
};
use parking_lot::{Mutex, MutexGuard};

use crate::index::Index;
use crate::shard::Shard;

/// A store that keeps a limited number of sessions in memory, until it is dropped.
///
/// The [crate documentation](crate#capacity) says what happens when it is full.
///
/// # Examples
///
/// ```
/// use nexios_store_core::{Record, SessionId, SessionStore, Timestamp};
/// use nexios_store_memory::MemoryStore;
/// use std::num::NonZeroUsize;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::with_capacity_limit(NonZeroUsize::MIN);
/// let (now, later) = (Timestamp::from_unix_millis(0), Timestamp::from_unix_millis(1_000));
/// let record = Record { payload: "hello".into(), expires_at: later, principal: None };
/// assert!(store.create(&SessionId::generate()?, &record, now).await.is_ok());
/// assert!(store.create(&SessionId::generate()?, &record, now).await.is_err(), "it is full");
/// # Ok(())
/// # }
/// ```
pub struct MemoryStore {
    shards: [Mutex<Shard>; SHARDS],
    index: Index,
    /// The number of records in all shards, plus the `create`s that have claimed a place and not filled it yet.
    records: AtomicUsize,
    capacity: NonZeroUsize,
    /// One counter for the whole store, so that no revision is used twice, whatever happens to its id.
    last_revision: AtomicU64,
}

impl MemoryStore {
    /// Makes a store for 100 000 records.
    pub fn new() -> Self {
        Self::with_capacity_limit(DEFAULT_CAPACITY)
    }

    /// Makes a store for at most this many records.
    pub fn with_capacity_limit(records: NonZeroUsize) -> Self {
        Self {
            shards: array::from_fn(|_| Mutex::default()),
            index: Index::default(),
            records: AtomicUsize::new(0),
            capacity: records,
            last_revision: AtomicU64::new(0),
        }
    }

    fn shard(&self, id: &SessionId) -> MutexGuard<'_, Shard> {
        self.shards[shard_of(id)].lock()
    }

    fn next_revision(&self) -> Revision {
        Revision::new(self.last_revision.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Claims a place for one more record. If the store is full, removes the expired records of this shard first.
    fn take_place(&self, shard: &mut Shard, now: Timestamp) -> Result<()> {
        let is_taken = || {
            let more = |records| (records < self.capacity.get()).then_some(records + 1);
            self.records.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
        };
        if is_taken() {
            return Ok(());
        }
        self.give_back(shard.remove_expired(now, usize::MAX, &self.index));
        if is_taken() { Ok(()) } else { Err(StoreError::backend(StoreFull)) }
    }

    fn give_back(&self, places: usize) {
        self.records.fetch_sub(places, Ordering::Relaxed);
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("records", &self.records)
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn load(&self, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        Ok(self.shard(id).live(id, now).cloned())
    }

    async fn create(&self, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        let mut shard = self.shard(id);
        match shard.get(id) {
            Some(stored) if !stored.record.is_expired(now) => return Ok(CreateOutcome::IdTaken),
            Some(_) => {}
            None => self.take_place(&mut shard, now)?,
        }
        let revision = self.next_revision();
        shard.put(id, record, revision, &self.index);
        Ok(CreateOutcome::Created(revision))
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Revision,
        record: &Record,
        now: Timestamp,
    ) -> Result<UpdateOutcome> {
        Ok(self.shard(id).update(id, expected, record, now, || self.next_revision(), &self.index))
    }

    async fn rename(
        &self,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        // Always locked in ascending order. Otherwise two renames in opposite directions would wait for each other.
        let (of_old, of_new) = (shard_of(old), shard_of(new));
        let mut first = self.shards[of_old.min(of_new)].lock();
        let mut second = (of_old != of_new).then(|| self.shards[of_old.max(of_new)].lock());
        let (source, target) = match &mut second {
            Some(second) if of_old < of_new => (&mut *first, Some(&mut **second)),
            Some(second) => (&mut **second, Some(&mut *first)),
            None => (&mut *first, None),
        };
        match source.live(old, now) {
            None => return Ok(RenameOutcome::Missing),
            Some(stored) if stored.revision != expected => return Ok(RenameOutcome::Conflict),
            Some(_) => {}
        }
        if target.as_deref().unwrap_or(source).live(new, now).is_some() {
            return Ok(RenameOutcome::IdTaken);
        }
        let Some(before) = source.take(old) else { return Ok(RenameOutcome::Missing) };
        let revision = self.next_revision();
        if target.unwrap_or(source).put_renamed((old, &before), new, record, revision, &self.index) {
            self.give_back(1);
        }
        Ok(RenameOutcome::Renamed(revision))
    }

    async fn touch(
        &self,
        id: &SessionId,
        seen: Revision,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<TouchOutcome> {
        Ok(self.shard(id).prolong(id, seen, expires_at, now, &self.index))
    }

    async fn delete(&self, id: &SessionId) -> Result<DeleteOutcome> {
        if !self.shard(id).remove(id, &self.index) {
            return Ok(DeleteOutcome::Missing);
        }
        self.give_back(1);
        Ok(DeleteOutcome::Deleted)
    }

    fn expiry(&self) -> Option<&dyn DeleteExpired> {
        Some(self)
    }

    fn principals(&self) -> Option<&dyn PrincipalIndex> {
        Some(self)
    }
}

#[async_trait]
impl DeleteExpired for MemoryStore {
    async fn delete_expired(&self, now: Timestamp, limit: NonZeroUsize) -> Result<Swept> {
        let mut removed = 0;
        for shard in &self.shards {
            removed += shard.lock().remove_expired(now, limit.get() - removed, &self.index);
            if removed == limit.get() {
                break;
            }
        }
        self.give_back(removed);
        Ok(Swept { removed, more: removed == limit.get() })
    }
}

#[async_trait]
impl PrincipalIndex for MemoryStore {
    async fn sessions_of(&self, tag: &PrincipalTag, now: Timestamp) -> Result<Vec<SessionId>> {
        Ok(self.index.live(tag, now))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("memory store is full")]
struct StoreFull;

fn shard_of(id: &SessionId) -> usize {
    usize::from(id.as_bytes()[0]) % SHARDS
}

const SHARDS: usize = 64;
const DEFAULT_CAPACITY: NonZeroUsize = NonZeroUsize::new(100_000).expect("not zero");
