//! The application on hyper, with the adapter of `docs/writing-an-adapter.md`. What differs from `axum_app.rs` is the
//! framework's words, and nothing else.

use std::convert::Infallible;
use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, Stream, StreamExt};
use http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_TYPE, LOCATION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SET_COOKIE, UPGRADE,
    VARY,
};
use http::{HeaderName, HeaderValue, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use nexios_middleware_core::{Session, SessionError};
use tokio::net::TcpListener;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Message, Role};

use self::adapter::{SessionService, Sessions, answer, answer_signed};
use super::script::{self, Outcome};
use super::{Admin, Backstage, Layout, Server, scripts_in, word_and_rest};

#[path = "../../writing_an_adapter/adapter.rs"]
#[allow(unreachable_pub, reason = "it is a library's")]
mod adapter;

type Body = UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>;
type Request = http::Request<Incoming>;
type Response = http::Response<Body>;
type Answer = Result<Response, SessionError>;

/// Services of one type, however they are made, so that the layout is chosen at run time.
type App = Arc<dyn Service<Request, Response = Response, Error = Infallible, Future = Answering> + Send + Sync>;
type Answering = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

pub(crate) async fn serve(backstage: Backstage) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = application(&backstage);
    let server = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), app.clone());
            tokio::spawn(connection.with_upgrades());
        }
    });
    Server::new(address, move || server.abort())
}

fn application(backstage: &Backstage) -> App {
    let layout = backstage.layout;
    let user = |inner| layer(SessionService::new(backstage.users.clone(), inner));
    let admin = |inner| layer(SessionService::<_, Admin>::named(backstage.admins.clone(), inner));
    let app = backstage.clone();
    let routes = middleware(move |request| route(app.clone(), request));
    let mut app = match layout {
        Layout::SideBySide => {
            let (users, admins) = (user(routes.clone()), admin(routes));
            middleware(move |request| {
                let side = if request.uri().path().starts_with("/users/") { &users } else { &admins };
                run(side, request)
            })
        }
        _ => {
            let handled = middleware(move |request| run(&routes, request).map(handle_errors));
            middleware(move |request| meddle("x-inside", request, handled.clone()))
        }
    };
    if layout == Layout::PanicsCaughtInside {
        app = catch_panics(app);
    }
    if layout.has_user_layer() {
        app = user(app);
    }
    if layout == Layout::Nested {
        app = admin(app);
    }
    if layout == Layout::PanicsCaughtOutside {
        app = catch_panics(app);
    }
    middleware(move |request| meddle("x-outside", request, app.clone()))
}

/// A service from a function.
fn middleware<F>(serve: impl Fn(Request) -> F + Send + Sync + 'static) -> App
where
    F: Future<Output = Response> + Send + 'static,
{
    Arc::new(service_fn(move |request| -> Answering { Box::pin(serve(request).map(Ok)) }))
}

/// A service with its body in a box.
fn layer<N: 'static>(service: SessionService<App, N>) -> App {
    Arc::new(service_fn(move |request| -> Answering {
        Box::pin(service.call(request).map(|result| Ok(result?.map(BodyExt::boxed_unsync))))
    }))
}

fn run(app: &App, request: Request) -> impl Future<Output = Response> + Send + use<> {
    app.call(request).map(|Ok(response)| response)
}

async fn route(app: Backstage, request: Request) -> Response {
    let path = request.uri().path();
    let path = path.strip_prefix("/users").or_else(|| path.strip_prefix("/admins")).unwrap_or(path);
    let result = match path {
        "/plain" => Ok(text(StatusCode::OK, "text/plain; charset=utf-8", "hello")),
        "/visit" | "/nested/deep/visit" => visit(&app, &request).await,
        "/optional" => optional(&app, &request).await,
        "/twice" => twice(&app, &request).await,
        "/admin" => admin(&app, &request).await,
        "/both" => both(&app, &request).await,
        "/signed" => signed(&request),
        "/visit-signed" => visit_signed(&app, &request).await,
        "/redirect" => redirect(&app, &request).await,
        "/body" => body(&app, request).await,
        "/stream" => stream(app, &request).await,
        "/events" => events(app, &request).await,
        "/socket" => socket(app, request).await,
        _ => Ok(respond(Outcome { status: 404, headers: Vec::new(), body: String::new() })),
    };
    result.unwrap_or_else(answer)
}

