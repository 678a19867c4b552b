//! Whole requests through the middleware: what actix sees of a session.
#![allow(clippy::unwrap_used)]

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, COOKIE, HeaderName, LOCATION, RETRY_AFTER, SET_COOKIE, VARY};
use actix_web::middleware::{ErrorHandlerResponse, ErrorHandlers, Next, from_fn};
use actix_web::test::{TestRequest, init_service};
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, Error, HttpResponse, error};
use nexios_adapter_actix::{
    Event, ExistingSession, Session, SessionError, SessionManager, SessionMiddleware, SignedCookies,
};
use nexios_signer::{Key, KeyRing};
use nexios_store_core::{SessionStore, StoreError};
use nexios_store_memory::MemoryStore;
use nexios_store_testkit::hook::{Hooked, before};

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

struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    body: String,
}

impl Answer {
    fn all(&self, name: &HeaderName) -> Vec<&str> {
        self.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| &**value).collect()
    }

    /// Returns the cookie that was set last, as `name=value`.
    fn cookie(&self) -> String {
        self.all(&SET_COOKIE).last().unwrap().split(';').next().unwrap().to_owned()
    }
}

/// Sends one request to an application with these routes.
async fn send(manager: &SessionManager, routes: fn(&mut ServiceConfig), path: &str, cookies: &[&str]) -> Answer {
    let app = init_service(App::new().wrap(SessionMiddleware::new(manager.clone())).configure(routes)).await;
    answer(&app, path, cookies).await.unwrap()
}

async fn answer<S, B>(app: &S, path: &str, cookies: &[&str]) -> Result<Answer, Error>
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    let mut request = TestRequest::with_uri(path);
    for cookie in cookies {
        request = request.append_header((COOKIE, *cookie));
    }
    let response = app.call(request.to_request()).await?;
    let (status, headers) = (response.status(), response.headers());
    let headers = headers.iter().map(|(name, value)| (name.clone(), value.to_str().unwrap().to_owned())).collect();
    let body = actix_web::body::to_bytes(response.into_body()).await.map_err(|_| error::ErrorInternalServerError(""));
    Ok(Answer { status, headers, body: String::from_utf8(body?.to_vec()).unwrap() })
}

fn routes(config: &mut ServiceConfig) {
    config
        .route("/count", web::get().to(count))
        .route("/plain", web::get().to(async || "hello"))
        .route("/has", web::get().to(async |session: ExistingSession| session.0.is_some().to_string()))
        .route("/own-headers", web::get().to(own_headers))
        .route(
            "/own-cookie",
            web::get().to(async || HttpResponse::Ok().append_header((SET_COOKIE, "sessionid=own")).finish()),
        )
        .route("/wrong-type", web::get().to(wrong_type))
        .route("/logout", web::get().to(logout))
        .service(web::scope("/scope").route("/count", web::get().to(count)));
}

async fn count(session: Session) -> Result<String, SessionError> {
    let hits = session.get_or("hits", 0)? + 1;
    session.insert("hits", &hits)?;
    Ok(hits.to_string())
}

async fn own_headers(session: Session) -> Result<HttpResponse, SessionError> {
    session.insert("a", &1)?;
    let mut response = HttpResponse::SeeOther();
    response.append_header((LOCATION, "/elsewhere")).append_header((VARY, "Accept-Encoding"));
    response.append_header((CACHE_CONTROL, "private, max-age=60"));
    response.append_header((SET_COOKIE, "theme=dark")).append_header((SET_COOKIE, "sessionid=own"));
    Ok(response.finish())
}

async fn wrong_type(session: Session) -> Result<String, SessionError> {
    session.insert("a", "text")?;
    session.save().await?;
    session.insert("b", &1)?;
    session.get::<u64>("a")?;
    Ok("unreachable".to_owned())
}

async fn logout(session: Session) -> HttpResponse {
    session.destroy();
    HttpResponse::InternalServerError().finish()
}

#[actix_web::test]
async fn a_session_lasts_from_one_request_to_the_next() {
    let manager = manager(MemoryStore::new());
    let first = send(&manager, routes, "/count", &[]).await;
    assert_eq!((first.status, &*first.body), (StatusCode::OK, "1"));
    assert_eq!((first.all(&VARY), first.all(&CACHE_CONTROL)), (vec!["Cookie"], vec!["no-store"]));
    let cookie = first.cookie();
    assert_eq!(send(&manager, routes, "/scope/count", &[&cookie]).await.body, "2", "and in a scope");
    assert_eq!(send(&manager, routes, "/count", &["theme=dark", &cookie]).await.body, "3", "several headers");
}

#[actix_web::test]
async fn the_applications_headers_stay_except_a_session_cookie() {
    let answer = send(&manager(MemoryStore::new()), routes, "/own-headers", &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.all(&VARY), ["Accept-Encoding, Cookie"]);
    assert_eq!(answer.all(&CACHE_CONTROL), ["private, max-age=60"]);
    let cookies = answer.all(&SET_COOKIE);
    assert_eq!((cookies.len(), cookies[0]), (2, "theme=dark"));
    assert!(cookies[1].starts_with("sessionid=") && !cookies[1].contains("own"));
}

