use actix_session::config::CookieContentSecurity;
use actix_session::storage::CookieSessionStore;
use actix_session::{Session, SessionMiddleware};
use actix_web::App;
use actix_web::cookie::Key;
use actix_web::test::init_service;
use actix_web::web::get;

use crate::actix::{Handlers, routes};
use crate::application::{Actix, Application};
use crate::payload::{KEY, Size, VISITS, entries, shown};

pub(crate) async fn signed() -> impl Application {
    with(CookieContentSecurity::Signed).await
}

pub(crate) async fn private() -> impl Application {
    with(CookieContentSecurity::Private).await
}

async fn with(security: CookieContentSecurity) -> impl Application {
    let middleware = SessionMiddleware::builder(CookieSessionStore::default(), Key::generate())
        .cookie_secure(false)
        .cookie_content_security(security)
        .build();
    Actix(init_service(App::new().wrap(middleware).configure(routes(handlers()))).await)
}

fn handlers() -> Handlers {
    Handlers {
        seed_300: get().to(async |session: Session| seed(&session, Size::Small)),
        // The session is too large for a cookie, and no case asks for it.
        seed_4k: get().to(async || "it does not fit"),
        read: get().to(async |session: Session| shown(session.get(KEY).expect("a number"))),
        write: get().to(async |session: Session| {
            let visits = session.get(KEY).expect("a number").unwrap_or(0) + 1;
            session.insert(KEY, visits).expect("a number");
            shown(Some(visits))
        }),
        new: get().to(async |session: Session| {
            session.insert(KEY, VISITS).expect("a number");
            "new"
        }),
    }
}

fn seed(session: &Session, size: Size) -> &'static str {
    for (key, value) in entries(size) {
        session.insert(key, value).expect("JSON");
    }
    "seeded"
}
