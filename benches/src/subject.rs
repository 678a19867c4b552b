use std::fmt;

use axum::Router;
use nexios_store_core::SessionStore;

use crate::application::Application;
use crate::{Case, Framework, Stack, Visit};

/// A case on a stack: what is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// Whose request.
    pub stack: Stack,
    /// Which request.
    pub case: Case,
}

/// A subject that can be repeated.
pub struct Prepared {
    application: Box<dyn Application>,
    visit: Visit,
}

impl Subject {
    /// All that were built.
    pub fn all() -> impl Iterator<Item = Self> {
        let of = |stack: Stack| Case::ALL.into_iter().filter(move |case| stack.has(*case));
        Stack::ALL.iter().flat_map(move |stack| of(*stack).map(|case| Self { stack: *stack, case }))
    }

    /// The one with this name, which is `axum/nexios/read-300` or the like.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|subject| subject.to_string() == name)
    }

    /// Starts the application, prepares the request, and makes sure that it does what the case's name says.
    pub async fn prepare(self) -> Prepared {
        self.prepared(self.stack.start().await).await
    }

    /// The same on a store of the caller's, which only ours can be run on.
    pub async fn prepare_on(self, store: impl SessionStore) -> Prepared {
        self.prepared(self.stack.start_on(store).await).await
    }

    /// The application itself, of a stack of axum, and the request.
    pub async fn router(self) -> (Router, Visit) {
        let router = self.stack.router().await;
        let visit = self.case.prepare(&router).await;
        (router, visit)
    }

    async fn prepared(self, application: Box<dyn Application>) -> Prepared {
        let visit = self.case.prepare(&*application).await;
        Prepared { application, visit }
    }
}

impl Prepared {
    /// Makes the request so many times.
    pub async fn repeat(&self, operations: usize) {
        self.application.repeat(&self.visit, operations).await;
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.stack.name(), self.case.name())
    }
}

impl Framework {
    /// Runs this to its end, as an application of the framework would be.
    pub fn block_on<T>(self, future: impl Future<Output = T>) -> T {
        match self {
            Self::Axum => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
                runtime.expect("a runtime").block_on(future)
            }
            Self::Actix => actix_web::rt::System::new().block_on(future),
        }
    }
}
