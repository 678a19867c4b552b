//! The demo service on axum. Run it with `cargo demo`.
//!
//! The page at `/` uses the routes below. Each handler names the session among its arguments and calls an action of
//! `nexios_demo::actions`, which `demo-actix` calls too. A route that does not name a session pays nothing for it.

use std::process::ExitCode;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Path, RawQuery, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{delete, get, post};
use nexios_adapter_axum::{Session, SessionError, SessionLayer, SessionManager, SignedCookies};
use nexios_demo::{
    Arguments, EVENT_STREAM, GRACE_PERIOD, MAX_BODY, PAGE, Settings, actions, announce, fail_to_start, log_to_stderr,
    shutdown_signal,
};
use nexios_settings::Vars;
use tokio::net::TcpListener;

fn app(manager: SessionManager) -> Router {
    // The session layer applies to the routes above it. The last layer applies to all of them. `get` serves `HEAD` too.
    Router::new()
        .route("/", get(Html(PAGE)))
        .route("/session", get(all))
        .route("/session/{key}", get(get_key).post(set_key).delete(remove_key))
        .route("/increment/{key}", post(increment))
        .route("/login", post(login))
        .route("/logout", post(logout))
        .route("/ended", get(ended))
        .route("/slow", get(slow))
        .route("/fail", get(fail))
        .route("/logout-everywhere", post(logout_everywhere))
        .route("/sessions", get(sessions))
        .route("/sessions/{handle}", delete(end_session))
        .route("/device", post(name_device))
        .route("/signed-cookie/{name}", get(signed_cookie).post(set_signed_cookie))
        .layer(SessionLayer::new(manager))
        .route("/healthz", get(StatusCode::OK))
        .fallback(StatusCode::NOT_FOUND) // axum's own has no Content-Length when the request is a HEAD
        .layer(DefaultBodyLimit::max(MAX_BODY))
}

async fn all(session: Session) -> Result<Reply, SessionError> {
    Ok(Reply(actions::all(&session)?))
}

async fn get_key(session: Session, Key(key): Key) -> Result<Reply, SessionError> {
    Ok(Reply(actions::get(&session, &key)?))
}

async fn set_key(session: Session, Key(key): Key, Body(body): Body) -> Result<Reply, SessionError> {
    Ok(Reply(actions::set(&session, &key, &body).await?))
}

async fn remove_key(session: Session, Key(key): Key) -> Reply {
    Reply(actions::remove(&session, &key))
}

async fn increment(session: Session, Key(key): Key) -> Result<Reply, SessionError> {
    Ok(Reply(actions::increment(&session, &key).await?))
}

async fn login(session: Session, Body(body): Body) -> Result<Reply, SessionError> {
    Ok(Reply(actions::login(&session, &body)?))
}

async fn logout(session: Session) -> Reply {
    Reply(actions::logout(&session))
}

async fn logout_everywhere(session: Session) -> Result<Reply, SessionError> {
    Ok(Reply(actions::logout_everywhere(&session).await?))
}

async fn sessions(session: Session) -> Result<Reply, SessionError> {
    Ok(Reply(actions::sessions(&session).await?))
}

async fn end_session(session: Session, Key(handle): Key) -> Result<Reply, SessionError> {
    Ok(Reply(actions::end_session(&session, &handle).await?))
}

async fn name_device(session: Session, Body(name): Body) -> Result<Reply, SessionError> {
    Ok(Reply(actions::name_device(&session, &name).await?))
}

async fn ended(session: Session) -> Response {
    match nexios_demo::ended(&session) {
        Ok(events) => ([(header::CONTENT_TYPE, EVENT_STREAM)], axum::body::Body::from_stream(events)).into_response(),
        Err(refusal) => Reply(refusal).into_response(),
    }
}

async fn slow(session: Session, RawQuery(query): RawQuery) -> Result<Reply, SessionError> {
    Ok(Reply(actions::slow(&session, &query.unwrap_or_default()).await?))
}

async fn fail(session: Session) -> Result<Reply, SessionError> {
    Ok(Reply(actions::fail(&session)?))
}

async fn set_signed_cookie(cookies: SignedCookies, Key(name): Key, Body(text): Body) -> Reply {
    Reply(actions::set_signed_cookie(&cookies, &name, &text))
}

async fn signed_cookie(cookies: SignedCookies, Key(name): Key) -> Reply {
    Reply(actions::signed_cookie(&cookies, &name))
}

/// The key in the path. A wrapper, because the rejection of axum's own extractor would not be JSON.
struct Key(String);

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Reply;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Reply> {
        let Path(key) =
            Path::from_request_parts(parts, state).await.map_err(|_| Reply(nexios_demo::Reply::bad_key()))?;
        Ok(Self(key))
    }
}

/// A body within the limit. A wrapper for the same reason.
struct Body(Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Reply;

    async fn from_request(request: Request, state: &S) -> Result<Self, Reply> {
        let bytes = Bytes::from_request(request, state).await;
        bytes.map(Self).map_err(|rejection| Reply(nexios_demo::Reply::bad_body(rejection.status().as_u16())))
    }
}

/// The reply of an action, as a response of axum.
struct Reply(nexios_demo::Reply);

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, self.0.content_type)], self.0.body).into_response()
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    log_to_stderr();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail_to_start(&*error),
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    // Everything that can fail comes first: settings, address, store and signals. Then the server starts.
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let settings = Settings::from_vars(&Vars::process(), arguments)?;
    let listener = TcpListener::bind(settings.bind).await.map_err(|error| settings.cannot_bind(&error))?;
    let manager = settings.manager()?;
    let stop = shutdown_signal()?;
    let sweeper = manager.spawn_sweeper(); // removes expired sessions while the program runs
    announce(listener.local_addr()?)?;

    // After the signal, the server accepts no more connections and finishes the requests that it has. axum would wait
    // for them without an end, so a second future bounds the wait.
    let (stopping, mut stopped) = tokio::sync::watch::channel(());
    let server = axum::serve(listener, app(manager)).with_graceful_shutdown(async move {
        stop.await;
        drop(stopping);
    });
    tokio::select! {
        result = server => result?,
        () = async {
            let _ = stopped.changed().await;
            tokio::time::sleep(GRACE_PERIOD).await;
        } => tracing::warn!("requests that were still under way after {GRACE_PERIOD:?} were dropped"),
    }
    sweeper.stop().await;
    Ok(())
}
