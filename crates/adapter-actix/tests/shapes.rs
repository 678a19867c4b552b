//! Handlers as applications write them, in each shape that `?` must compile in, and the answer that each gives.
//!
//! Each handler reads a number, writes the next one and saves. It meets four scenes: all is well, the store does not
//! answer, the value is of another type, and the session was ended while the handler worked.
#![allow(clippy::unwrap_used)]

mod site;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{TestRequest, init_service, try_call_service};
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, Error, HttpRequest, HttpResponse, Responder, ResponseError};
use nexios_adapter_actix::{
    Event, ExistingSession, FailureBody, Session, SessionError, SessionErrorKind, SessionManager, SessionMiddleware,
    SignedCookieError, SignedCookies,
};
use nexios_store_memory::MemoryStore;
use site::{
    assert_unavailable, every_scene_keeps_its_status, failing, failing_store, genuine_cookie, keys, manager, visit,
    visit_path,
};

#[actix_web::test]
async fn a_handler_returns_the_session_error() {
    async fn text(session: Session) -> Result<String, SessionError> {
        let hits = session.get_or("hits", 0)? + 1;
        session.insert("hits", &hits)?;
        session.save().await?;
        Ok(hits.to_string())
    }
    every_scene_keeps_its_status(|config| config.route("/", web::get().to(text))).await;

    async fn json(session: Session) -> Result<web::Json<u64>, SessionError> {
        let hits: u64 = session.get_or("hits", 0)? + 1;
        session.insert("hits", &hits)?;
        session.save().await?;
        Ok(web::Json(hits))
    }
    every_scene_keeps_its_status(|config| config.route("/", web::get().to(json))).await;

    async fn anything(session: Session) -> Result<impl Responder, SessionError> {
        let hits = session.get_or("hits", 0)? + 1;
        session.insert("hits", &hits)?;
        session.save().await?;
        Ok((hits.to_string(), StatusCode::OK))
    }
    every_scene_keeps_its_status(|config| config.route("/", web::get().to(anything))).await;

    #[actix_web::get("/")]
    async fn by_attribute(session: Session) -> Result<String, SessionError> {
        let hits = session.get_or("hits", 0)? + 1;
        session.insert("hits", &hits)?;
        session.save().await?;
        Ok(hits.to_string())
    }
    every_scene_keeps_its_status(|config| config.service(by_attribute)).await;
}

#[actix_web::test]
async fn a_handler_returns_actixs_error() {
    async fn response(session: Session) -> Result<HttpResponse, Error> {
        let hits = session.get_or("hits", 0)? + 1;
        session.insert("hits", &hits)?;
        session.save().await?;
        Ok(HttpResponse::Ok().body(hits.to_string()))
    }
    every_scene_keeps_its_status(|config| config.route("/", web::get().to(response))).await;

    async fn anything(session: Session) -> actix_web::Result<impl Responder> {
        let hits = session.get_or("hits", 0)? + 1;
        session.insert("hits", &hits)?;
        session.save().await?;
        Ok(hits.to_string())
    }
    every_scene_keeps_its_status(|config| config.route("/", web::get().to(anything))).await;
}

/// The application's own error, as most write it.
#[derive(Debug, thiserror::Error)]
enum AppError {
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Cookie(#[from] SignedCookieError),
    #[error("there is no page {0}")]
    NoPage(u64),
}

impl ResponseError for AppError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Session(error) => error.status_code(),
            Self::Cookie(error) => error.status_code(),
            Self::NoPage(_) => StatusCode::NOT_FOUND,
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Session(error) => error.error_response(),
            Self::Cookie(error) => error.error_response(),
            Self::NoPage(_) => HttpResponse::NotFound().finish(),
        }
    }
}

