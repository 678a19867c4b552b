use std::collections::{HashMap, HashSet};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use nexios_store_core::*;

use super::Gates;

/// A method of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    Load,
    Create,
    Update,
    Rename,
    Touch,
    Delete,
}

/// What a call runs into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Fails without doing anything.
    Fails,
    /// Finds a damaged record.
    IsCorrupt,
    /// Finds a record of a newer format.
    IsNewer,
    /// Does it, and fails to say so.
    LosesTheAnswer,
    /// Waits at the gate `store` before it does anything.
    WaitsBefore,
    /// Does it, and waits at the gate `store` before it says so.
    WaitsAfter,
    /// Tells the gate `store` that it begins, and does it.
    TellsAndGoesOn,
}

/// A store that counts its calls, knows all ids that were ever in it, and runs into such trouble as it is told to.
#[derive(Debug)]
pub(crate) struct Probe {
    inner: Arc<dyn SessionStore>,
    gates: Arc<Gates>,
    counts: Mutex<HashMap<Call, usize>>,
    trouble: Mutex<HashMap<Call, Trouble>>,
    ids: Mutex<HashSet<SessionId>>,
}

impl Probe {
    pub(crate) fn new(inner: Arc<dyn SessionStore>, gates: Arc<Gates>) -> Self {
        Self { inner, gates, counts: Mutex::default(), trouble: Mutex::default(), ids: Mutex::default() }
    }

    pub(crate) fn make(&self, call: Call, trouble: Trouble) {
        self.trouble.lock().unwrap().insert(call, trouble);
    }

    pub(crate) fn heal(&self) {
        self.trouble.lock().unwrap().clear();
    }

    pub(crate) fn count(&self, call: Call) -> usize {
        self.counts.lock().unwrap().get(&call).copied().unwrap_or(0)
    }

    /// All calls so far.
    pub(crate) fn calls(&self) -> usize {
        self.counts.lock().unwrap().values().sum()
    }

    /// All calls so far that change something.
    pub(crate) fn writes(&self) -> usize {
        self.calls() - self.count(Call::Load)
    }

    /// How many sessions live in the store now.
    pub(crate) async fn live(&self, now: Timestamp) -> usize {
        let ids: Vec<_> = self.ids.lock().unwrap().iter().copied().collect();
        let mut live = 0;
        for id in ids {
            live += usize::from(self.inner.load(&id, now).await.unwrap().is_some());
        }
        live
    }

    /// One call: counted, and with its trouble.
    async fn call<T>(&self, call: Call, work: impl Future<Output = Result<T>> + Send) -> Result<T> {
        *self.counts.lock().unwrap().entry(call).or_default() += 1;
        let _teller = self.gates.tell_on_drop(format!("{call:?} is over"));
        let trouble = self.trouble.lock().unwrap().get(&call).copied();
        match trouble {
            Some(Trouble::Fails) => return Err(StoreError::backend("told to fail")),
            Some(Trouble::IsCorrupt) => return Err(StoreError::corrupt("told to be corrupt")),
            Some(Trouble::IsNewer) => return Err(StoreError::unsupported("told to be newer")),
            Some(Trouble::WaitsBefore) => self.gates.pass("store").await,
            Some(Trouble::TellsAndGoesOn) => self.gates.tell("store"),
            Some(Trouble::LosesTheAnswer | Trouble::WaitsAfter) | None => {}
        }
        let answer = work.await;
        match trouble {
            Some(Trouble::LosesTheAnswer) => return Err(StoreError::backend("told to lose the answer")),
            Some(Trouble::WaitsAfter) => self.gates.pass("store").await,
            _ => {}
        }
        answer
    }

    fn remember(&self, id: &SessionId) {
        self.ids.lock().unwrap().insert(*id);
    }
}

#[async_trait]
impl SessionStore for Probe {
    async fn load(&self, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        self.call(Call::Load, self.inner.load(id, now)).await
    }

    async fn create(&self, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        self.remember(id);
        self.call(Call::Create, self.inner.create(id, record, now)).await
    }

    async fn update(&self, id: &SessionId, at: Revision, record: &Record, now: Timestamp) -> Result<UpdateOutcome> {
        self.call(Call::Update, self.inner.update(id, at, record, now)).await
    }

    async fn rename(
        &self,
        old: &SessionId,
        at: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        self.remember(new);
        self.call(Call::Rename, self.inner.rename(old, at, new, record, now)).await
    }

    async fn touch(&self, id: &SessionId, expires_at: Timestamp, now: Timestamp) -> Result<TouchOutcome> {
        self.call(Call::Touch, self.inner.touch(id, expires_at, now)).await
    }

    async fn delete(&self, id: &SessionId) -> Result<DeleteOutcome> {
        self.call(Call::Delete, self.inner.delete(id)).await
    }

    async fn set_aside(&self, id: &SessionId) -> Result<()> {
        self.inner.set_aside(id).await
    }

    fn expiry(&self) -> Option<&dyn DeleteExpired> {
        self.inner.expiry().map(|_| self as &dyn DeleteExpired)
    }

    fn principals(&self) -> Option<&dyn PrincipalIndex> {
        self.inner.principals()
    }
}

#[async_trait]
impl DeleteExpired for Probe {
    async fn delete_expired(&self, now: Timestamp, limit: NonZeroUsize) -> Result<Swept> {
        self.inner.expiry().unwrap().delete_expired(now, limit).await
    }
}
