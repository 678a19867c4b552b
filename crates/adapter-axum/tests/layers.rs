//! The layer among those of tower-http, around it and inside of it, in axum's router and around a plain service.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::convert::Infallible;
use std::fmt::Debug;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_METHOD, CONTENT_ENCODING, COOKIE, ORIGIN,
    SET_COOKIE, VARY,
};
use http::{HeaderName, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use nexios_adapter_axum::{Session, SessionError, SessionLayer, SessionManager};
use nexios_signer::{Key, KeyRing};
use nexios_store_memory::MemoryStore;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;
use tower_http::decompression::DecompressionLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

/// The layer in question around the session layer and inside of it, around a plain service and a router.
macro_rules! sessions_last_on_both_sides_of {
    ($layer:expr) => {{
        let sessions = SessionLayer::new(manager());
        let service = ServiceBuilder::new().layer(sessions.clone()).layer($layer).service(service_fn(serve));
        sessions_last(service).await;
        let service = ServiceBuilder::new().layer($layer).layer(sessions.clone()).service(service_fn(serve));
        sessions_last(service).await;
        sessions_last(router().layer(ServiceBuilder::new().layer(sessions.clone()).layer($layer))).await;
        sessions_last(router().layer(ServiceBuilder::new().layer($layer).layer(sessions.clone()))).await;
        sessions_last(router().layer($layer).layer(sessions.clone())).await;
        sessions_last(router().layer(sessions).layer($layer)).await;
    }};
}

#[tokio::test]
async fn trace_layer_fits_on_both_sides() {
    sessions_last_on_both_sides_of!(TraceLayer::new_for_http());
}

#[tokio::test]
async fn compression_layer_fits_on_both_sides() {
    sessions_last_on_both_sides_of!(CompressionLayer::new());
}

#[tokio::test]
async fn timeout_layer_fits_on_both_sides() {
    sessions_last_on_both_sides_of!(timeout(StatusCode::SERVICE_UNAVAILABLE));
}

#[tokio::test]
async fn catch_panic_layer_fits_on_both_sides() {
    sessions_last_on_both_sides_of!(CatchPanicLayer::new());
}

#[tokio::test]
async fn cors_layer_fits_on_both_sides() {
    sessions_last_on_both_sides_of!(CorsLayer::permissive());
}

#[tokio::test]
async fn all_layers_fit_around_the_session_layer() {
    let layers = ServiceBuilder::new()
        .layer(TraceLayer::new_for_http())
        .layer(CompressionLayer::new())
        .layer(timeout(StatusCode::SERVICE_UNAVAILABLE))
        .layer(CorsLayer::permissive())
        .layer(CatchPanicLayer::new())
        .layer(SessionLayer::new(manager()));
    sessions_last(layers.clone().service(service_fn(serve))).await;
    sessions_last(router().layer(layers)).await;
}

#[tokio::test]
async fn all_layers_fit_inside_of_the_session_layer() {
    let layers = ServiceBuilder::new()
        .layer(SessionLayer::new(manager()))
        .layer(TraceLayer::new_for_http())
        .layer(CompressionLayer::new())
        .layer(timeout(StatusCode::SERVICE_UNAVAILABLE))
        .layer(CorsLayer::permissive())
        .layer(CatchPanicLayer::new());
    sessions_last(layers.clone().service(service_fn(serve))).await;
    sessions_last(router().layer(layers)).await;
}

/// `TimeoutLayer` and `CorsLayer` need a body that has a default, which that of `TraceLayer` has not.
#[tokio::test]
async fn the_session_layer_joins_layers_that_do_not_fit_each_other() {
    let layers = ServiceBuilder::new()
        .layer(timeout(StatusCode::SERVICE_UNAVAILABLE))
        .layer(CorsLayer::permissive())
        .layer(SessionLayer::new(manager()))
        .layer(TraceLayer::new_for_http())
        .layer(CompressionLayer::new());
    sessions_last(layers.clone().service(service_fn(serve))).await;
    sessions_last(router().layer(layers)).await;
}

#[tokio::test]
async fn two_session_layers_fit_into_one_builder() {
    enum Admin {}
    let cookie = nexios_cookie_config::CookieConfig::builder().name("admin").build().unwrap();
    let admins = SessionManager::builder(MemoryStore::new()).keys(keys()).cookie(cookie).build().unwrap();
    let layers = ServiceBuilder::new()
        .layer(SessionLayer::<Admin>::named(admins))
        .layer(TraceLayer::new_for_http())
        .layer(SessionLayer::new(manager()));
    sessions_last(layers.clone().service(service_fn(serve))).await;
    sessions_last(router().layer(layers)).await;
}

#[tokio::test]
async fn a_compressed_body_arrives_together_with_the_cookie() {
    let sessions = SessionLayer::new(manager());
    for app in [
        page().layer(CompressionLayer::new()).layer(sessions.clone()),
        page().layer(sessions).layer(CompressionLayer::new()),
    ] {
        let request = Request::builder().header(ACCEPT_ENCODING, "gzip").body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(header(&response, CONTENT_ENCODING), ["gzip"]);
        assert_eq!(header(&response, SET_COOKIE).len(), 1);
        let vary = header(&response, VARY).join(", ").to_lowercase();
        assert!(vary.contains("accept-encoding") && vary.contains("cookie"), "{vary}");
        assert!(bytes(response).await.len() < PAGE.len() / 2);

        let browser = ServiceBuilder::new().layer(DecompressionLayer::new()).service(app);
        assert_eq!(bytes(browser.oneshot(request_with("")).await.unwrap()).await, PAGE);
    }
}

#[tokio::test]
async fn a_panic_that_is_caught_inside_rolls_back() {
    let app = router().layer(CatchPanicLayer::new()).layer(SessionLayer::new(manager()));
    let cookie = cookie(&app.clone().oneshot(request_with("")).await.unwrap());
    let response = app.clone().oneshot(request_to("/panic", &cookie)).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(header(&response, SET_COOKIE).is_empty());
    assert_eq!(bytes(app.clone().oneshot(request_with(&cookie)).await.unwrap()).await, "2", "not 1001");

    let response = app.oneshot(request_to("/panic", "")).await.unwrap();
    assert!(header(&response, SET_COOKIE).is_empty(), "there is no session for a visitor who had none");
}

#[tokio::test]
async fn a_panic_that_is_caught_outside_saves_nothing() {
    let app = router().layer(SessionLayer::new(manager())).layer(CatchPanicLayer::new());
    let cookie = cookie(&app.clone().oneshot(request_with("")).await.unwrap());
    let response = app.clone().oneshot(request_to("/panic", &cookie)).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(bytes(app.oneshot(request_with(&cookie)).await.unwrap()).await, "2", "not 1001");
}

/// The handler was dropped half-way.
#[tokio::test(start_paused = true)]
async fn a_timeout_inside_saves_nothing() {
    for status in [StatusCode::SERVICE_UNAVAILABLE, StatusCode::REQUEST_TIMEOUT] {
        let app = router().layer(timeout(status)).layer(SessionLayer::new(manager()));
        let cookie = cookie(&app.clone().oneshot(request_with("")).await.unwrap());
        let response = app.clone().oneshot(request_to("/slow", &cookie)).await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(bytes(app.oneshot(request_with(&cookie)).await.unwrap()).await, "2", "{status}: not 1001");
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_outside_saves_nothing() {
    let app = router().layer(SessionLayer::new(manager())).layer(timeout(StatusCode::REQUEST_TIMEOUT));
    let cookie = cookie(&app.clone().oneshot(request_with("")).await.unwrap());
    let response = app.clone().oneshot(request_to("/slow", &cookie)).await.unwrap();
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
    assert_eq!(bytes(app.oneshot(request_with(&cookie)).await.unwrap()).await, "2", "not 1001");
}

#[tokio::test]
async fn a_cors_preflight_is_answered_on_both_sides() {
    let sessions = SessionLayer::new(manager());
    for app in [
        router().layer(CorsLayer::permissive()).layer(sessions.clone()),
        router().layer(sessions).layer(CorsLayer::permissive()),
    ] {
        let preflight = Request::builder()
            .method(Method::OPTIONS)
            .header(ORIGIN, "https://example.org")
            .header(ACCESS_CONTROL_REQUEST_METHOD, "GET")
            .body(Body::empty())
            .unwrap();
        let response = app.oneshot(preflight).await.unwrap();
        assert_eq!((response.status(), header(&response, ACCESS_CONTROL_ALLOW_ORIGIN)), (StatusCode::OK, vec!["*"]));
        assert!(header(&response, SET_COOKIE).is_empty());
    }
}

/// A value that one request sets is read by the next, and a cookie is sent when there is one to send.
async fn sessions_last<S, B>(service: S)
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone,
    B: http_body::Body<Data = Bytes, Error: Debug>,
{
    let first = service.clone().oneshot(request_with("")).await.unwrap();
    assert_eq!(first.status(), StatusCode::OK);
    let cookie = cookie(&first);
    assert_eq!(bytes(first).await, "1");
    for hits in ["2", "3"] {
        let next = service.clone().oneshot(request_with(&cookie)).await.unwrap();
        assert_eq!((next.status(), bytes(next).await), (StatusCode::OK, hits.into()));
    }
}

/// A service without axum.
async fn serve(request: Request<Body>) -> Result<Response<Full<Bytes>>, Infallible> {
    let session = Session::from_extensions(request.extensions()).await.unwrap();
    Ok(Response::new(count(session).await.unwrap().into()))
}

async fn count(session: Session) -> Result<String, SessionError> {
    let hits = session.get_or("hits", 0)? + 1;
    session.insert("hits", &hits)?;
    Ok(hits.to_string())
}

fn router() -> Router {
    Router::new()
        .route("/", get(count))
        .route(
            "/panic",
            get(async |session: Session| -> String {
                session.insert("hits", &1000).unwrap();
                panic!("on purpose")
            }),
        )
        .route(
            "/slow",
            get(async |session: Session| {
                session.insert("hits", &1000).unwrap();
                std::future::pending::<()>().await;
            }),
        )
}

/// A page that is worth compressing.
fn page() -> Router {
    Router::new().route("/", get(async |session: Session| session.insert("seen", &true).map(|()| PAGE)))
}

const PAGE: &str = "All work and no play makes Jack a dull boy. All work and no play makes Jack a dull boy. \
                    All work and no play makes Jack a dull boy. All work and no play makes Jack a dull boy.";

fn timeout(status: StatusCode) -> TimeoutLayer {
    TimeoutLayer::with_status_code(status, Duration::from_secs(10))
}

fn keys() -> KeyRing {
    KeyRing::new(Key::generate().unwrap())
}

fn manager() -> SessionManager {
    SessionManager::builder(MemoryStore::new()).keys(keys()).build().unwrap()
}

fn request_with(cookie: &str) -> Request<Body> {
    request_to("/", cookie)
}

fn request_to(path: &str, cookie: &str) -> Request<Body> {
    Request::builder().uri(path).header(COOKIE, cookie).body(Body::empty()).unwrap()
}

async fn bytes<B>(response: Response<B>) -> Bytes
where
    B: http_body::Body<Data = Bytes, Error: Debug>,
{
    response.into_body().collect().await.unwrap().to_bytes()
}

fn header<B>(response: &Response<B>, name: HeaderName) -> Vec<&str> {
    response.headers().get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

fn cookie<B>(response: &Response<B>) -> String {
    header(response, SET_COOKIE).last().unwrap().split(';').next().unwrap().to_owned()
}
