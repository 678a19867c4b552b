//! The store that wraps another one.

use std::fmt;
use std::num::NonZeroUsize;

use nexios_store_core::{
    CreateOutcome, DeleteExpired, DeleteOutcome, PrincipalIndex, PrincipalTag, Record, RenameOutcome, Result, Revision,
    SessionId, SessionStore, StoreError, Stored, Swept, Timestamp, TouchOutcome, UpdateOutcome, async_trait,
};

use super::{Call, Hook, Outcome};

/// A store that runs a [`Hook`] before and after each call of another store.
///
/// See the [module](super) for when to choose it, and for examples.
///
/// With a hook that changes nothing, this store behaves exactly like the wrapped one: it has a sweep or an index if the
/// wrapped store has one.
pub struct Hooked<S, H> {
    store: S,
    hook: H,
}

impl<S: SessionStore, H: Hook> Hooked<S, H> {
    /// Wraps `store`.
    ///
    /// To ask the hook later, or to use one hook for several stores, pass an [`Arc`](std::sync::Arc) of it.
    pub const fn new(store: S, hook: H) -> Self {
        Self { store, hook }
    }

    /// Returns the wrapped store. Its calls run no hook.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// Returns the hook.
    pub const fn hook(&self) -> &H {
        &self.hook
    }

    /// Makes one call, with everything around it.
    async fn call<T, F>(
        &self,
        call: Call<'_>,
        work: impl FnOnce() -> F + Send,
        outcome: impl FnOnce(&T) -> Outcome<'_> + Send,
    ) -> Result<T>
    where
        T: Send + Sync,
        F: Future<Output = Result<T>> + Send,
    {
        let _ended = Ended { hook: &self.hook, call };
        self.hook.before(&call).await?;
        let answer = work().await;
        self.hook.after(&call, answer.as_ref().map(outcome)).await?;
        answer
    }
}

#[async_trait]
impl<S: SessionStore, H: Hook> SessionStore for Hooked<S, H> {
    async fn load(&self, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        let call = Call::Load { id, now };
        self.call(call, || self.store.load(id, now), |stored| Outcome::Load(stored.as_ref())).await
    }

    async fn create(&self, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        let call = Call::Create { id, record, now };
        self.call(call, || self.store.create(id, record, now), |outcome| Outcome::Create(*outcome)).await
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Revision,
        record: &Record,
        now: Timestamp,
    ) -> Result<UpdateOutcome> {
        let call = Call::Update { id, expected, record, now };
        self.call(call, || self.store.update(id, expected, record, now), |outcome| Outcome::Update(*outcome)).await
    }

    async fn rename(
        &self,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        let call = Call::Rename { old, expected, new, record, now };
        let work = || self.store.rename(old, expected, new, record, now);
        self.call(call, work, |outcome| Outcome::Rename(*outcome)).await
    }

    async fn touch(
        &self,
        id: &SessionId,
        seen: Revision,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<TouchOutcome> {
        let call = Call::Touch { id, seen, expires_at, now };
        self.call(call, || self.store.touch(id, seen, expires_at, now), |outcome| Outcome::Touch(*outcome)).await
    }

    async fn delete(&self, id: &SessionId) -> Result<DeleteOutcome> {
        self.call(Call::Delete { id }, || self.store.delete(id), |outcome| Outcome::Delete(*outcome)).await
    }

    async fn set_aside(&self, id: &SessionId) -> Result<()> {
        self.call(Call::SetAside { id }, || self.store.set_aside(id), |()| Outcome::SetAside).await
    }

    fn expiry(&self) -> Option<&dyn DeleteExpired> {
        let is_there = self.hook.sweeps() && self.store.expiry().is_some();
        is_there.then_some(self)
    }

    fn principals(&self) -> Option<&dyn PrincipalIndex> {
        let is_there = self.hook.keeps_index() && self.store.principals().is_some();
        is_there.then_some(self)
    }
}

#[async_trait]
impl<S: SessionStore, H: Hook> DeleteExpired for Hooked<S, H> {
    async fn delete_expired(&self, now: Timestamp, limit: NonZeroUsize) -> Result<Swept> {
        let expiry = self.store.expiry().ok_or_else(|| StoreError::backend("the wrapped store no longer sweeps"))?;
        let call = Call::DeleteExpired { now, limit };
        self.call(call, || expiry.delete_expired(now, limit), |swept| Outcome::DeleteExpired(*swept)).await
    }
}

#[async_trait]
impl<S: SessionStore, H: Hook> PrincipalIndex for Hooked<S, H> {
    async fn sessions_of(&self, tag: &PrincipalTag, now: Timestamp) -> Result<Vec<SessionId>> {
        let index = self.store.principals();
        let index = index.ok_or_else(|| StoreError::backend("the wrapped store no longer keeps an index"))?;
        self.call(Call::SessionsOf { tag, now }, || index.sessions_of(tag, now), |ids| Outcome::SessionsOf(ids)).await
    }
}

impl<S: fmt::Debug, H> fmt::Debug for Hooked<S, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooked").field("store", &self.store).finish_non_exhaustive()
    }
}

/// Tells the hook that a call has ended, when this is dropped.
struct Ended<'a, H: Hook> {
    hook: &'a H,
    call: Call<'a>,
}

impl<H: Hook> Drop for Ended<'_, H> {
    fn drop(&mut self) {
        self.hook.ended(&self.call);
    }
}
