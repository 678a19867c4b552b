//! A store with a hook before and after each call.
//!
//! [`Hooked`] wraps any store and passes every call on to it. A [`Hook`] that you write runs before and after each call.
//! It can count calls, refuse them, hold them back, lose their answers, or do something else in between.
//!
//! Use it to test what stands on top of a store: an application, a decorator, a middleware. The store inside keeps the
//! contract, so a test says only what goes wrong, and everything else works as usual. To test a store itself, use
//! [`conformance!`](crate::conformance). To choose the answers of a store one by one, write a store.
//!
//! # Examples
//!
//! An outage of the whole store, by a function:
//!
//! ```
//! # use nexios_store_testkit::broken::Model as MyStore;
//! use nexios_store_core::{SessionId, SessionStore, StoreError, Timestamp};
//! use nexios_store_testkit::hook::{Hooked, before};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let store = Hooked::new(MyStore::default(), before(|_| Err(StoreError::backend("unplugged"))));
//!
//! let id = SessionId::from_bytes([1; 16]);
//! assert!(store.load(&id, Timestamp::UNIX_EPOCH).await.is_err());
//! # }
//! ```
//!
//! A store that counts its updates and loses every answer to a rename. The test keeps one [`Arc`] of the hook, so that
//! it can ask the hook later:
//!
//! ```
//! # use nexios_store_testkit::broken::Model as MyStore;
//! use nexios_store_core::{
//!     Record, Result, Revision, SessionId, SessionStore, StoreError, Timestamp, async_trait,
//! };
//! use nexios_store_testkit::hook::{Call, CallKind, Hook, Hooked, Outcome};
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicUsize, Ordering};
//!
//! #[derive(Default)]
//! struct Probe {
//!     updates: AtomicUsize,
//! }
//!
//! #[async_trait]
//! impl Hook for Probe {
//!     async fn before(&self, call: &Call<'_>) -> Result<()> {
//!         if call.kind() == CallKind::Update {
//!             self.updates.fetch_add(1, Ordering::Relaxed);
//!         }
//!         Ok(())
//!     }
//!
//!     async fn after(&self, call: &Call<'_>, _: Result<Outcome<'_>, &StoreError>) -> Result<()> {
//!         match call {
//!             Call::Rename { .. } => Err(StoreError::backend("connection reset")),
//!             _ => Ok(()),
//!         }
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<()> {
//! let probe = Arc::new(Probe::default());
//! let store = Hooked::new(MyStore::default(), probe.clone());
//!
//! // Here the application under test would get the store.
//! let (id, now) = (SessionId::from_bytes([1; 16]), Timestamp::UNIX_EPOCH);
//! let record = Record { payload: "1".into(), expires_at: Timestamp::MAX, principal: None };
//! let _ = store.update(&id, Revision::new(1), &record, now).await?;
//! assert_eq!(probe.updates.load(Ordering::Relaxed), 1);
//! # Ok(())
//! # }
//! ```
//!
//! What else a hook can do:
//!
//! | to | write |
//! | --- | --- |
//! | let a call fail before it does anything | an error in [`before`](Hook::before) |
//! | let a call happen and fail to say so | an error in [`after`](Hook::after) |
//! | let a call hang | `std::future::pending().await` in either |
//! | let two calls meet | a barrier in either |
//! | let something happen between two calls | anything in either; the hook may call the wrapped store itself |
//! | look at what is written | [`Call::record`] |
//! | notice a call whose caller has gone away | [`ended`](Hook::ended) without `after` |
//! | try a store without an index or a sweep | [`keeps_index`](Hook::keeps_index), [`sweeps`](Hook::sweeps) |

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use nexios_store_core::{
    CreateOutcome, DeleteExpired, DeleteOutcome, PrincipalIndex, PrincipalTag, Record, RenameOutcome, Result, Revision,
    SessionId, SessionStore, StoreError, Stored, Swept, Timestamp, TouchOutcome, UpdateOutcome, async_trait,
};

/// A store that runs a [`Hook`] before and after each call of another store.
///
/// See the [module](self) for when to choose it, and for examples.
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
    /// To ask the hook later, or to use one hook for several stores, pass an [`Arc`] of it.
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

/// Something to do before and after each call of a [`Hooked`] store.
///
/// Every method has a default that does nothing, so implement only what your test needs. The [module](self) has
/// examples, and [`before`] makes a hook of a function.
///
/// Several calls may run at the same time, and so may their hooks.
#[async_trait]
pub trait Hook: Send + Sync + 'static {
    /// Runs before the store is called. The store waits for it.
    ///
    /// # Errors
    ///
    /// An error becomes the answer of the call. Neither the store nor [`after`](Self::after) is called then.
    async fn before(&self, _call: &Call<'_>) -> Result<()> {
        Ok(())
    }

    /// Runs after the store has answered. The caller waits for it.
    ///
    /// `answer` is what the store said, which may be an error.
    ///
    /// # Errors
    ///
    /// An error replaces the answer. The store has done its work all the same: this is how an answer gets lost.
    async fn after(&self, _call: &Call<'_>, _answer: Result<Outcome<'_>, &StoreError>) -> Result<()> {
        Ok(())
    }

    /// Runs last for each call, however the call ended.
    ///
    /// The call may have been answered, the hook or the store may have failed, or the caller may have dropped the future
    /// at any await.
    fn ended(&self, _call: &Call<'_>) {}

    /// Returns `false` to hide the sweep of the wrapped store, so that [`SessionStore::expiry`] is `None`.
    fn sweeps(&self) -> bool {
        true
    }

    /// Returns `false` to hide the index of the wrapped store, so that [`SessionStore::principals`] is `None`.
    fn keeps_index(&self) -> bool {
        true
    }
}

/// A call of a store, with its arguments.
///
/// Match with `..` in each variant: a method of the contract may get further arguments.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are the arguments of the methods")]
pub enum Call<'a> {
    /// [`SessionStore::load`]
    Load { id: &'a SessionId, now: Timestamp },
    /// [`SessionStore::create`]
    Create { id: &'a SessionId, record: &'a Record, now: Timestamp },
    /// [`SessionStore::update`]
    Update { id: &'a SessionId, expected: Revision, record: &'a Record, now: Timestamp },
    /// [`SessionStore::rename`]
    Rename { old: &'a SessionId, expected: Revision, new: &'a SessionId, record: &'a Record, now: Timestamp },
    /// [`SessionStore::touch`]
    Touch { id: &'a SessionId, seen: Revision, expires_at: Timestamp, now: Timestamp },
    /// [`SessionStore::delete`]
    Delete { id: &'a SessionId },
    /// [`SessionStore::set_aside`]
    SetAside { id: &'a SessionId },
    /// [`DeleteExpired::delete_expired`]
    DeleteExpired { now: Timestamp, limit: NonZeroUsize },
    /// [`PrincipalIndex::sessions_of`]
    SessionsOf { tag: &'a PrincipalTag, now: Timestamp },
}

impl<'a> Call<'a> {
    /// Returns which method is called.
    pub const fn kind(&self) -> CallKind {
        match self {
            Self::Load { .. } => CallKind::Load,
            Self::Create { .. } => CallKind::Create,
            Self::Update { .. } => CallKind::Update,
            Self::Rename { .. } => CallKind::Rename,
            Self::Touch { .. } => CallKind::Touch,
            Self::Delete { .. } => CallKind::Delete,
            Self::SetAside { .. } => CallKind::SetAside,
            Self::DeleteExpired { .. } => CallKind::DeleteExpired,
            Self::SessionsOf { .. } => CallKind::SessionsOf,
        }
    }

    /// Returns the id of the session that the call is about, if it is about one. For a rename, this is the old id.
    pub const fn id(&self) -> Option<&'a SessionId> {
        match self {
            Self::Load { id, .. }
            | Self::Create { id, .. }
            | Self::Update { id, .. }
            | Self::Rename { old: id, .. }
            | Self::Touch { id, .. }
            | Self::Delete { id }
            | Self::SetAside { id } => Some(id),
            Self::DeleteExpired { .. } | Self::SessionsOf { .. } => None,
        }
    }

    /// Returns the record that the call writes, if it writes one.
    pub const fn record(&self) -> Option<&'a Record> {
        match self {
            Self::Create { record, .. } | Self::Update { record, .. } | Self::Rename { record, .. } => Some(record),
            _ => None,
        }
    }
}

/// The method that a [`Call`] calls, for tables and comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CallKind {
    /// [`SessionStore::load`]
    Load,
    /// [`SessionStore::create`]
    Create,
    /// [`SessionStore::update`]
    Update,
    /// [`SessionStore::rename`]
    Rename,
    /// [`SessionStore::touch`]
    Touch,
    /// [`SessionStore::delete`]
    Delete,
    /// [`SessionStore::set_aside`]
    SetAside,
    /// [`DeleteExpired::delete_expired`]
    DeleteExpired,
    /// [`PrincipalIndex::sessions_of`]
    SessionsOf,
}

/// The answer of a store that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome<'a> {
    /// The answer to [`SessionStore::load`]
    Load(Option<&'a Stored>),
    /// The answer to [`SessionStore::create`]
    Create(CreateOutcome),
    /// The answer to [`SessionStore::update`]
    Update(UpdateOutcome),
    /// The answer to [`SessionStore::rename`]
    Rename(RenameOutcome),
    /// The answer to [`SessionStore::touch`]
    Touch(TouchOutcome),
    /// The answer to [`SessionStore::delete`]
    Delete(DeleteOutcome),
    /// The answer to [`SessionStore::set_aside`]
    SetAside,
    /// The answer to [`DeleteExpired::delete_expired`]
    DeleteExpired(Swept),
    /// The answer to [`PrincipalIndex::sessions_of`]
    SessionsOf(&'a [SessionId]),
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

#[async_trait]
impl<H: Hook + ?Sized> Hook for Arc<H> {
    async fn before(&self, call: &Call<'_>) -> Result<()> {
        (**self).before(call).await
    }

    async fn after(&self, call: &Call<'_>, answer: Result<Outcome<'_>, &StoreError>) -> Result<()> {
        (**self).after(call, answer).await
    }

    fn ended(&self, call: &Call<'_>) {
        (**self).ended(call);
    }

    fn sweeps(&self) -> bool {
        (**self).sweeps()
    }

    fn keeps_index(&self) -> bool {
        (**self).keeps_index()
    }
}

/// Makes a [`Hook`] of a function that runs before each call.
///
/// An error of the function becomes the answer of the call.
///
/// ```
/// # use nexios_store_testkit::broken::Model as MyStore;
/// use nexios_store_core::StoreError;
/// use nexios_store_testkit::hook::{CallKind, Hooked, before};
///
/// let read_only = before(|call| match call.kind() {
///     CallKind::Load | CallKind::SessionsOf => Ok(()),
///     _ => Err(StoreError::backend("read-only replica")),
/// });
/// let store = Hooked::new(MyStore::default(), read_only);
/// # let _ = store;
/// ```
pub const fn before<F>(function: F) -> Before<F>
where
    F: Fn(&Call<'_>) -> Result<()> + Send + Sync + 'static,
{
    Before(function)
}

/// A function that runs before each call, made by [`before`].
#[derive(Clone, Copy)]
pub struct Before<F>(F);

#[async_trait]
impl<F> Hook for Before<F>
where
    F: Fn(&Call<'_>) -> Result<()> + Send + Sync + 'static,
{
    async fn before(&self, call: &Call<'_>) -> Result<()> {
        (self.0)(call)
    }
}

impl<F> fmt::Debug for Before<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Before(..)")
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
