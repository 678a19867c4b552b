//! The application around the handler that a test brings, and the four scenes that the handler meets.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{COOKIE, HeaderMap, RETRY_AFTER, SET_COOKIE};
use actix_web::middleware::{Condition, Next, from_fn};
use actix_web::test::{TestRequest, init_service, try_call_service};
use actix_web::web::ServiceConfig;
use actix_web::{App, Error};
use nexios_adapter_actix::{Event, Session, SessionError, SessionManager, SessionMiddleware};
use nexios_middleware_core::{Header, PlainHead};
use nexios_signer::{Key, KeyRing};
use nexios_store_core::{SessionStore, StoreError};
use nexios_store_memory::MemoryStore;
use nexios_store_testkit::hook::{Hooked, before};

pub(crate) type Routes = fn(&mut ServiceConfig) -> &mut ServiceConfig;

/// Sends a request to the handler at `/` in each of the four scenes.
pub(crate) async fn every_scene_keeps_its_status(routes: Routes) {
    let manager = manager(MemoryStore::new());
    let cookie = cookie(&manager, |session| session.insert("hits", &1)).await;
    let answer = visit(routes, &manager, &cookie).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(!answer.body.is_empty());

    let failing = failing();
    assert_unavailable(&visit(routes, &failing, "").await);
    assert_eq!(failing.counters().of(Event::RequestFailed), 1, "the middleware hears of the error once");

    let cookie = self::cookie(&manager, |session| session.insert("hits", "many")).await;
    let answer = visit(routes, &manager, &cookie).await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::INTERNAL_SERVER_ERROR, ""), "a value of another type");
    assert!(!answer.headers.contains_key(RETRY_AFTER));

    let cookie = self::cookie(&manager, |session| session.insert("hits", &1)).await;
    let answer = visit_and("/", routes, &manager, &cookie, true).await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::CONFLICT, ""), "a session that is gone");
    assert!(!answer.headers.contains_key(RETRY_AFTER));
}

pub(crate) fn assert_unavailable(answer: &Answer) {
    assert_eq!((answer.status, &*answer.body), (StatusCode::SERVICE_UNAVAILABLE, ""), "an outage");
    let seconds = answer.headers.get(RETRY_AFTER).unwrap().to_str().unwrap();
    assert!((5..10).contains(&seconds.parse::<u8>().unwrap()), "{seconds}");
    assert!(!answer.headers.contains_key(SET_COOKIE), "the visitor's cookie still stands");
}

/// Ends the session from elsewhere, after the request has loaded it.
async fn end_the_session(
    session: Session,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    assert_eq!(session.principal().as_deref(), Some("ada"));
    session.manager().revoke_all("ada").await.unwrap();
    next.call(request).await
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

pub(crate) async fn visit(routes: Routes, manager: &SessionManager, cookie: &str) -> Answer {
    visit_path("/", routes, manager, cookie).await
}

pub(crate) async fn visit_path(path: &str, routes: Routes, manager: &SessionManager, cookie: &str) -> Answer {
    visit_and(path, routes, manager, cookie, false).await
}

async fn visit_and(path: &str, routes: Routes, manager: &SessionManager, cookie: &str, end_it: bool) -> Answer {
    let app = App::new()
        .configure(|config| _ = routes(config))
        .wrap(Condition::new(end_it, from_fn(end_the_session)))
        .wrap(SessionMiddleware::new(manager.clone()));
    let app = init_service(app).await;
    let request = TestRequest::with_uri(path).insert_header((COOKIE, cookie)).to_request();
    // An error that no middleware has answered is answered by the server, as here.
    let response = match try_call_service(&app, request).await {
        Ok(response) => response.into_parts().1.map_into_boxed_body(),
        Err(error) => error.error_response(),
    };
    let (status, headers) = (response.status(), response.headers().clone());
    let body = actix_web::body::to_bytes(response.into_body()).await.unwrap();
    Answer { status, headers, body: String::from_utf8(body.to_vec()).unwrap() }
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
