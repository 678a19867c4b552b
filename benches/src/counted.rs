//! A store that counts its calls.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use nexios_store_core::{
    CreateOutcome, DeleteExpired, DeleteOutcome, PrincipalIndex, Record, RenameOutcome, Result, Revision, SessionId,
    SessionStore, Stored, Timestamp, TouchOutcome, UpdateOutcome, async_trait,
};
use nexios_store_memory::MemoryStore;

/// The number of calls of each operation of a store.
#[derive(Clone, Debug, Default)]
pub struct Calls(Arc<Mutex<BTreeMap<&'static str, usize>>>);

impl Calls {
    /// Takes the calls since the last time, and returns those of one of `requests` requests: `load 1, update 1` or the
    /// like, `-` for none.
    ///
    /// # Panics
    ///
    /// Panics if the requests did not all make the same calls.
    pub fn take(&self, requests: usize) -> String {
        let calls = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let each = calls.iter().map(|(call, count)| {
            assert_eq!(count % requests, 0, "each request makes the same calls: {calls:?}");
            format!("{call} {}", count / requests)
        });
        let text = each.collect::<Vec<_>>().join(", ");
        if text.is_empty() { "-".to_owned() } else { text }
    }

    fn count(&self, call: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(call).or_default() += 1;
    }
}

/// A [`MemoryStore`] that counts its calls.
#[derive(Debug, Default)]
pub struct Counted {
    store: MemoryStore,
    calls: Calls,
}

impl Counted {
    /// Makes an empty store that counts its calls in `calls`.
    pub fn new(calls: Calls) -> Self {
        Self { store: MemoryStore::new(), calls }
    }
}

#[async_trait]
impl SessionStore for Counted {
    async fn load(&self, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        self.calls.count("load");
        self.store.load(id, now).await
    }

    async fn create(&self, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        self.calls.count("create");
        self.store.create(id, record, now).await
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Revision,
        record: &Record,
        now: Timestamp,
    ) -> Result<UpdateOutcome> {
        self.calls.count("update");
        self.store.update(id, expected, record, now).await
    }

    async fn rename(
        &self,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        self.calls.count("rename");
        self.store.rename(old, expected, new, record, now).await
    }

    async fn touch(&self, id: &SessionId, seen: Revision, expires_at: Timestamp, now: Timestamp) -> Result<TouchOutcome> {
        self.calls.count("touch");
        self.store.touch(id, seen, expires_at, now).await
    }

    async fn delete(&self, id: &SessionId) -> Result<DeleteOutcome> {
        self.calls.count("delete");
        self.store.delete(id).await
    }

    fn expiry(&self) -> Option<&dyn DeleteExpired> {
        self.store.expiry()
    }

    fn principals(&self) -> Option<&dyn PrincipalIndex> {
        self.store.principals()
    }
}
