use std::collections::HashMap;

use nexios_store_core::{Record, Revision, SessionId, Stored, Timestamp};

/// A part of the records, under a lock of its own.
#[derive(Default)]
pub(crate) struct Shard(HashMap<SessionId, Stored>);

impl Shard {
    pub(crate) fn live(&mut self, id: &SessionId, now: Timestamp) -> Option<&mut Stored> {
        self.0.get_mut(id).filter(|stored| !stored.record.is_expired(now))
    }

    /// Puts a record in the place of an expired one or of none, and says whether there was one.
    pub(crate) fn put(&mut self, id: &SessionId, record: &Record, revision: Revision) -> bool {
        self.0.insert(*id, Stored { record: record.clone(), revision }).is_some()
    }

    pub(crate) fn remove(&mut self, id: &SessionId) -> bool {
        self.0.remove(id).is_some()
    }

    pub(crate) fn contains(&self, id: &SessionId) -> bool {
        self.0.contains_key(id)
    }

    /// Removes at most `limit` expired records, and says how many.
    pub(crate) fn remove_expired(&mut self, now: Timestamp, limit: usize) -> usize {
        self.0.extract_if(|_, stored| stored.record.is_expired(now)).take(limit).count()
    }
}