#[actix_web::test]
async fn a_route_without_a_session_gets_no_header() {
    let manager = manager(MemoryStore::new());
    let answer = send(&manager, routes, "/plain", &["sessionid=anything"]).await;
    for name in [VARY, CACHE_CONTROL, SET_COOKIE] {
        assert!(answer.all(&name).is_empty(), "{name}");
    }
    assert_eq!(send(&manager, routes, "/own-cookie", &[]).await.all(&SET_COOKIE), ["sessionid=own"]);
}

#[actix_web::test]
async fn an_existing_session_is_told_from_none() {
    let manager = manager(MemoryStore::new());
    let before = send(&manager, routes, "/has", &[]).await;
    assert_eq!((&*before.body, before.all(&VARY), before.all(&SET_COOKIE).len()), ("false", vec!["Cookie"], 0));
    let cookie = send(&manager, routes, "/count", &[]).await.cookie();
    assert_eq!(send(&manager, routes, "/has", &[&cookie]).await.body, "true");
}

#[actix_web::test]
async fn a_missing_middleware_is_a_500_without_a_body() {
    let app = init_service(App::new().configure(routes)).await;
    let answer = answer(&app, "/count", &[]).await.unwrap();
    assert_eq!((answer.status, &*answer.body), (StatusCode::INTERNAL_SERVER_ERROR, ""));
}

#[actix_web::test]
async fn a_store_that_does_not_answer_is_a_503_without_a_body() {
    let genuine = send(&manager(MemoryStore::new()), routes, "/count", &[]).await.cookie();
    for (path, cookies) in [("/count", &[&*genuine][..]), ("/has", &[&*genuine]), ("/count", &[])] {
        let answer = send(&manager(broken_store()), routes, path, cookies).await;
        assert_eq!((answer.status, &*answer.body), (StatusCode::SERVICE_UNAVAILABLE, ""), "{path}");
        assert_eq!((answer.all(&SET_COOKIE).len(), answer.all(&VARY)), (0, vec!["Cookie"]), "{path}");
        let [seconds] = answer.all(&RETRY_AFTER)[..] else { panic!("{path}") };
        assert!((5..10).contains(&seconds.parse::<u8>().unwrap()), "{path}: {seconds}");
    }
}

#[actix_web::test]
async fn a_session_error_answers_without_a_body() {
    let answer = send(&manager(MemoryStore::new()), routes, "/wrong-type", &[]).await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::INTERNAL_SERVER_ERROR, ""));
    assert_eq!(answer.all(&SET_COOKIE).len(), 1, "the session was saved before, and the visitor gets its cookie");
}

#[actix_web::test]
async fn a_logout_is_carried_out_whatever_the_status() {
    let manager = manager(MemoryStore::new());
    let cookie = send(&manager, routes, "/count", &[]).await.cookie();
    let answer = send(&manager, routes, "/logout", &[&cookie]).await;
    assert!(answer.all(&SET_COOKIE)[0].contains("Max-Age=0"));
    assert_eq!(send(&manager, routes, "/has", &[&cookie]).await.body, "false");
}

#[actix_web::test]
async fn what_error_handlers_make_of_an_answer_is_what_counts() {
    let manager = manager(MemoryStore::new());
    let to_error = |response: ServiceResponse<BoxBody>| {
        let (request, response) = response.into_parts();
        let response = response.set_body("handled".to_owned()).map_into_boxed_body();
        Ok(ErrorHandlerResponse::Response(ServiceResponse::new(request, response).map_into_left_body()))
    };
    let app = App::new()
        .configure(routes)
        .wrap(ErrorHandlers::new().handler(StatusCode::INTERNAL_SERVER_ERROR, to_error))
        .wrap(SessionMiddleware::new(manager.clone()));
    let app = init_service(app).await;
    let answer = answer(&app, "/wrong-type", &[]).await.unwrap();
    assert_eq!((&*answer.body, answer.all(&SET_COOKIE).len()), ("handled", 1));
}

#[actix_web::test]
async fn a_logout_is_carried_out_although_an_inner_middleware_fails() {
    let manager = manager(MemoryStore::new());
    let cookie = send(&manager, routes, "/count", &[]).await.cookie();
    async fn failing(mut request: ServiceRequest, _: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
        let session = request.extract::<Session>().await?;
        session.insert("a", &2).unwrap();
        session.destroy();
        Err(error::ErrorUnauthorized("no"))
    }
    let app = App::new().configure(routes).wrap(from_fn(failing)).wrap(SessionMiddleware::new(manager.clone()));
    let app = init_service(app).await;
    let error = answer(&app, "/plain", &[&cookie]).await.err().unwrap();
    assert_eq!(error.as_response_error().status_code(), StatusCode::UNAUTHORIZED);
    // actix may ask for the response twice.
    for response in [error.error_response(), error.error_response()] {
        let cookies: Vec<_> = response.headers().get_all(SET_COOKIE).collect();
        assert!(cookies.len() == 1 && cookies[0].to_str().unwrap().contains("Max-Age=0"), "{cookies:?}");
        assert_eq!(response.headers().get(VARY).unwrap(), "Cookie");
    }
    assert_eq!(send(&manager, routes, "/has", &[&cookie]).await.body, "false");
}