#[actix_web::test]
async fn a_handler_returns_an_enum_of_its_own() {
    async fn page(session: Session) -> Result<String, AppError> {
        let hits: u64 = session.get_or("hits", 0)? + 1;
        if hits > 1_000 {
            return Err(AppError::NoPage(hits));
        }
        session.insert("hits", &hits)?;
        session.save().await?;
        Ok(hits.to_string())
    }
    every_scene_keeps_its_status(|config| config.route("/", web::get().to(page))).await;

    async fn page_of_actix(session: Session) -> Result<String, Error> {
        async fn count(session: &Session) -> Result<u64, AppError> {
            let hits = session.get_or("hits", 0)? + 1;
            session.insert("hits", &hits)?;
            session.save().await?;
            Ok(hits)
        }
        Ok(count(&session).await?.to_string())
    }
    every_scene_keeps_its_status(|config| config.route("/", web::get().to(page_of_actix))).await;
}

#[actix_web::test]
async fn a_handler_asks_the_request_for_its_session() {
    async fn page(request: HttpRequest) -> Result<String, AppError> {
        let session = Session::extract(&request).await?;
        let hits: u64 = session.get_or("hits", 0)? + 1;
        session.insert("hits", &hits)?;
        session.save().await?;
        Ok(hits.to_string())
    }
    every_scene_keeps_its_status(|config| config.route("/", web::get().to(page))).await;
}

/// Also with actix's trait in scope, whose method has the same name and serves sessions with a name.
#[actix_web::test]
async fn a_request_infers_the_type_of_what_it_extracts() {
    use actix_web::FromRequest as _;
    enum Admin {}

    async fn page(request: HttpRequest) -> Result<String, SessionError> {
        let session = Session::extract(&request).await?;
        session.insert("hits", &1)?;
        let admin = Session::<Admin>::extract(&request).await;
        assert_eq!(admin.unwrap_err().kind(), SessionErrorKind::Misconfigured, "there is no middleware for it");
        let ExistingSession(existing) = ExistingSession::extract(&request).await?;
        let cookies = SignedCookies::extract(&request).await?;
        let theme = cookies.get("theme").unwrap_or_default();
        Ok(format!("{} {}", existing.is_some(), theme.is_some()))
    }
    let answer = visit(|config| config.route("/", web::get().to(page)), &manager(MemoryStore::new()), "").await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::OK, "false false"));
}

#[actix_web::test]
async fn a_middleware_takes_the_session_and_uses_it() {
    async fn count(
        session: Session,
        request: ServiceRequest,
        next: Next<impl MessageBody>,
    ) -> Result<ServiceResponse<impl MessageBody>, Error> {
        let hits = session.get_or("hits", 0)? + 1;
        session.insert("hits", &hits)?;
        session.save().await?;
        next.call(request).await
    }
    every_scene_keeps_its_status(|config| {
        config.service(web::resource("/").wrap(from_fn(count)).route(web::get().to(async || "hello")))
    })
    .await;

    async fn count_by_hand(
        request: ServiceRequest,
        next: Next<impl MessageBody>,
    ) -> Result<ServiceResponse<impl MessageBody>, Error> {
        let session = Session::extract(request.request()).await?;
        let hits = session.get_or("hits", 0)? + 1;
        session.insert("hits", &hits)?;
        session.save().await?;
        next.call(request).await
    }
    every_scene_keeps_its_status(|config| {
        config.service(web::resource("/").wrap(from_fn(count_by_hand)).route(web::get().to(async || "hello")))
    })
    .await;

    async fn count_by_extract(
        mut request: ServiceRequest,
        next: Next<impl MessageBody>,
    ) -> Result<ServiceResponse<impl MessageBody>, Error> {
        let session = request.extract::<Session>().await?;
        let hits = session.get_or("hits", 0)? + 1;
        session.insert("hits", &hits)?;
        session.save().await?;
        next.call(request).await
    }
    every_scene_keeps_its_status(|config| {
        config.service(web::resource("/").wrap(from_fn(count_by_extract)).route(web::get().to(async || "hello")))
    })
    .await;
}

