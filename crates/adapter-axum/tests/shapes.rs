//! Handlers as applications write them, in each shape that `?` must compile in, and the answer that each gives.
//!
//! Each handler reads a number, writes the next one and saves. It meets four scenes: all is well, the store does not
//! answer, the value is of another type, and the session was ended while the handler worked.
#![allow(clippy::unwrap_used)]

mod site;

use std::error::Error;

use axum::Json;
use axum::body::Body;
use axum::error_handling::HandleError;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{any_service, get};
use http::StatusCode;
use http::header::RETRY_AFTER;
use nexios_adapter_axum::{
    FailureBody, Session, SessionError, SessionErrorKind, SessionManager, SignedCookieError, SignedCookies,
};
use nexios_store_memory::MemoryStore;
use site::{
    assert_unavailable, every_scene_keeps_its_status, failing, failing_store, genuine_cookie, keys, manager, visit,
};
use tower::service_fn;

#[tokio::test]
async fn a_handler_returns_the_session_error() {
    async fn text(session: Session) -> Result<String, SessionError> {
        let hits = session.get_or("hits", 0)? + 1;
        session.insert("hits", &hits)?;
        session.save().await?;
        Ok(hits.to_string())
    }
    every_scene_keeps_its_status(get(text)).await;

    async fn json(session: Session) -> Result<Json<u64>, SessionError> {
        let hits: u64 = session.get_or("hits", 0)? + 1;
        session.insert("hits", &hits)?;
        session.save().await?;
        Ok(Json(hits))
    }
    every_scene_keeps_its_status(get(json)).await;

    async fn anything(session: Session) -> Result<impl IntoResponse, SessionError> {
        let hits = session.get_or("hits", 0)? + 1;
        session.insert("hits", &hits)?;
        session.save().await?;
        Ok((StatusCode::OK, [("x-hits", "yes")], hits.to_string()))
    }
    every_scene_keeps_its_status(get(anything)).await;

    let closure = get(async |session: Session| {
        let hits = session.get_or("hits", 0)? + 1;
        session.insert("hits", &hits)?;
        session.save().await?;
        Ok::<_, SessionError>(hits.to_string())
    });
    every_scene_keeps_its_status(closure).await;
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

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        match self {
            Self::Session(error) => error.into_response(),
            Self::Cookie(error) => error.into_response(),
            Self::NoPage(_) => StatusCode::NOT_FOUND.into_response(),
        }
    }
}

#[tokio::test]
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
    every_scene_keeps_its_status(get(page)).await;
}

