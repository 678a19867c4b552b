//! The application around the handler that a test brings, and the four scenes that the handler meets.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::MethodRouter;
use http::header::{COOKIE, RETRY_AFTER, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use nexios_adapter_axum::{Event, Session, SessionError, SessionLayer, SessionManager};
use nexios_middleware_core::{Header, PlainHead};
use nexios_signer::{Key, KeyRing};
use nexios_store_core::{SessionStore, StoreError};
use nexios_store_memory::MemoryStore;
use nexios_store_testkit::hook::{Hooked, before};
use tower::ServiceExt;

/// Sends a request to `handler` in each of the four scenes.
pub(crate) async fn every_scene_keeps_its_status(handler: MethodRouter) {
    let manager = manager(MemoryStore::new());
    let cookie = cookie(&manager, |session| session.insert("hits", &1)).await;
    let answer = visit(handler.clone(), &manager, &cookie).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(!answer.body.is_empty());

    let failing = failing();
    assert_unavailable(&visit(handler.clone(), &failing, "").await);
    assert_eq!(failing.counters().of(Event::RequestFailed), 1, "the layer hears of the error once");

    let cookie = self::cookie(&manager, |session| session.insert("hits", "many")).await;
    let answer = visit(handler.clone(), &manager, &cookie).await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::INTERNAL_SERVER_ERROR, ""), "a value of another type");
    assert!(!answer.headers.contains_key(RETRY_AFTER));

    let cookie = self::cookie(&manager, |session| session.insert("hits", &1)).await;
    let answer = visit(handler.layer(from_fn(end_the_session)), &manager, &cookie).await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::CONFLICT, ""), "a session that is gone");
    assert!(!answer.headers.contains_key(RETRY_AFTER));
}

pub(crate) fn assert_unavailable(answer: &Answer) {
    assert_eq!((answer.status, &*answer.body), (StatusCode::SERVICE_UNAVAILABLE, ""), "an outage");
    let seconds = answer.headers[RETRY_AFTER].to_str().unwrap();
    assert!((5..10).contains(&seconds.parse::<u8>().unwrap()), "{seconds}");
    assert!(!answer.headers.contains_key(SET_COOKIE), "the visitor's cookie still stands");
}

/// Ends the session from elsewhere, after the request has loaded it.
async fn end_the_session(session: Session, request: Request, next: Next) -> Response {
    assert_eq!(session.principal().as_deref(), Some("ada"));
    session.manager().revoke_all("ada").await.unwrap();
    next.run(request).await
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

pub(crate) async fn visit(handler: MethodRouter, manager: &SessionManager, cookie: &str) -> Answer {
    let app = Router::new().route("/", handler).layer(SessionLayer::new(manager.clone()));
    let request = Request::builder().header(COOKIE, cookie).body(Body::empty()).unwrap();
    let (parts, body) = app.oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
}

/// The cookie of a session of the user ada, with what `fill` puts into it.
pub(crate) async fn cookie(
    manager: &SessionManager,
    fill: impl Fn(&nexios_middleware_core::Session) -> Result<(), SessionError>,
) -> String {
    let request = manager.request([""]);
    let session = request.session().await.unwrap();
    session.login("ada").and_then(|()| fill(&session)).unwrap();
    let mut head = PlainHead::new(200);
    assert!(request.end(head.status).await.apply(&mut head).is_none());
    head.value(Header::SetCookie).unwrap().split(';').next().unwrap().to_owned()
}

/// A cookie whose session is to be looked for in the store.
pub(crate) async fn genuine_cookie() -> String {
    cookie(&manager(MemoryStore::new()), |session| session.insert("hits", &1)).await
}

pub(crate) fn keys() -> KeyRing {
    KeyRing::new(Key::from_text("0123456789abcdef0123456789abcdef").unwrap())
}

pub(crate) fn manager(store: impl SessionStore) -> SessionManager {
    SessionManager::builder(store).keys(keys()).build().unwrap()
}

pub(crate) fn failing() -> SessionManager {
    manager(failing_store())
}

/// A store that never answers.
pub(crate) fn failing_store() -> impl SessionStore {
    Hooked::new(MemoryStore::new(), before(|_| Err(StoreError::backend("no answer"))))
}
