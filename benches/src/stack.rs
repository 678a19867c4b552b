use std::num::NonZeroUsize;

use ::axum::Router;
use nexios_store_core::SessionStore;
use nexios_store_memory::MemoryStore;

use crate::application::Application;
use crate::{Case, actix, axum};

/// No limit, because measurements make new sessions all the time.
const NEVER_FULL: NonZeroUsize = NonZeroUsize::MAX;

/// A framework with a session layer over a store in memory, or without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stack {
    /// axum alone. All other stacks of axum include it.
    AxumBare,
    /// axum with our layer.
    AxumNexios,
    /// actix-web alone.
    ActixBare,
    /// actix-web with our middleware.
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
    /// actix-session with the whole session in a signed cookie, because it has no store in memory.
    #[cfg(feature = "peers")]
    ActixSessionSigned,
    /// actix-session with the whole session in an encrypted cookie.
    #[cfg(feature = "peers")]
    ActixSessionPrivate,
}

/// The framework of a stack, and with it the runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framework {
    /// axum, on any Tokio runtime. Here it is one of the current thread.
    Axum,
    /// actix-web, on actix's own runtime.
    Actix,
}

impl Stack {
    /// All stacks of this build.
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

    /// Returns the name on the command line and in the tables.
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

    /// Returns the framework.
    pub fn framework(self) -> Framework {
        if self.name().starts_with("actix") { Framework::Actix } else { Framework::Axum }
    }

    /// Returns whether the stack can do this case.
    pub fn has(self, case: Case) -> bool {
        match self {
            Self::AxumBare | Self::ActixBare => case == Case::UntouchedNoCookie,
            // A cookie holds about 4 KB in all, so these sessions do not fit.
            #[cfg(feature = "peers")]
            Self::ActixSessionSigned | Self::ActixSessionPrivate => !matches!(case, Case::Read4k | Case::Write4k),
            _ => true,
        }
    }

    /// Returns whether the thread that makes a request does all of its work.
    pub const fn is_single_threaded(self) -> bool {
        match self {
            // It makes each signature on a blocking thread.
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

    /// Starts the application of a stack of axum.
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

    /// Starts the application on the caller's store. Only our stacks can do that.
    pub(crate) async fn start_on(self, store: impl SessionStore) -> Box<dyn Application> {
        match self.framework() {
            Framework::Axum => Box::new(axum::nexios(store)),
            Framework::Actix => Box::new(actix::nexios(store).await),
        }
    }
}
