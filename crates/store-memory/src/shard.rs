use foldhash::HashMap;
use nexios_store_core::{Record, Revision, SessionId, Stored, Timestamp, TouchOutcome, UpdateOutcome};

use crate::index::Index;

/// A part of the records, under a lock of its own. The index follows each change before the lock is released.
///
/// The hash need not withstand an attacker who chooses the keys. Ids are random, and only signed cookies bring them
/// back, so no visitor can choose ids that collide.
#[derive(Default)]
pub(crate) struct Shard(HashMap<SessionId, Stored>);

impl Shard {
    pub(crate) fn live(&self, id: &SessionId, now: Timestamp) -> Option<&Stored> {
        self.0.get(id).filter(|stored| !stored.record.is_expired(now))
    }

    /// The record under an id, whether or not it has expired.
    pub(crate) fn get(&self, id: &SessionId) -> Option<&Stored> {
        self.0.get(id)
    }

    /// Puts a record under an id, and replaces the record that is there.
    pub(crate) fn put(&mut self, id: &SessionId, record: &Record, revision: Revision, index: &Index) {
        match self.0.insert(*id, Stored { record: record.clone(), revision }) {
            Some(before) => index.replace((id, &before.record), (id, record)),
            None => index.put(id, record),
        }
    }

    /// Replaces a live record, if it has the expected revision.
    pub(crate) fn update(
        &mut self,
        id: &SessionId,
        expected: Revision,
        record: &Record,
        now: Timestamp,
        next_revision: impl FnOnce() -> Revision,
        index: &Index,
    ) -> UpdateOutcome {
        let Some(stored) = self.live_mut(id, now) else { return UpdateOutcome::Missing };
        if stored.revision != expected {
            return UpdateOutcome::Conflict;
        }
        let revision = next_revision();
        let before = std::mem::replace(stored, Stored { record: record.clone(), revision });
        index.replace((id, &before.record), (id, record));
        UpdateOutcome::Updated(revision)
    }

    /// Lets a live record at the revision `seen` live at least until `expires_at`.
    pub(crate) fn prolong(
        &mut self,
        id: &SessionId,
        seen: Revision,
        expires_at: Timestamp,
        now: Timestamp,
        index: &Index,
    ) -> TouchOutcome {
        let Some(stored) = self.live_mut(id, now) else { return TouchOutcome::Missing };
        if stored.revision != seen {
            return TouchOutcome::Conflict;
        }
        if expires_at > stored.record.expires_at {
            stored.record.expires_at = expires_at;
            index.put(id, &stored.record);
        }
        TouchOutcome::Touched
    }

    /// Takes out a record that the caller then puts elsewhere. The index keeps the entry for now.
    pub(crate) fn take(&mut self, id: &SessionId) -> Option<Record> {
        self.0.remove(id).map(|stored| stored.record)
    }

    /// Puts a record that was taken out under another id; `true` if it replaced an expired record there.
    pub(crate) fn put_renamed(
        &mut self,
        old: (&SessionId, &Record),
        new: &SessionId,
        record: &Record,
        revision: Revision,
        index: &Index,
    ) -> bool {
        let expired = self.0.insert(*new, Stored { record: record.clone(), revision });
        if let Some(expired) = &expired {
            index.remove(new, &expired.record);
        }
        index.replace(old, (new, record));
        expired.is_some()
    }

    /// Removes the record under an id; `false` if there is none.
    pub(crate) fn remove(&mut self, id: &SessionId, index: &Index) -> bool {
        let removed = self.0.remove(id);
        if let Some(removed) = &removed {
            index.remove(id, &removed.record);
        }
        removed.is_some()
    }

    /// Removes at most `limit` expired records, and returns how many.
    pub(crate) fn remove_expired(&mut self, now: Timestamp, limit: usize, index: &Index) -> usize {
        let expired = self.0.extract_if(|_, stored| stored.record.is_expired(now)).take(limit);
        expired.inspect(|(id, stored)| index.remove(id, &stored.record)).count()
    }

    fn live_mut(&mut self, id: &SessionId, now: Timestamp) -> Option<&mut Stored> {
        self.0.get_mut(id).filter(|stored| !stored.record.is_expired(now))
    }
}