async fn session(request: &Request) -> Result<Session, SessionError> {
    Sessions::of(request.extensions())?.session().await
}

async fn visit(app: &Backstage, request: &Request) -> Answer {
    let session = session(request).await?;
    Ok(respond(script::run(header(request, "x-script"), &session, &app.gates).await?))
}

async fn optional(app: &Backstage, request: &Request) -> Answer {
    match Sessions::of(request.extensions())?.existing_session().await? {
        Some(_) => visit(app, request).await,
        None => Ok(respond(Outcome { body: "none".to_owned(), ..Outcome::default() })),
    }
}

async fn twice(app: &Backstage, request: &Request) -> Answer {
    let (one, two) = (session(request).await?, session(request).await?);
    script::run(header(request, "x-script"), &one, &app.gates).await?;
    Ok(respond(script::run(header(request, "x-late"), &two, &app.gates).await?))
}

async fn admin(app: &Backstage, request: &Request) -> Answer {
    let session = Sessions::<Admin>::named(request.extensions())?.session().await?;
    Ok(respond(script::run(header(request, "x-script"), &session, &app.gates).await?))
}

async fn both(app: &Backstage, request: &Request) -> Answer {
    let user = session(request).await?;
    let admin = Sessions::<Admin>::named(request.extensions())?.session().await?;
    let of_user = script::run(header(request, "x-script"), &user, &app.gates).await?;
    let of_admin = script::run(header(request, "x-late"), &admin, &app.gates).await?;
    Ok(respond(Outcome { body: of_user.body + " " + &of_admin.body, ..of_user }))
}

fn signed(request: &Request) -> Answer {
    let cookies = Sessions::of(request.extensions())?.signed_cookies();
    Ok(script::run_jar(header(request, "x-jar"), &cookies).map_or_else(answer_signed, respond))
}

async fn visit_signed(app: &Backstage, request: &Request) -> Answer {
    let _ = signed(request)?;
    visit(app, request).await
}

async fn redirect(app: &Backstage, request: &Request) -> Answer {
    visit(app, request).await?;
    Ok(with(empty(StatusCode::SEE_OTHER), LOCATION, "/elsewhere"))
}

async fn body(app: &Backstage, request: Request) -> Answer {
    let answer = visit(app, &request).await?;
    app.gates.tell("body is awaited");
    let _teller = app.gates.tell_on_drop("body is over");
    let _ = request.into_body().collect().await;
    Ok(answer)
}

async fn stream(app: Backstage, request: &Request) -> Answer {
    let session = session(request).await?;
    let outcome = script::run(header(request, "x-script"), &session, &app.gates).await?;
    let lines = late(app, request, session).map(|text| text + "\n");
    Ok(respond(outcome).map(|_| streaming(lines)))
}

async fn events(app: Backstage, request: &Request) -> Answer {
    visit(&app, request).await?;
    let session = session(request).await?;
    let events = late(app, request, session).map(|text| format!("data: {text}\n\n"));
    let response = with(empty(StatusCode::OK), CONTENT_TYPE, "text/event-stream");
    Ok(with(response, CACHE_CONTROL, "no-cache").map(|_| streaming(events)))
}

/// The values that the scripts have read that run after the head is out.
fn late(app: Backstage, request: &Request, session: Session) -> impl Stream<Item = String> + Send + use<> {
    futures_util::stream::iter(scripts_in(header(request, "x-late"))).then(move |script| {
        let (app, session) = (app.clone(), session.clone());
        async move { script::run_late(&script, &session, &app.gates).await }
    })
}