/// An error for everything, after axum's example `anyhow-error-response`.
struct AnyError(Box<dyn Error + Send + Sync>);

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for AnyError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for AnyError {
    fn into_response(self) -> Response {
        match self.0.downcast::<SessionError>() {
            Ok(error) => error.into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

#[tokio::test]
async fn a_handler_returns_a_boxed_error() {
    async fn page(session: Session) -> Result<String, AnyError> {
        let hits = session.get_or("hits", "0".parse::<u64>()?)? + 1;
        session.insert("hits", &hits)?;
        session.save().await?;
        Ok(hits.to_string())
    }
    every_scene_keeps_its_status(get(page)).await;
}

#[tokio::test]
async fn a_handler_returns_axums_result() {
    async fn page(session: Session) -> axum::response::Result<String> {
        let hits = session.get_or("hits", 0)? + 1;
        session.insert("hits", &hits)?;
        session.save().await?;
        Ok(hits.to_string())
    }
    every_scene_keeps_its_status(get(page)).await;
}

#[tokio::test]
async fn a_function_between_takes_the_session_by_reference() {
    async fn count(session: &Session) -> Result<u64, SessionError> {
        let hits = session.get_or("hits", 0)? + 1;
        session.insert("hits", &hits)?;
        session.save().await?;
        Ok(hits)
    }
    async fn page(session: Session) -> Result<String, AppError> {
        Ok(count(&session).await?.to_string())
    }
    every_scene_keeps_its_status(get(page)).await;
}

#[tokio::test]
async fn a_middleware_takes_the_session_and_uses_it() {
    async fn count(session: Session, request: Request, next: Next) -> Result<Response, SessionError> {
        let hits = session.get_or("hits", 0)? + 1;
        session.insert("hits", &hits)?;
        session.save().await?;
        Ok(next.run(request).await)
    }
    every_scene_keeps_its_status(get("hello").layer(from_fn(count))).await;

    async fn count_by_hand(request: Request, next: Next) -> Result<Response, AppError> {
        let session = Session::from_extensions(request.extensions()).await?;
        let hits: u64 = session.get_or("hits", 0)? + 1;
        session.insert("hits", &hits)?;
        session.save().await?;
        Ok(next.run(request).await)
    }
    every_scene_keeps_its_status(get("hello").layer(from_fn(count_by_hand))).await;
}

#[tokio::test]
async fn a_tower_service_fails_with_the_session_error() {
    async fn serve(request: Request) -> Result<Response, SessionError> {
        let session = Session::from_extensions(request.extensions()).await?;
        let hits = session.get_or("hits", 0)? + 1;
        session.insert("hits", &hits)?;
        session.save().await?;
        Ok(Response::new(Body::from(hits.to_string())))
    }
    let service = HandleError::new(service_fn(serve), async |error: SessionError| error);
    every_scene_keeps_its_status(any_service(service)).await;
}

#[tokio::test]
async fn an_extractor_fails_with_the_session_error() {
    for handler in [
        get(async |session: Session| session.len().to_string()),
        get(async |session: Option<Session>| session.is_some().to_string()),
        get(async |session: Result<Session, SessionError>| Ok::<_, AppError>(session?.len().to_string())),
    ] {
        let answer = visit(handler, &failing(), &genuine_cookie().await).await;
        assert_unavailable(&answer);
    }
}

#[tokio::test]
async fn a_handler_may_go_on_without_a_session_in_an_outage() {
    let handler = get(async |session: Result<Session, SessionError>| match session {
        Err(error) if error.kind() == SessionErrorKind::Unavailable => "without".to_owned(),
        session => session.is_ok().to_string(),
    });
    let answer = visit(handler, &failing(), &genuine_cookie().await).await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::OK, "without"));
}

#[tokio::test]
async fn a_call_of_the_manager_keeps_its_status() {
    async fn log_out_everywhere(session: Session) -> Result<String, AppError> {
        let ended = session.manager().revoke_all("ada").await?;
        Ok(ended.to_string())
    }
    async fn devices(session: Session) -> Result<Json<usize>, SessionError> {
        let sessions = session.manager().sessions_of("ada").await?;
        Ok(Json(sessions.len()))
    }
    async fn change_password(session: Session) -> Result<(), AppError> {
        session.login("ada")?;
        session.save().await?;
        if let Some(current) = session.handle() {
            session.manager().revoke_others("ada", current).await?;
        }
        Ok(())
    }
    for handler in [get(log_out_everywhere), get(devices), get(change_password)] {
        let answer = visit(handler.clone(), &failing(), "").await;
        assert_unavailable(&answer);
        assert_eq!(visit(handler, &manager(MemoryStore::new()), "").await.status, StatusCode::OK);
    }
}

#[tokio::test]
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
    async fn theme_by_hand(request: Request) -> Result<String, AppError> {
        let cookies = SignedCookies::from_extensions(request.extensions())?;
        Ok(cookies.get("theme")?.unwrap_or_else(|| "light".to_owned()))
    }
    for handler in [get(theme), get(theme_of_user), get(theme_by_hand)] {
        let manager = manager(MemoryStore::new());
        let answer = visit(handler.clone(), &manager, "").await;
        assert_eq!((answer.status, &*answer.body), (StatusCode::OK, "light"));
        let answer = visit(handler, &manager, "theme=forged").await;
        assert_eq!((answer.status, &*answer.body), (StatusCode::BAD_REQUEST, ""));
        assert!(!answer.headers.contains_key(RETRY_AFTER));
    }
    async fn reserved(cookies: SignedCookies) -> Result<(), AppError> {
        Ok(cookies.set("sessionid", "mine")?)
    }
    let answer = visit(get(reserved), &manager(MemoryStore::new()), "").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn every_shape_gets_the_applications_body_for_failures() {
    async fn plain(session: Session) -> Result<(), SessionError> {
        session.insert("a", &1)?;
        session.save().await
    }
    async fn own(session: Session) -> Result<(), AppError> {
        Ok(plain(session).await?)
    }
    async fn any(session: Session) -> Result<(), AnyError> {
        Ok(plain(session).await?)
    }
    let manager = SessionManager::builder(failing_store())
        .keys(keys())
        .failure_body(|status| FailureBody::new("application/json", format!(r#"{{"status":{status}}}"#)))
        .build()
        .unwrap();
    for handler in [get(plain), get(own), get(any)] {
        let answer = visit(handler, &manager, "").await;
        assert_eq!((answer.status, &*answer.body), (StatusCode::SERVICE_UNAVAILABLE, r#"{"status":503}"#));
        assert!(answer.headers.contains_key(RETRY_AFTER));
    }
}