#[actix_web::test]
async fn an_extractor_fails_with_the_session_error() {
    async fn required(session: Session) -> String {
        session.len().to_string()
    }
    async fn existing(ExistingSession(session): ExistingSession) -> String {
        session.is_some().to_string()
    }
    async fn result(session: Result<Session, SessionError>) -> Result<String, AppError> {
        Ok(session?.len().to_string())
    }
    async fn result_of_actix(session: Result<Session, Error>) -> Result<String, Error> {
        Ok(session?.len().to_string())
    }
    fn routes(config: &mut ServiceConfig) -> &mut ServiceConfig {
        config
            .route("/required", web::get().to(required))
            .route("/existing", web::get().to(existing))
            .route("/result", web::get().to(result))
            .route("/result-of-actix", web::get().to(result_of_actix))
    }
    for path in ["/required", "/existing", "/result", "/result-of-actix"] {
        assert_unavailable(&visit_path(path, routes, &failing(), &genuine_cookie().await).await);
    }
}

#[actix_web::test]
async fn a_handler_may_go_on_without_a_session_in_an_outage() {
    async fn page(session: Result<Session, SessionError>) -> String {
        match session {
            Err(error) if error.kind() == SessionErrorKind::Unavailable => "without".to_owned(),
            session => session.is_ok().to_string(),
        }
    }
    let cookie = genuine_cookie().await;
    let answer = visit(|config| config.route("/", web::get().to(page)), &failing(), &cookie).await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::OK, "without"));
}

/// actix would make `None` of an outage, and `Some` of a visitor who has no session.
#[actix_web::test]
async fn an_option_of_a_session_is_refused() {
    async fn option(session: Option<Session>) -> String {
        session.is_some().to_string()
    }
    async fn one_of_two(_: HttpRequest, session: Option<Session>) -> String {
        session.is_some().to_string()
    }
    async fn by_hand(
        mut request: ServiceRequest,
        next: Next<impl MessageBody>,
    ) -> Result<ServiceResponse<impl MessageBody>, Error> {
        request.extract::<Option<Session>>().await?;
        next.call(request).await
    }
    fn routes(config: &mut ServiceConfig) -> &mut ServiceConfig {
        config
            .route("/option", web::get().to(option))
            .route("/one-of-two", web::get().to(one_of_two))
            .service(web::resource("/by-hand").wrap(from_fn(by_hand)).route(web::get().to(async || "hello")))
            .route("/session", web::get().to(async |session: Session| session.len().to_string()))
    }
    for manager in [manager(MemoryStore::new()), failing()] {
        for path in ["/option", "/one-of-two", "/by-hand"] {
            let answer = visit_path(path, routes, &manager, "").await;
            assert_eq!((answer.status, &*answer.body), (StatusCode::INTERNAL_SERVER_ERROR, ""), "{path}");
        }
        assert_eq!(manager.counters().of(Event::RequestFailed), 3);
        assert_eq!(visit_path("/session", routes, &manager, "").await.status, StatusCode::OK, "others are served");
    }
}

#[actix_web::test]
async fn a_refused_option_says_what_to_take() {
    let app = App::new()
        .route("/", web::get().to(async |session: Option<Session>| session.is_some().to_string()))
        .wrap(SessionMiddleware::new(manager(MemoryStore::new())));
    let app = init_service(app).await;
    let error = try_call_service(&app, TestRequest::default().to_request()).await.err().unwrap();
    assert!(error.to_string().contains("take `ExistingSession`"), "{error}");
}

