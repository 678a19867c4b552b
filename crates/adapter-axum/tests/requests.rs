//! Whole requests through the layer: what axum and tower see of a session.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::Poll;

use axum::Router;
use axum::body::Body;
use axum::response::{AppendHeaders, Redirect};
use axum::routing::{get, post};
use http::header::{CACHE_CONTROL, COOKIE, RETRY_AFTER, SET_COOKIE, VARY};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use nexios_adapter_axum::{Session, SessionError, SessionLayer, SessionManager};
use nexios_signer::{Key, KeyRing};
use nexios_store_core::{DeleteExpired, SessionStore, StoreError, Timestamp};
use nexios_store_memory::MemoryStore;
use nexios_store_testkit::hook::{Hooked, before};
use tower::{ServiceBuilder, ServiceExt, service_fn};

fn keys() -> KeyRing {
    KeyRing::new(Key::from_text("0123456789abcdef0123456789abcdef").unwrap())
}

fn manager(store: impl SessionStore) -> SessionManager {
    SessionManager::builder(store).keys(keys()).build().unwrap()
}

/// A store that always fails.
fn broken_store() -> impl SessionStore {
    Hooked::new(MemoryStore::new(), before(|_| Err(StoreError::backend("broken"))))
}

fn request(path: &str, cookie: &str) -> Request<Body> {
    let mut request = Request::builder().uri(path);
    if !cookie.is_empty() {
        request = request.header(COOKIE, cookie);
    }
    request.body(Body::empty()).unwrap()
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

fn header<B>(response: &Response<B>, name: http::HeaderName) -> Vec<&str> {
    response.headers().get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

fn cookie<B>(response: &Response<B>) -> String {
    header(response, SET_COOKIE).last().unwrap().split(';').next().unwrap().to_owned()
}

/// Returns the number of records: all of them have expired by the end of time.
async fn records(store: &MemoryStore) -> usize {
    store.delete_expired(Timestamp::MAX, std::num::NonZeroUsize::MAX).await.unwrap().removed
}

async fn count(session: Session) -> Result<String, SessionError> {
    let hits = session.get_or("hits", 0)? + 1;
    session.insert("hits", &hits)?;
    Ok(hits.to_string())
}

#[tokio::test]
async fn a_session_lasts_from_one_request_to_the_next() {
    let app = Router::new().route("/", get(count)).layer(SessionLayer::new(manager(MemoryStore::new())));
    let first = app.clone().oneshot(request("/", "")).await.unwrap();
    let cookie = cookie(&first);
    assert_eq!(text(first).await, "1");
    let second = app.oneshot(request("/", &cookie)).await.unwrap();
    assert_eq!(text(second).await, "2");
}

#[tokio::test]
async fn a_session_travels_in_any_of_several_cookie_headers() {
    let app = Router::new().route("/", get(count)).layer(SessionLayer::new(manager(MemoryStore::new())));
    let cookie = cookie(&app.clone().oneshot(request("/", "")).await.unwrap());
    let mut split = request("/", "theme=dark");
    split.headers_mut().append(COOKIE, cookie.parse().unwrap());
    assert_eq!(text(app.oneshot(split).await.unwrap()).await, "2");
}

#[tokio::test]
async fn the_applications_own_headers_are_kept() {
    let answer = async |session: Session| {
        session.insert("a", &1)?;
        let headers = [(VARY, "Accept-Encoding"), (CACHE_CONTROL, "private, max-age=60"), (SET_COOKIE, "theme=dark")];
        Ok::<_, SessionError>((AppendHeaders(headers), Redirect::to("/elsewhere")))
    };
    let app = Router::new().route("/", get(answer)).layer(SessionLayer::new(manager(MemoryStore::new())));
    let response = app.oneshot(request("/", "")).await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(header(&response, VARY), ["Accept-Encoding, Cookie"]);
    assert_eq!(header(&response, CACHE_CONTROL), ["private, max-age=60"]);
    let cookies = header(&response, SET_COOKIE);
    assert_eq!((cookies.len(), cookies[0]), (2, "theme=dark"));
}

#[tokio::test]
async fn the_session_cookie_replaces_one_of_the_application() {
    let own = [(SET_COOKIE, "sessionid=own"), (SET_COOKIE, "theme=dark")];
    let app = Router::new()
        .route(
            "/write",
            get(async move |session: Session| session.insert("a", &1).map(|()| AppendHeaders(own.clone())).unwrap()),
        )
        .route("/", get(async || AppendHeaders([(SET_COOKIE, "sessionid=own")])))
        .layer(SessionLayer::new(manager(MemoryStore::new())));
    let response = app.clone().oneshot(request("/write", "")).await.unwrap();
    let cookies = header(&response, SET_COOKIE);
    assert_eq!((cookies.len(), cookies[0]), (2, "theme=dark"));
    assert!(cookies[1].starts_with("sessionid=") && !cookies[1].contains("own"));
    let response = app.oneshot(request("/", "")).await.unwrap();
    assert_eq!(header(&response, SET_COOKIE), ["sessionid=own"], "where we have nothing to say, it stands");
}

#[tokio::test]
async fn a_route_without_a_session_gets_no_header() {
    let app = Router::new().route("/", get("hello")).layer(SessionLayer::new(manager(MemoryStore::new())));
    let response = app.oneshot(request("/", "sessionid=anything")).await.unwrap();
    for name in [VARY, CACHE_CONTROL, SET_COOKIE] {
        assert!(header(&response, name.clone()).is_empty(), "{name}");
    }
}

#[tokio::test]
async fn an_optional_session_is_there_only_if_the_visitor_has_one() {
    let app = Router::new()
        .route("/has", get(async |session: Option<Session>| session.is_some().to_string()))
        .route("/", get(count))
        .layer(SessionLayer::new(manager(MemoryStore::new())));
    let before = app.clone().oneshot(request("/has", "")).await.unwrap();
    assert_eq!((header(&before, VARY), header(&before, SET_COOKIE).len()), (vec!["Cookie"], 0));
    assert_eq!(text(before).await, "false");
    let cookie = cookie(&app.clone().oneshot(request("/", "")).await.unwrap());
    assert_eq!(text(app.oneshot(request("/has", &cookie)).await.unwrap()).await, "true");
}

#[tokio::test]
async fn a_missing_layer_is_a_500_without_a_body() {
    let app: Router = Router::new().route("/", get(count));
    let response = app.oneshot(request("/", "")).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(text(response).await, "");
}

#[tokio::test]
async fn a_missing_layer_says_what_to_add() {
    let error = Session::from_extensions(&http::Extensions::new()).await.unwrap_err();
    assert!(error.to_string().contains(".layer(SessionLayer::new(manager))"), "{error}");
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_a_503_without_a_body() {
    let app = Router::new()
        .route("/read", get(count))
        .route("/optional", get(async |session: Option<Session>| session.is_some().to_string()))
        .layer(SessionLayer::new(manager(broken_store())));
    let healthy = Router::new().route("/", get(count)).layer(SessionLayer::new(manager(MemoryStore::new())));
    let genuine = cookie(&healthy.oneshot(request("/", "")).await.unwrap());
    for (path, cookie) in [("/read", &*genuine), ("/optional", &genuine), ("/read", "")] {
        let response = app.clone().oneshot(request(path, cookie)).await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!((header(&response, SET_COOKIE).len(), header(&response, VARY)), (0, vec!["Cookie"]), "{path}");
        let [seconds] = header(&response, RETRY_AFTER)[..] else { panic!("{path}") };
        assert!((5..10).contains(&seconds.parse::<u8>().unwrap()), "{path}: {seconds}");
        assert_eq!(text(response).await, "", "{path}: what the handler had to say is gone");
    }
}

#[tokio::test]
async fn a_session_error_answers_without_a_body() {
    let answer = async |session: Session| {
        session.insert("a", "text")?;
        session.save().await?;
        session.insert("b", &1)?;
        session.get::<u64>("a")?;
        Ok::<_, SessionError>("unreachable")
    };
    let app = Router::new().route("/", get(answer)).layer(SessionLayer::new(manager(MemoryStore::new())));
    let response = app.oneshot(request("/", "")).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(header(&response, SET_COOKIE).len(), 1, "the session was saved before, and the visitor gets its cookie");
    assert_eq!(text(response).await, "");
}

#[tokio::test]
async fn a_handler_that_panics_changes_nothing() {
    let store = Arc::new(MemoryStore::new());
    let answer = async |session: Session| {
        session.insert("a", &1).unwrap();
        if !session.is_empty() {
            panic!("on purpose");
        }
    };
    let app = Router::new().route("/", get(answer)).layer(SessionLayer::new(manager(store.clone())));
    let result = tokio::spawn(AssertUnwindSafe(app.oneshot(request("/", "")))).await;
    assert!(result.unwrap_err().is_panic(), "the panic goes on");
    assert_eq!(records(&store).await, 0);
}

#[tokio::test]
async fn a_client_that_leaves_during_the_handler_changes_nothing() {
    let store = Arc::new(MemoryStore::new());
    let answer = async |session: Session| {
        session.insert("a", &1).unwrap();
        std::future::pending::<()>().await;
    };
    let app = Router::new().route("/", get(answer)).layer(SessionLayer::new(manager(store.clone())));
    let mut response = Box::pin(app.oneshot(request("/", "")));
    assert!(futures_poll(&mut response).await.is_pending());
    drop(response);
    assert_eq!(records(&store).await, 0);
}

async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::future::poll_fn(|context| Poll::Ready(std::pin::Pin::new(&mut *future).poll(context))).await
}

#[tokio::test]
async fn a_logout_is_carried_out_whatever_the_status() {
    let store = Arc::new(MemoryStore::new());
    let app = Router::new()
        .route("/", get(count))
        .route(
            "/logout",
            post(async |session: Session| {
                session.destroy();
                StatusCode::INTERNAL_SERVER_ERROR
            }),
        )
        .layer(SessionLayer::new(manager(store.clone())));
    let cookie = cookie(&app.clone().oneshot(request("/", "")).await.unwrap());
    let mut logout = request("/logout", &cookie);
    *logout.method_mut() = http::Method::POST;
    let response = app.oneshot(logout).await.unwrap();
    assert!(header(&response, SET_COOKIE)[0].contains("Max-Age=0"));
    assert_eq!(records(&store).await, 0);
}

#[tokio::test]
async fn two_sessions_live_in_one_application() {
    struct Admin;
    let admin_cookie = nexios_cookie_config::CookieConfig::builder().name("admin").build().unwrap();
    let users = manager(MemoryStore::new());
    let admins = SessionManager::builder(MemoryStore::new()).keys(keys()).cookie(admin_cookie).build().unwrap();
    let both = async |user: Session, admin: Session<Admin>| {
        user.insert("who", "user")?;
        admin.insert("who", "admin")?;
        Ok::<_, SessionError>(())
    };
    let read = async |user: Session, admin: Session<Admin>| {
        let (user, admin): (String, String) = (user.get_or("who", String::new())?, admin.get_or("who", String::new())?);
        Ok::<_, SessionError>(format!("{user} {admin}"))
    };
    let app = Router::new()
        .route("/", get(both))
        .route("/read", get(read))
        .layer(SessionLayer::new(users))
        .layer(SessionLayer::<Admin>::named(admins));
    let response = app.clone().oneshot(request("/", "")).await.unwrap();
    let cookies: Vec<_> =
        header(&response, SET_COOKIE).iter().map(|line| line.split(';').next().unwrap().to_owned()).collect();
    assert_eq!(cookies.len(), 2);
    assert_eq!(text(app.oneshot(request("/read", &cookies.join("; "))).await.unwrap()).await, "user admin");
}

#[tokio::test]
async fn any_tower_service_can_have_sessions() {
    let service = ServiceBuilder::new().layer(SessionLayer::new(manager(MemoryStore::new()))).service(service_fn(
        async |request: Request<()>| {
            let session: Session = Session::from_extensions(request.extensions()).await.unwrap();
            session.update("hits", |hits: Option<u32>| hits.unwrap_or(0) + 1).unwrap();
            Ok::<_, Infallible>(Response::new(session.get::<u32>("hits").unwrap().unwrap().to_string()))
        },
    ));
    let first = service.clone().oneshot(Request::new(())).await.unwrap();
    let again = Request::builder().header(COOKIE, cookie(&first)).body(()).unwrap();
    assert_eq!(text(service.oneshot(again).await.unwrap()).await, "2");
}

#[tokio::test]
async fn a_logout_is_carried_out_although_the_service_fails() {
    let store = Arc::new(MemoryStore::new());
    let service = ServiceBuilder::new().layer(SessionLayer::new(manager(store.clone()))).service(service_fn(
        async |request: Request<()>| {
            let session: Session = Session::from_extensions(request.extensions()).await.unwrap();
            if session.is_empty() {
                session.insert("a", &1).unwrap();
                Ok(Response::new(String::new()))
            } else {
                session.insert("a", &2).unwrap();
                session.destroy();
                Err("timed out")
            }
        },
    ));
    let first = service.clone().oneshot(Request::new(())).await.unwrap();
    let again = Request::builder().header(COOKIE, cookie(&first)).body(()).unwrap();
    assert_eq!(service.oneshot(again).await.unwrap_err(), "timed out");
    assert_eq!(records(&store).await, 0);
}

#[tokio::test]
async fn an_inner_cookie_survives_the_failure_of_an_outer_session() {
    struct Admin;
    let admin_cookie = nexios_cookie_config::CookieConfig::builder().name("admin").build().unwrap();
    let failing = SessionManager::builder(broken_store()).keys(keys()).cookie(admin_cookie).build().unwrap();
    let both = async |user: Session, admin: Session<Admin>| {
        user.insert("a", &1)?;
        admin.insert("a", &1)?;
        Ok::<_, SessionError>("saved")
    };
    let app = Router::new()
        .route("/", get(both))
        .layer(SessionLayer::new(manager(MemoryStore::new())))
        .layer(SessionLayer::<Admin>::named(failing));
    let response = app.oneshot(request("/", "")).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(header(&response, SET_COOKIE)[0].starts_with("sessionid="), "the store has it, so the visitor must");
    assert_eq!(header(&response, CACHE_CONTROL), ["no-store"]);
    assert_eq!(text(response).await, "");
}
