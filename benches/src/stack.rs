use std::num::NonZeroUsize;

use ::axum::Router;
use nexios_store_core::SessionStore;
use nexios_store_memory::MemoryStore;

use crate::application::Application;
use crate::{Case, actix, axum};

/// New sessions are made for as long as somebody measures.
const NEVER_FULL: NonZeroUsize = NonZeroUsize::MAX;

/// A framework with a session layer over a store in memory, or without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stack {
    /// axum alone: what all others over axum include.
    AxumBare,
    /// axum with ours.
    AxumNexios,
    /// actix-web alone.
    ActixBare,
    /// actix-web with ours.
    ActixNexios,
    /// tower-sessions with a signed cookie.
    #[cfg(feature = "peers")]
    TowerSessionsSigned,
    /// tower-sessions with its plain cookie.
    #[cfg(feature = "peers")]
    TowerSessionsPlain,
    /// `axum_session` with signed cookies.
    #[cfg(feature = "peers")]
    AxumSessionSigned,
    /// `axum_session` with plain cookies.
    #[cfg(feature = "peers")]
    AxumSessionPlain,
    /// actix-session, which has no store in memory, with all in a signed cookie.
    #[cfg(feature = "peers")]
    ActixSessionSigned,
    /// The same, encrypted.
    #[cfg(feature = "peers")]
    ActixSessionPrivate,
}

/// Whose runtime a stack runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framework {
    /// Any Tokio runtime: here one of the current thread.
    Axum,
    /// actix's own.
    Actix,
}

impl Stack {
    /// All that were built.
    pub const ALL: &[Self] = &[
        Self::AxumBare,
        Self::AxumNexios,
        #[cfg(feature = "peers")]
        Self::TowerSessionsSigned,
        #[cfg(feature = "peers")]
        Self::TowerSessionsPlain,
        #[cfg(feature = "peers")]
        Self::AxumSessionSigned,
        #[cfg(feature = "peers")]
        Self::AxumSessionPlain,
        Self::ActixBare,
        Self::ActixNexios,
        #[cfg(feature = "peers")]
        Self::ActixSessionSigned,
        #[cfg(feature = "peers")]
        Self::ActixSessionPrivate,
    ];

    /// The name on the command line and in the tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AxumBare => "axum/bare",
            Self::AxumNexios => "axum/nexios",
            Self::ActixBare => "actix/bare",
            Self::ActixNexios => "actix/nexios",
            #[cfg(feature = "peers")]
            Self::TowerSessionsSigned => "axum/tower-sessions-signed",
            #[cfg(feature = "peers")]
            Self::TowerSessionsPlain => "axum/tower-sessions-plain",
            #[cfg(feature = "peers")]
            Self::AxumSessionSigned => "axum/axum_session-signed",
            #[cfg(feature = "peers")]
            Self::AxumSessionPlain => "axum/axum_session-plain",
            #[cfg(feature = "peers")]
            Self::ActixSessionSigned => "actix/actix-session-signed",
            #[cfg(feature = "peers")]
            Self::ActixSessionPrivate => "actix/actix-session-private",
        }
    }

    /// Whose runtime it needs.
    pub fn framework(self) -> Framework {
        if self.name().starts_with("actix") { Framework::Actix } else { Framework::Axum }
    }

    /// Whether there is such a case for this stack.
    pub fn has(self, case: Case) -> bool {
        match self {
            Self::AxumBare | Self::ActixBare => case == Case::UntouchedNoCookie,
            // A cookie holds about 4 KB in all, so they do not fit.
            #[cfg(feature = "peers")]
            Self::ActixSessionSigned | Self::ActixSessionPrivate => !matches!(case, Case::Read4k | Case::Write4k),
            _ => true,
        }
    }

    /// Whether all of a request is done by the thread that makes it.
    pub const fn is_single_threaded(self) -> bool {
        match self {
            // Each signature is made on a blocking thread.
            #[cfg(feature = "peers")]
            Self::AxumSessionSigned => false,
            _ => true,
        }
    }

    /// Starts the application.
    pub(crate) async fn start(self) -> Box<dyn Application> {
        match self {
            Self::ActixBare => Box::new(actix::bare().await),
            Self::ActixNexios => self.start_on(MemoryStore::with_capacity_limit(NEVER_FULL)).await,
            #[cfg(feature = "peers")]
            Self::ActixSessionSigned => Box::new(crate::peers::actix_session::signed().await),
            #[cfg(feature = "peers")]
            Self::ActixSessionPrivate => Box::new(crate::peers::actix_session::private().await),
            _ => Box::new(self.router().await),
        }
    }

    /// The application as axum has it.
    ///
    /// # Panics
    ///
    /// Panics for a stack of actix-web.
    pub(crate) async fn router(self) -> Router {
        match self {
            Self::AxumBare => axum::bare(),
            Self::AxumNexios => axum::nexios(MemoryStore::with_capacity_limit(NEVER_FULL)),
            #[cfg(feature = "peers")]
            Self::TowerSessionsSigned => crate::peers::tower_sessions::signed(),
            #[cfg(feature = "peers")]
            Self::TowerSessionsPlain => crate::peers::tower_sessions::plain(),
            #[cfg(feature = "peers")]
            Self::AxumSessionSigned => crate::peers::axum_session::signed().await,
            #[cfg(feature = "peers")]
            Self::AxumSessionPlain => crate::peers::axum_session::plain().await,
            _ => unreachable!("{} is not axum's", self.name()),
        }
    }

    /// Starts the application on a store of the caller's, which only ours can do.
    pub(crate) async fn start_on(self, store: impl SessionStore) -> Box<dyn Application> {
        match self.framework() {
            Framework::Axum => Box::new(axum::nexios(store)),
            Framework::Actix => Box::new(actix::nexios(store).await),
        }
    }
}
