use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nexios_store_core::{SessionId, SessionStore};

use crate::FaultInjection;
use crate::caller::Caller;
use crate::clock::Clock;

/// A fresh, empty store, and what the kit has to know to test it.
///
/// If your store reads no clock and needs nothing to live on, you need no `Subject`: give
/// [`conformance!`](crate::conformance) a function that returns the store. Otherwise, say more:
///
/// ```
/// use nexios_store_testkit::{Subject, broken::Model};
///
/// # fn open_in(_: &std::path::Path) -> Model { Model::default() }
/// fn make_store() -> Subject {
///     let dir = tempfile::tempdir().expect("a temporary directory");
///     let store = open_in(dir.path());
///     Subject::new(store).keep(dir) // the directory goes when the store has gone
/// }
/// # let _ = make_store();
/// ```
pub struct Subject {
    // Stands above what it lives on, because fields are dropped from top to bottom.
    store: Arc<dyn SessionStore>,
    clock: Clock,
    faults: Option<Box<dyn FaultInjection>>,
    damage: Option<Damage>,
    kept: Mutex<Vec<Box<dyn Send>>>,
}

pub(crate) type Damage = Box<dyn Fn(SessionId) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

impl Subject {
    /// Makes a subject of a store that takes the time from its caller. The kit never sleeps.
    pub fn new(store: impl SessionStore) -> Self {
        Self { store: Arc::new(store), clock: Clock::argument(), faults: None, damage: None, kept: Mutex::default() }
    }

    /// Keeps something alive for as long as the store: a temporary directory, a server, a lock on a shared database.
    #[must_use]
    pub fn keep(mut self, what: impl Send + 'static) -> Self {
        self.kept.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner).push(Box::new(what));
        self
    }

    /// Declares that the backend expires records by its own clock, so that the kit lets real time pass.
    ///
    /// `grain` says how exact the backend is: the resolution of its clock plus the skew between the machines. A record
    /// may disappear up to one `grain` before its expiry, and must be gone one `grain` after it. The kit sleeps for
    /// five times `grain` in each test that needs a record to expire. Clauses that need more exact times do not apply.
    #[must_use]
    pub fn backend_clock(mut self, grain: Duration) -> Self {
        self.clock = Clock::Backend { grain };
        self
    }

    /// Declares how the store can be made to fail, for clauses (l) and (m).
    #[must_use]
    pub fn faults(mut self, faults: impl FaultInjection) -> Self {
        self.faults = Some(Box::new(faults));
        self
    }

    /// Declares how a stored record can be damaged, for what clauses (a) and (j) promise about bad records.
    ///
    /// `damage` changes the stored form of a live record so that loading it fails as
    /// [`Corrupt`](nexios_store_core::StoreErrorKind::Corrupt).
    #[must_use]
    pub fn damage<F, Damaged>(mut self, damage: F) -> Self
    where
        F: Fn(SessionId) -> Damaged + Send + Sync + 'static,
        Damaged: Future<Output = ()> + Send + 'static,
    {
        self.damage = Some(Box::new(move |id| Box::pin(damage(id))));
        self
    }

    /// Returns the store.
    pub fn store(&self) -> &Arc<dyn SessionStore> {
        &self.store
    }

    pub(crate) fn caller(&self, clause: char) -> Caller {
        Caller::new(clause, Arc::clone(&self.store), self.clock.clone())
    }

    pub(crate) fn fault_injection(&self) -> Option<&dyn FaultInjection> {
        self.faults.as_deref()
    }

    pub(crate) fn damage_injection(&self) -> Option<&Damage> {
        self.damage.as_ref()
    }
}

impl<S: SessionStore> From<S> for Subject {
    fn from(store: S) -> Self {
        Self::new(store)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("store", &self.store).field("clock", &self.clock).finish_non_exhaustive()
    }
}

/// A function that makes a fresh, empty store, as [`conformance!`](crate::conformance) takes it.
///
/// It may be async, and returns a store or a [`Subject`]. The compiler finds `Kind`.
pub trait MakeSubject<Kind> {
    /// Makes the store.
    fn make(self) -> impl Future<Output = Subject>;
}

impl<F, S> MakeSubject<kind::AtOnce> for F
where
    F: FnOnce() -> S,
    S: Into<Subject>,
{
    async fn make(self) -> Subject {
        self().into()
    }
}

impl<F, Made> MakeSubject<kind::Awaited> for F
where
    F: FnOnce() -> Made,
    Made: Future,
    Made::Output: Into<Subject>,
{
    async fn make(self) -> Subject {
        self().await.into()
    }
}

/// Markers that tell the two implementations of [`MakeSubject`] apart.
pub(crate) mod kind {
    #[derive(Debug)]
    pub enum AtOnce {}
    #[derive(Debug)]
    pub enum Awaited {}
}
