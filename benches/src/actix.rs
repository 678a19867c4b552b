//! actix-web alone, and with our middleware.

use actix_web::test::init_service;
use actix_web::web::{ServiceConfig, get};
use actix_web::{App, Route};
use nexios_adapter_actix::{Session, SessionError, SessionMiddleware};
use nexios_store_core::SessionStore;

use crate::application::{Actix, Application};
use crate::nexios::{manager, seed};
use crate::payload::{KEY, Size, VISITS, shown};

/// The handlers of the routes that every application has. Session layers differ in the handlers only.
pub(crate) struct Handlers {
    pub(crate) seed_300: Route,
    pub(crate) seed_4k: Route,
    pub(crate) read: Route,
    pub(crate) write: Route,
    pub(crate) new: Route,
}

pub(crate) fn routes(handlers: Handlers) -> impl FnOnce(&mut ServiceConfig) {
    |config| {
        config
            .route("/untouched", get().to(async || "untouched"))
            .route("/seed-300", handlers.seed_300)
            .route("/seed-4k", handlers.seed_4k)
            .route("/read", handlers.read)
            .route("/write", handlers.write)
            .route("/new", handlers.new);
    }
}

pub(crate) async fn bare() -> impl Application {
    let handler = || get().to(async || "there is no session");
    let handlers =
        Handlers { seed_300: handler(), seed_4k: handler(), read: handler(), write: handler(), new: handler() };
    Actix(init_service(App::new().configure(routes(handlers))).await)
}

pub(crate) async fn nexios(store: impl SessionStore) -> impl Application {
    let handlers = Handlers {
        seed_300: get().to(async |session: Session| Ok::<_, SessionError>(seed(&session, Size::Small)?)),
        seed_4k: get().to(async |session: Session| Ok::<_, SessionError>(seed(&session, Size::Large)?)),
        read: get().to(async |session: Session| Ok::<_, SessionError>(shown(session.get(KEY)?))),
        write: get().to(async |session: Session| {
            let visits = session.get_or(KEY, 0)? + 1;
            session.insert(KEY, &visits)?;
            Ok::<_, SessionError>(shown(Some(visits)))
        }),
        new: get().to(async |session: Session| {
            session.insert(KEY, &VISITS)?;
            Ok::<_, SessionError>("new")
        }),
    };
    Actix(init_service(App::new().wrap(SessionMiddleware::new(manager(store))).configure(routes(handlers))).await)
}
