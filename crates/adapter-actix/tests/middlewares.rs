//! The middleware among those of actix, around them and inside of them.
#![allow(clippy::unwrap_used)]

use actix_http::Request;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, COOKIE, HeaderMap, HeaderName, SET_COOKIE, VARY,
};
use actix_web::middleware::{Compress, Condition, DefaultHeaders, Logger, NormalizePath, TrailingSlash};
use actix_web::test::{TestRequest, init_service};
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{App, Error};
use nexios_adapter_actix::{Session, SessionError, SessionManager, SessionMiddleware};
use nexios_signer::{Key, KeyRing};
use nexios_store_memory::MemoryStore;

/// The middleware in question inside of the session's and around it, for an application, a scope and a resource.
macro_rules! sessions_last_on_both_sides_of {
    ($middleware:expr) => {{
        let sessions = SessionMiddleware::new(manager());
        sessions_last(init_service(App::new().configure(routes).wrap($middleware).wrap(sessions.clone())).await).await;
        sessions_last(init_service(App::new().configure(routes).wrap(sessions.clone()).wrap($middleware)).await).await;
        let scope = web::scope("").wrap($middleware).wrap(sessions.clone()).configure(routes);
        sessions_last(init_service(App::new().service(scope)).await).await;
        let scope = web::scope("").wrap(sessions.clone()).wrap($middleware).configure(routes);
        sessions_last(init_service(App::new().service(scope)).await).await;
        let resource = web::resource("/").wrap($middleware).wrap(sessions.clone()).route(web::get().to(count));
        sessions_last(init_service(App::new().service(resource)).await).await;
        let resource = web::resource("/").wrap(sessions).wrap($middleware).route(web::get().to(count));
        sessions_last(init_service(App::new().service(resource)).await).await;
    }};
}

#[actix_web::test]
async fn compress_fits_on_both_sides() {
    sessions_last_on_both_sides_of!(Compress::default());
}

#[actix_web::test]
async fn logger_fits_on_both_sides() {
    sessions_last_on_both_sides_of!(Logger::default());
}

#[actix_web::test]
async fn condition_fits_on_both_sides() {
    sessions_last_on_both_sides_of!(Condition::new(true, Compress::default()));
    sessions_last_on_both_sides_of!(Condition::new(false, Compress::default()));
}

#[actix_web::test]
async fn normalize_path_fits_on_both_sides() {
    sessions_last_on_both_sides_of!(NormalizePath::new(TrailingSlash::MergeOnly));
}

#[actix_web::test]
async fn default_headers_fit_on_both_sides() {
    sessions_last_on_both_sides_of!(DefaultHeaders::new().add(("x-version", "1")));
}

#[actix_web::test]
async fn all_of_them_fit_inside() {
    let app = App::new()
        .configure(routes)
        .wrap(DefaultHeaders::new().add(("x-version", "1")))
        .wrap(Condition::new(true, NormalizePath::trim()))
        .wrap(Compress::default())
        .wrap(Logger::default())
        .wrap(SessionMiddleware::new(manager()));
    sessions_last(init_service(app).await).await;
}

#[actix_web::test]
async fn all_of_them_fit_around() {
    let app = App::new()
        .configure(routes)
        .wrap(SessionMiddleware::new(manager()))
        .wrap(DefaultHeaders::new().add(("x-version", "1")))
        .wrap(Condition::new(true, NormalizePath::trim()))
        .wrap(Compress::default())
        .wrap(Logger::default());
    sessions_last(init_service(app).await).await;
}

#[actix_web::test]
async fn a_condition_switches_sessions_on_and_off() {
    for (on, status) in [(true, StatusCode::OK), (false, StatusCode::INTERNAL_SERVER_ERROR)] {
        let app = App::new().configure(routes).wrap(Condition::new(on, SessionMiddleware::new(manager())));
        let app = init_service(app).await;
        assert_eq!(get(&app, "/", &[]).await.status, status, "{on}");
    }
}

#[actix_web::test]
async fn a_normalized_path_has_the_same_session() {
    let sessions = SessionMiddleware::new(manager());
    let inside = App::new().configure(routes).wrap(NormalizePath::trim()).wrap(sessions.clone());
    let inside = init_service(inside).await;
    let cookie = get(&inside, "//page//", &[]).await.cookie();
    assert_eq!(get(&inside, "/", &[(COOKIE, &cookie)]).await.body, "1");
    let around = App::new().configure(routes).wrap(sessions).wrap(NormalizePath::trim());
    let around = init_service(around).await;
    assert_eq!(get(&around, "//", &[(COOKIE, &cookie)]).await.body, "2");
}