struct Admin;

fn two_sessions(config: &mut ServiceConfig) {
    async fn both(user: Session, admin: Session<Admin>) -> Result<String, SessionError> {
        user.insert("who", "user")?;
        admin.insert("who", "admin")?;
        Ok(String::new())
    }
    async fn read(user: Session, admin: Session<Admin>) -> Result<String, SessionError> {
        Ok(user.get_or("who", String::new())? + " " + &admin.get_or("who", String::new())?)
    }
    config.route("/both", web::get().to(both)).route("/read", web::get().to(read));
}

fn admin_manager(store: impl SessionStore) -> SessionManager {
    let cookie = nexios_cookie_config::CookieConfig::builder().name("admin").build().unwrap();
    SessionManager::builder(store).keys(keys()).cookie(cookie).build().unwrap()
}

#[actix_web::test]
async fn two_sessions_live_in_one_application() {
    let (users, admins) = (manager(MemoryStore::new()), admin_manager(MemoryStore::new()));
    let app = App::new()
        .configure(two_sessions)
        .wrap(SessionMiddleware::new(users))
        .wrap(SessionMiddleware::<Admin>::named(admins));
    let app = init_service(app).await;
    let first = answer(&app, "/both", &[]).await.unwrap();
    let cookies: Vec<_> = first.all(&SET_COOKIE).iter().map(|line| line.split(';').next().unwrap()).collect();
    assert_eq!(cookies.len(), 2);
    assert_eq!(answer(&app, "/read", &cookies).await.unwrap().body, "user admin");
}

#[actix_web::test]
async fn an_inner_cookie_survives_the_failure_of_an_outer_session() {
    let app = App::new()
        .configure(two_sessions)
        .wrap(SessionMiddleware::new(manager(MemoryStore::new())))
        .wrap(SessionMiddleware::<Admin>::named(admin_manager(broken_store())));
    let app = init_service(app).await;
    let answer = answer(&app, "/both", &[]).await.unwrap();
    assert_eq!((answer.status, &*answer.body), (StatusCode::SERVICE_UNAVAILABLE, ""));
    assert!(answer.all(&SET_COOKIE)[0].starts_with("sessionid="), "the store has it, so the visitor must");
}

#[actix_web::test]
async fn an_outer_session_sees_the_failure_behind_an_error() {
    async fn failing(mut request: ServiceRequest, _: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
        request.extract::<Session>().await?.insert("who", "user")?;
        request.extract::<Session<Admin>>().await?.insert("who", "admin")?;
        Err(error::ErrorUnauthorized("no"))
    }
    let app = App::new()
        .wrap(from_fn(failing))
        .wrap(SessionMiddleware::new(manager(broken_store())))
        .wrap(SessionMiddleware::<Admin>::named(admin_manager(MemoryStore::new())));
    let app = init_service(app).await;
    let error = answer(&app, "/", &[]).await.err().unwrap();
    let response = error.error_response();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(!response.headers().contains_key(SET_COOKIE), "the admin's changes are dropped with the answer");
}

#[actix_web::test]
async fn an_error_is_told_once_however_often_it_is_answered() {
    async fn failing(mut request: ServiceRequest, _: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
        request.extract::<Session>().await?;
        Err(error::ErrorNotFound("unreachable with a broken store"))
    }
    let cookie = send(&manager(MemoryStore::new()), routes, "/count", &[]).await.cookie();
    let manager = manager(broken_store());
    let app = App::new().wrap(from_fn(failing)).wrap(SessionMiddleware::new(manager.clone()));
    let error = answer(&init_service(app).await, "/", &[&cookie]).await.err().unwrap();
    for response in [error.error_response(), error.error_response()] {
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!(manager.counters().of(Event::RequestFailed), 1);
}

#[actix_web::test]
async fn signed_cookies_need_no_store() {
    fn routes(config: &mut ServiceConfig) {
        config
            .route(
                "/set",
                web::get().to(async |cookies: SignedCookies| cookies.set("theme", "dark").map(|()| "").unwrap()),
            )
            .route(
                "/get",
                web::get().to(async |cookies: SignedCookies| {
                    Ok::<_, nexios_adapter_actix::SignedCookieError>(cookies.get("theme")?.unwrap_or_default())
                }),
            );
    }
    let manager = manager(broken_store());
    let cookie = send(&manager, routes, "/set", &[]).await.cookie();
    assert_eq!(send(&manager, routes, "/get", &[&cookie]).await.body, "dark");
    let forged = send(&manager, routes, "/get", &["theme=forged"]).await;
    assert_eq!((forged.status, &*forged.body), (StatusCode::BAD_REQUEST, ""));
}