async fn socket(app: Backstage, mut request: Request) -> Answer {
    visit(&app, &request).await?;
    let session = session(&request).await?;
    let accept = derive_accept_key(request.headers()[SEC_WEBSOCKET_KEY].as_bytes());
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let stream = TokioIo::new(upgraded.await.unwrap());
        let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
        while let Some(Ok(Message::Text(script))) = socket.next().await {
            let text = script::run_late(script.as_bytes(), &session, &app.gates).await;
            socket.send(Message::text(text)).await.unwrap();
        }
    });
    let response = with(empty(StatusCode::SWITCHING_PROTOCOLS), CONNECTION, "upgrade");
    Ok(with(with(response, UPGRADE, "websocket"), SEC_WEBSOCKET_ACCEPT, &accept))
}

/// A middleware that does as the request's header of this name says.
async fn meddle(place: &str, request: Request, inner: App) -> Response {
    let directive = String::from_utf8_lossy(header(&request, place)).into_owned();
    match word_and_rest(&directive) {
        ("early", script) => {
            if !script.is_empty() {
                let session = session(&request).await.unwrap();
                script::run(script.as_bytes(), &session, &Default::default()).await.unwrap();
            }
            text(StatusCode::FORBIDDEN, "text/plain", "early")
        }
        ("fail", script) => {
            let session = session(&request).await.unwrap();
            script::run(script.as_bytes(), &session, &Default::default()).await.unwrap();
            with(text(StatusCode::UNAUTHORIZED, "text/plain", "failed"), VARY, "Accept")
        }
        ("status", status) => {
            let mut response = run(&inner, request).await;
            *response.status_mut() = status.parse().unwrap();
            response
        }
        ("cookie", cookie) => with(run(&inner, request).await, SET_COOKIE, cookie),
        _ => run(&inner, request).await,
    }
}

/// The layer that an application may have around its handlers to make its errors presentable.
fn handle_errors(response: Response) -> Response {
    let status = match response.status() {
        StatusCode::NOT_IMPLEMENTED => StatusCode::OK,
        StatusCode::IM_A_TEAPOT => StatusCode::INTERNAL_SERVER_ERROR,
        _ => return response,
    };
    let (mut head, _) = response.into_parts();
    head.status = status;
    Response::from_parts(head, full("handled"))
}

fn catch_panics(inner: App) -> App {
    middleware(move |request| {
        let answering = AssertUnwindSafe(run(&inner, request)).catch_unwind();
        answering
            .map(|result| result.unwrap_or_else(|_| text(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", "caught")))
    })
}

fn respond(outcome: Outcome) -> Response {
    let status = StatusCode::from_u16(outcome.status).unwrap();
    let response = empty(status).map(|_| full(outcome.body));
    outcome
        .headers
        .iter()
        .fold(response, |response, (name, value)| with(response, HeaderName::try_from(name).unwrap(), value))
}

fn text(status: StatusCode, content_type: &str, text: &'static str) -> Response {
    with(empty(status), CONTENT_TYPE, content_type).map(|_| full(text))
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::default());
    *response.status_mut() = status;
    response
}

/// One more line of this name.
fn with(mut response: Response, name: HeaderName, value: &str) -> Response {
    response.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
    response
}

fn full(text: impl Into<Bytes>) -> Body {
    Full::new(text.into()).map_err(|never| match never {}).boxed_unsync()
}

fn streaming(texts: impl Stream<Item = String> + Send + 'static) -> Body {
    StreamBody::new(texts.map(|text| Ok(Frame::data(Bytes::from(text))))).boxed_unsync()
}

fn header<'r>(request: &'r Request, name: &str) -> &'r [u8] {
    request.headers().get(name).map_or(b"[]", |value| value.as_bytes())
}
