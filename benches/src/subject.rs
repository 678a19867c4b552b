use std::fmt;

use axum::Router;
use nexios_store_core::SessionStore;

use crate::application::Application;
use crate::{Case, Framework, Stack, Visit};

/// A case on a stack, as the unit that is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// The stack that answers the request.
    pub stack: Stack,
    /// The case that the request is made for.
    pub case: Case,
}

/// A subject that can be repeated.
pub struct Prepared {
    application: Box<dyn Application>,
    visit: Visit,
}

impl Subject {
    /// Returns all subjects of this build.
    pub fn all() -> impl Iterator<Item = Self> {
        let of = |stack: Stack| Case::ALL.into_iter().filter(move |case| stack.has(*case));
        Stack::ALL.iter().flat_map(move |stack| of(*stack).map(|case| Self { stack: *stack, case }))
    }

    /// Finds the subject with this name, such as `axum/nexios/read-300`.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|subject| subject.to_string() == name)
    }

    /// Starts the application, prepares the request, and checks that it does what the case's name says.
    pub async fn prepare(self) -> Prepared {
        self.prepared(self.stack.start().await).await
    }

    /// Does the same as [`prepare`](Self::prepare) on the caller's store. Only our stacks can do that.
    pub async fn prepare_on(self, store: impl SessionStore) -> Prepared {
        self.prepared(self.stack.start_on(store).await).await
    }

    /// Returns the application of a stack of axum, and the request.
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
    /// Makes the request `operations` times.
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
    /// Runs a future to its end, as an application of the framework would.
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
