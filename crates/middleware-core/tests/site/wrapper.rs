use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use nexios_store_core::*;
use nexios_store_memory::MemoryStore;

use super::Call;

/// A store in memory. Before and after its every call something else may happen.
pub struct Wrapper {
    pub inner: Arc<MemoryStore>,
    pub keeps_index: bool,
    meanwhile: Box<dyn Fn(Call, SessionId) -> Meanwhile + Send + Sync>,
}

type Meanwhile = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Wrapper {
    pub fn new<F>(inner: Arc<MemoryStore>, meanwhile: impl Fn(Call, SessionId) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self { inner, keeps_index: true, meanwhile: Box::new(move |call, id| Box::pin(meanwhile(call, id))) }
    }

    async fn between<T>(&self, call: Call, id: SessionId, work: impl Future<Output = T>) -> T {
        (self.meanwhile)(call, id).await;
        let answer = work.await;
        (self.meanwhile)(call, id).await;
        answer
    }

    pub fn without_index() -> Self {
        Self { keeps_index: false, ..Self::new(Arc::default(), |_, _| async {}) }
    }
}

#[async_trait]
impl SessionStore for Wrapper {
    async fn load(&self, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        self.between(Call::Load, *id, self.inner.load(id, now)).await
    }

    async fn create(&self, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        self.between(Call::Create, *id, self.inner.create(id, record, now)).await
    }

    async fn update(&self, id: &SessionId, at: Revision, record: &Record, now: Timestamp) -> Result<UpdateOutcome> {
        self.between(Call::Update, *id, self.inner.update(id, at, record, now)).await
    }

    async fn rename(
        &self,
        old: &SessionId,
        at: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        self.between(Call::Rename, *old, self.inner.rename(old, at, new, record, now)).await
    }

    async fn touch(&self, id: &SessionId, expires_at: Timestamp, now: Timestamp) -> Result<TouchOutcome> {
        self.between(Call::Touch, *id, self.inner.touch(id, expires_at, now)).await
    }

    async fn delete(&self, id: &SessionId) -> Result<DeleteOutcome> {
        self.between(Call::Delete, *id, self.inner.delete(id)).await
    }

    fn expiry(&self) -> Option<&dyn DeleteExpired> {
        self.inner.expiry()
    }

    fn principals(&self) -> Option<&dyn PrincipalIndex> {
        self.keeps_index.then_some(self)
    }
}

#[async_trait]
impl PrincipalIndex for Wrapper {
    async fn sessions_of(&self, tag: &PrincipalTag, now: Timestamp) -> Result<Vec<SessionId>> {
        let nobody = SessionId::from_bytes([0; 16]);
        self.between(Call::List, nobody, self.inner.principals().unwrap().sessions_of(tag, now)).await
    }
}

impl fmt::Debug for Wrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wrapper")
    }
}
