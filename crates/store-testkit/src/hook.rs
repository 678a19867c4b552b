//! A store with a hook before and after each call.
//!
//! [`Hooked`] wraps any store and passes every call on to it. A [`Hook`] that you write runs before and after each
//! call. It can count calls, refuse them, hold them back, lose their answers, or do something else in between.
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
//! More that a hook can do:
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

mod before;
mod call;
mod hooked;

use std::sync::Arc;

#[cfg(doc)]
use nexios_store_core::SessionStore;
use nexios_store_core::{Result, StoreError, async_trait};

pub use self::before::{Before, before};
pub use self::call::{Call, CallKind, Outcome};
pub use self::hooked::Hooked;

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
    /// The call may have been answered, the hook or the store may have failed, or the caller may have dropped the
    /// future at any await.
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