#[actix_web::test]
async fn a_call_of_the_manager_keeps_its_status() {
    async fn log_out_everywhere(session: Session) -> Result<String, AppError> {
        let ended = session.manager().revoke_all("ada").await?;
        Ok(ended.to_string())
    }
    async fn devices(session: Session) -> Result<web::Json<usize>, SessionError> {
        let sessions = session.manager().sessions_of("ada").await?;
        Ok(web::Json(sessions.len()))
    }
    async fn change_password(session: Session) -> Result<HttpResponse, Error> {
        session.login("ada")?;
        session.save().await?;
        if let Some(current) = session.handle() {
            session.manager().revoke_others("ada", current).await?;
        }
        Ok(HttpResponse::Ok().finish())
    }
    fn routes(config: &mut ServiceConfig) -> &mut ServiceConfig {
        config
            .route("/log-out-everywhere", web::get().to(log_out_everywhere))
            .route("/devices", web::get().to(devices))
            .route("/change-password", web::get().to(change_password))
    }
    for path in ["/log-out-everywhere", "/devices", "/change-password"] {
        assert_unavailable(&visit_path(path, routes, &failing(), "").await);
        assert_eq!(visit_path(path, routes, &manager(MemoryStore::new()), "").await.status, StatusCode::OK);
    }
}

#[actix_web::test]
async fn a_call_of_signed_cookies_keeps_its_status() {
    async fn theme(cookies: SignedCookies) -> Result<String, SignedCookieError> {
        let theme = cookies.get("theme")?.unwrap_or_else(|| "light".to_owned());
        cookies.set("theme", &theme)?;
        Ok(theme)
    }
    async fn theme_of_user(session: Session, cookies: SignedCookies) -> Result<String, AppError> {
        session.insert("seen", &true)?;
        Ok(cookies.get("theme")?.unwrap_or_else(|| "light".to_owned()))
    }
    async fn theme_by_hand(request: HttpRequest) -> Result<String, Error> {
        let cookies = SignedCookies::extract(&request).await?;
        Ok(cookies.get("theme")?.unwrap_or_else(|| "light".to_owned()))
    }
    async fn reserved(cookies: SignedCookies) -> Result<String, AppError> {
        cookies.set("sessionid", "mine")?;
        Ok("unreachable".to_owned())
    }
    fn routes(config: &mut ServiceConfig) -> &mut ServiceConfig {
        config
            .route("/theme", web::get().to(theme))
            .route("/theme-of-user", web::get().to(theme_of_user))
            .route("/theme-by-hand", web::get().to(theme_by_hand))
            .route("/reserved", web::get().to(reserved))
    }
    let manager = manager(MemoryStore::new());
    for path in ["/theme", "/theme-of-user", "/theme-by-hand"] {
        let answer = visit_path(path, routes, &manager, "").await;
        assert_eq!((answer.status, &*answer.body), (StatusCode::OK, "light"), "{path}");
        let answer = visit_path(path, routes, &manager, "theme=forged").await;
        assert_eq!((answer.status, &*answer.body), (StatusCode::BAD_REQUEST, ""), "{path}");
        assert!(!answer.headers.contains_key(RETRY_AFTER));
    }
    assert_eq!(visit_path("/reserved", routes, &manager, "").await.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[actix_web::test]
async fn every_shape_gets_the_applications_body_for_failures() {
    async fn plain(session: Session) -> Result<String, SessionError> {
        session.insert("a", &1)?;
        session.save().await?;
        Ok("unreachable".to_owned())
    }
    async fn own(session: Session) -> Result<String, AppError> {
        Ok(plain(session).await?)
    }
    async fn of_actix(session: Session) -> Result<String, Error> {
        Ok(own(session).await?)
    }
    fn routes(config: &mut ServiceConfig) -> &mut ServiceConfig {
        config
            .route("/plain", web::get().to(plain))
            .route("/own", web::get().to(own))
            .route("/of-actix", web::get().to(of_actix))
    }
    let manager = SessionManager::builder(failing_store())
        .keys(keys())
        .failure_body(|status| FailureBody::new("application/json", format!(r#"{{"status":{status}}}"#)))
        .build()
        .unwrap();
    for path in ["/plain", "/own", "/of-actix"] {
        let answer = visit_path(path, routes, &manager, "").await;
        assert_eq!((answer.status, &*answer.body), (StatusCode::SERVICE_UNAVAILABLE, r#"{"status":503}"#), "{path}");
        assert!(answer.headers.contains_key(RETRY_AFTER));
    }
}
