use axum::Router;
use axum::routing::get;
use tower_sessions::cookie::Key;
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

use crate::axum::{Handlers, router};
use crate::payload::{KEY, Size, VISITS, entries, shown};

pub(crate) fn signed() -> Router {
    router(handlers()).layer(plain_layer().with_signed(Key::generate()))
}

pub(crate) fn plain() -> Router {
    router(handlers()).layer(plain_layer())
}

fn plain_layer() -> SessionManagerLayer<MemoryStore> {
    SessionManagerLayer::new(MemoryStore::default()).with_secure(false)
}

fn handlers() -> Handlers {
    Handlers {
        seed_300: get(async |session: Session| seed(&session, Size::Small).await),
        seed_4k: get(async |session: Session| seed(&session, Size::Large).await),
        read: get(async |session: Session| shown(session.get(KEY).await.expect("a store that answers"))),
        write: get(async |session: Session| {
            let visits = session.get(KEY).await.expect("a store that answers").unwrap_or(0) + 1;
            session.insert(KEY, visits).await.expect("a store that answers");
            shown(Some(visits))
        }),
        new: get(async |session: Session| {
            session.insert(KEY, VISITS).await.expect("a store that answers");
            "new"
        }),
    }
}

async fn seed(session: &Session, size: Size) -> &'static str {
    for (key, value) in entries(size) {
        session.insert(key, value).await.expect("a store that answers");
    }
    "seeded"
}
