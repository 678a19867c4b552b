use axum::Router;
use axum::routing::get;
use axum_session::{Key, Session, SessionConfig, SessionLayer, SessionNullPool, SessionStore};

use crate::axum::{Handlers, router};
use crate::payload::{KEY, Size, VISITS, entries, shown};

pub(crate) async fn signed() -> Router {
    with(SessionConfig::default().with_key(Key::generate())).await
}

pub(crate) async fn plain() -> Router {
    with(SessionConfig::default()).await
}

async fn with(config: SessionConfig) -> Router {
    // The layer would put the visitor's address into its signature, and requests have no address here.
    let config = config.with_secure(false).with_ip_and_user_agent(false);
    let store = SessionStore::<SessionNullPool>::new(None, config).await.expect("a store in memory");
    router(handlers()).layer(SessionLayer::new(store))
}

fn handlers() -> Handlers {
    Handlers {
        seed_300: get(async |session: Session<SessionNullPool>| seed(&session, Size::Small)),
        seed_4k: get(async |session: Session<SessionNullPool>| seed(&session, Size::Large)),
        read: get(async |session: Session<SessionNullPool>| shown(session.get(KEY))),
        write: get(async |session: Session<SessionNullPool>| {
            let visits = session.get(KEY).unwrap_or(0) + 1;
            session.set(KEY, visits);
            shown(Some(visits))
        }),
        new: get(async |session: Session<SessionNullPool>| {
            session.set(KEY, VISITS);
            "new"
        }),
    }
}

fn seed(session: &Session<SessionNullPool>, size: Size) -> &'static str {
    for (key, value) in entries(size) {
        session.set(key, value);
    }
    "seeded"
}