#[actix_web::test]
async fn a_compressed_body_arrives_together_with_the_cookie() {
    let sessions = SessionMiddleware::new(manager());
    let inside = App::new().configure(routes).wrap(Compress::default()).wrap(sessions.clone());
    arrives_compressed(init_service(inside).await).await;
    let around = App::new().configure(routes).wrap(sessions).wrap(Compress::default());
    arrives_compressed(init_service(around).await).await;
}

async fn arrives_compressed<S, B>(app: S)
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    let answer = get(&app, "/page", &[(ACCEPT_ENCODING, "gzip")]).await;
    assert_eq!(answer.all(CONTENT_ENCODING), ["gzip"]);
    assert_eq!(answer.all(SET_COOKIE).len(), 1);
    let vary = answer.all(VARY).join(", ").to_lowercase();
    assert!(vary.contains("accept-encoding") && vary.contains("cookie"), "{vary}");
    assert!(answer.body.len() < PAGE.len() / 2);
    // actix itself unpacks what it is sent.
    let echo = TestRequest::post().uri("/echo").insert_header((CONTENT_ENCODING, "gzip")).set_payload(answer.body);
    assert_eq!(answer_to(&app, echo).await.body, PAGE);
}

#[actix_web::test]
async fn default_headers_do_not_make_a_session_cacheable() {
    let public = || DefaultHeaders::new().add((CACHE_CONTROL, "public, max-age=60"));
    let sessions = SessionMiddleware::new(manager());
    let inside = init_service(App::new().configure(routes).wrap(public()).wrap(sessions.clone())).await;
    assert_eq!(get(&inside, "/", &[]).await.all(CACHE_CONTROL), ["no-store"]);
    let around = init_service(App::new().configure(routes).wrap(sessions).wrap(public())).await;
    assert_eq!(get(&around, "/", &[]).await.all(CACHE_CONTROL), ["no-store"]);
}

/// A value that one request sets is read by the next, and a cookie is sent when there is one to send.
async fn sessions_last<S, B>(app: S)
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    let first = get(&app, "/", &[]).await;
    assert_eq!((first.status, &*first.body), (StatusCode::OK, &b"1"[..]));
    let cookie = first.cookie();
    for hits in ["2", "3"] {
        let next = get(&app, "/", &[(COOKIE, &cookie)]).await;
        assert_eq!((next.status, next.body), (StatusCode::OK, hits.into()));
    }
}

fn routes(config: &mut ServiceConfig) {
    config
        .route("/", web::get().to(count))
        .route("/page", web::get().to(async |session: Session| session.insert("seen", &true).map(|()| PAGE)))
        .route("/echo", web::post().to(async |body: Bytes| body));
}

async fn count(session: Session) -> Result<String, SessionError> {
    let hits = session.get_or("hits", 0)? + 1;
    session.insert("hits", &hits)?;
    Ok(hits.to_string())
}

/// A page that is worth compressing.
const PAGE: &str = "All work and no play makes Jack a dull boy. All work and no play makes Jack a dull boy. \
                    All work and no play makes Jack a dull boy. All work and no play makes Jack a dull boy.";

fn manager() -> SessionManager {
    SessionManager::builder(MemoryStore::new()).keys(KeyRing::new(Key::generate().unwrap())).build().unwrap()
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn all(&self, name: HeaderName) -> Vec<&str> {
        self.headers.get_all(name).map(|value| value.to_str().unwrap()).collect()
    }

    /// The cookie that was set last, as `name=value`.
    fn cookie(&self) -> String {
        self.all(SET_COOKIE).last().unwrap().split(';').next().unwrap().to_owned()
    }
}

async fn get<S, B>(app: &S, path: &str, headers: &[(HeaderName, &str)]) -> Answer
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    let request = TestRequest::with_uri(path);
    let request = headers.iter().fold(request, |request, header| request.insert_header(header.clone()));
    answer_to(app, request).await
}

async fn answer_to<S, B>(app: &S, request: TestRequest) -> Answer
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    let response = app.call(request.to_request()).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let body = actix_web::body::to_bytes(response.into_body()).await.ok().unwrap();
    Answer { status, headers, body }
}
