//! The demo service on actix-web. Run it with `cargo demo-actix`.
//!
//! The page at `/` uses the routes below. Each handler names the session among its arguments and calls an action of
//! `nexios_demo::actions`, which `demo-axum` calls too, so both programs give the same answers. A route that does not
//! name a session pays nothing for it.

use std::future::{Ready, ready};
use std::pin::Pin;
use std::process::ExitCode;

use actix_web::dev::{Payload, ServiceResponse};
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::{ErrorHandlerResponse, ErrorHandlers};
use actix_web::web::{self, Bytes, PayloadConfig, ServiceConfig};
use actix_web::{App, FromRequest, HttpRequest, HttpResponse, HttpServer, Responder, ResponseError, Route, guard};
use nexios_adapter_actix::{Session, SessionError, SessionMiddleware, SignedCookies};
use nexios_demo::{
    Arguments, EVENT_STREAM, GRACE_PERIOD, MAX_BODY, PAGE, Settings, actions, announce, fail_to_start, log_to_stderr,
    shutdown_signal,
};
use nexios_settings::Vars;

fn routes(config: &mut ServiceConfig) {
    config
        .app_data(PayloadConfig::new(MAX_BODY))
        .service(web::resource("/").route(get().to(page)))
        .service(web::resource("/healthz").route(get().to(HttpResponse::Ok)))
        .service(web::resource("/session").route(get().to(all)))
        .service(web::resource("/session/{key}").route(get().to(get_key)).post(set_key).delete(remove_key))
        .service(web::resource("/increment/{key}").post(increment))
        .service(web::resource("/login").post(login))
        .service(web::resource("/logout").post(logout))
        .service(web::resource("/ended").route(get().to(ended)))
        .service(web::resource("/slow").route(get().to(slow)))
        .service(web::resource("/fail").route(get().to(fail)))
        .service(web::resource("/logout-everywhere").post(logout_everywhere))
        .service(web::resource("/sessions").route(get().to(sessions)))
        .service(web::resource("/sessions/{handle}").delete(end_session))
        .service(web::resource("/device").post(name_device))
        .service(web::resource("/signed-cookie/{name}").route(get().to(signed_cookie)).post(set_signed_cookie));
}

/// A route for `GET` and, unlike actix's own, for `HEAD`, which gets the same answer without the body.
fn get() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// Writes the `Allow` of a 405 without spaces, as axum does.
fn allow_without_spaces<B>(mut response: ServiceResponse<B>) -> actix_web::Result<ErrorHandlerResponse<B>> {
    let allow = response.headers().get(header::ALLOW).and_then(|allow| allow.to_str().ok());
    if let Some(Ok(allow)) = allow.map(|allow| HeaderValue::from_str(&allow.replace(' ', ""))) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    Ok(ErrorHandlerResponse::Response(response.map_into_left_body()))
}

async fn page() -> impl Responder {
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(PAGE)
}

async fn all(session: Session) -> Result<Reply, SessionError> {
    Ok(Reply(actions::all(&session)?))
}

async fn get_key(session: Session, key: Key) -> Result<Reply, SessionError> {
    Ok(Reply(actions::get(&session, &key.0)?))
}

async fn set_key(session: Session, key: Key, body: Body) -> Result<Reply, SessionError> {
    Ok(Reply(actions::set(&session, &key.0, &body.0).await?))
}

async fn remove_key(session: Session, key: Key) -> Reply {
    Reply(actions::remove(&session, &key.0))
}

async fn increment(session: Session, key: Key) -> Result<Reply, SessionError> {
    Ok(Reply(actions::increment(&session, &key.0).await?))
}

async fn login(session: Session, body: Body) -> Result<Reply, SessionError> {
    Ok(Reply(actions::login(&session, &body.0)?))
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

async fn end_session(session: Session, handle: Key) -> Result<Reply, SessionError> {
    Ok(Reply(actions::end_session(&session, &handle.0).await?))
}

async fn name_device(session: Session, name: Body) -> Result<Reply, SessionError> {
    Ok(Reply(actions::name_device(&session, &name.0).await?))
}

async fn ended(session: Session, request: HttpRequest) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.content_type(EVENT_STREAM);
    match nexios_demo::ended(&session) {
        Err(refusal) => Reply(refusal).response(),
        Ok(_) if request.method() == Method::HEAD => answer.finish(), // or actix would wait for the end of the stream
        Ok(events) => answer.streaming(events),
    }
}

async fn slow(session: Session, request: HttpRequest) -> Result<Reply, SessionError> {
    Ok(Reply(actions::slow(&session, request.query_string()).await?))
}

async fn fail(session: Session) -> Result<Reply, SessionError> {
    Ok(Reply(actions::fail(&session)?))
}

async fn set_signed_cookie(cookies: SignedCookies, name: Key, text: Body) -> Reply {
    Reply(actions::set_signed_cookie(&cookies, &name.0, &text.0))
}

async fn signed_cookie(cookies: SignedCookies, name: Key) -> Reply {
    Reply(actions::signed_cookie(&cookies, &name.0))
}

/// The key in the path. A wrapper, because actix's own extractor would replace bytes that are not UTF-8.
struct Key(String);

impl FromRequest for Key {
    type Error = Reply;
    type Future = Ready<Result<Self, Reply>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let last = request.uri().path().rsplit('/').next().unwrap_or_default();
        ready(nexios_demo::decode_key(last).map(Self).ok_or_else(|| Reply(nexios_demo::Reply::bad_key())))
    }
}

/// A body within the limit. A wrapper, because the error of actix's own extractor would not be JSON.
struct Body(Bytes);

impl FromRequest for Body {
    type Error = Reply;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Reply>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = Bytes::from_request(request, payload);
        Box::pin(async move {
            let refused = |error: actix_web::Error| {
                let status = error.as_response_error().status_code().as_u16();
                Reply(nexios_demo::Reply::bad_body(status))
            };
            bytes.await.map(Self).map_err(refused)
        })
    }
}

/// The reply of an action, as a response of actix-web. It is an error as well, for the extractors above.
#[derive(Debug)]
struct Reply(nexios_demo::Reply);

impl Reply {
    fn response(&self) -> HttpResponse {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        HttpResponse::build(status).content_type(self.0.content_type).body(self.0.body.clone())
    }
}

impl Responder for Reply {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.response()
    }
}

impl ResponseError for Reply {
    fn error_response(&self) -> HttpResponse {
        self.response()
    }
}

impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.body)
    }
}

#[actix_web::main]
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
    let listener = std::net::TcpListener::bind(settings.bind).map_err(|error| settings.cannot_bind(&error))?;
    let manager = settings.manager()?;
    let stop = shutdown_signal()?;
    let sweeper = manager.spawn_sweeper(); // removes expired sessions while the program runs
    announce(listener.local_addr()?)?;

    let app = move || {
        let errors = ErrorHandlers::new().handler(StatusCode::METHOD_NOT_ALLOWED, allow_without_spaces);
        App::new().wrap(SessionMiddleware::new(manager.clone())).wrap(errors).configure(routes)
    };
    let server =
        HttpServer::new(app).disable_signals().shutdown_timeout(GRACE_PERIOD.as_secs()).listen(listener)?.run();
    let handle = server.handle();
    let mut server = tokio::spawn(server);
    // After the signal, the server accepts no more connections and finishes the requests that it has, for the grace
    // period at most.
    tokio::select! {
        result = &mut server => result??,
        () = stop => {
            handle.stop(true).await;
            server.await??;
        }
    }
    sweeper.stop().await;
    Ok(())
}
