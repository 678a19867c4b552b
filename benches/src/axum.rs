//! axum alone, and with our layer.

use axum::Router;
use axum::routing::{MethodRouter, get};
use nexios_adapter_axum::{Session, SessionError, SessionLayer};
use nexios_store_core::SessionStore;

use crate::nexios::{manager, seed};
use crate::payload::{KEY, Size, VISITS, shown};

/// The handlers of the routes that every application has. Session layers differ in the handlers only.
pub(crate) struct Handlers {
    pub(crate) seed_300: MethodRouter,
    pub(crate) seed_4k: MethodRouter,
    pub(crate) read: MethodRouter,
    pub(crate) write: MethodRouter,
    pub(crate) new: MethodRouter,
}

pub(crate) fn router(handlers: Handlers) -> Router {
    Router::new()
        .route("/untouched", get(async || "untouched"))
        .route("/seed-300", handlers.seed_300)
        .route("/seed-4k", handlers.seed_4k)
        .route("/read", handlers.read)
        .route("/write", handlers.write)
        .route("/new", handlers.new)
}

pub(crate) fn bare() -> Router {
    let handler = || get(async || "there is no session");
    router(Handlers { seed_300: handler(), seed_4k: handler(), read: handler(), write: handler(), new: handler() })
}

pub(crate) fn nexios(store: impl SessionStore) -> Router {
    let handlers = Handlers {
        seed_300: get(async |session: Session| Ok::<_, SessionError>(seed(&session, Size::Small)?)),
        seed_4k: get(async |session: Session| Ok::<_, SessionError>(seed(&session, Size::Large)?)),
        read: get(async |session: Session| Ok::<_, SessionError>(shown(session.get(KEY)?))),
        write: get(async |session: Session| {
            let visits = session.get_or(KEY, 0)? + 1;
            session.insert(KEY, &visits)?;
            Ok::<_, SessionError>(shown(Some(visits)))
        }),
        new: get(async |session: Session| {
            session.insert(KEY, &VISITS)?;
            Ok::<_, SessionError>("new")
        }),
    };
    router(handlers).layer(SessionLayer::new(manager(store)))
}
