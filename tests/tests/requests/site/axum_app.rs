//! The application on axum. It differs from `actix_app.rs` in the words of the framework, and in nothing else.

use std::any::Any;

use axum::body::{Body, Bytes};
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, map_response};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get};
use axum::{Error, Router};
use futures_util::{Stream, StreamExt};
use http::header::{CONTENT_TYPE, SET_COOKIE, VARY};
use http::{HeaderMap, StatusCode};
use nexios_adapter_axum::{Session, SessionError, SessionLayer, SignedCookieError, SignedCookies};
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;

use super::script::{self, Outcome};
use super::{Admin, Backstage, Layout, Server, scripts_in, word_and_rest};

pub(crate) async fn serve(backstage: Backstage) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async { axum::serve(listener, application(backstage)).await.unwrap() });
    Server::new(address, move || server.abort())
}

fn application(backstage: Backstage) -> Router {
    let user = SessionLayer::new(backstage.users.clone());
    let admin = SessionLayer::<Admin>::named(backstage.admins.clone());
    let layout = backstage.layout;
    let mut app = match layout {
        Layout::SideBySide => {
            Router::new().nest("/users", routes().layer(user.clone())).nest("/admins", routes().layer(admin.clone()))
        }
        _ => routes()
            .layer(map_response(handle_errors))
            .layer(from_fn(async |request: Request, next: Next| meddle("x-inside", request, next).await)),
    };
    if layout == Layout::PanicsCaughtInside {
        app = app.layer(CatchPanicLayer::custom(caught));
    }
    if layout.has_user_layer() {
        app = app.layer(user);
    }
    if layout == Layout::Nested {
        app = app.layer(admin);
    }
    if layout == Layout::PanicsCaughtOutside {
        app = app.layer(CatchPanicLayer::custom(caught));
    }
    app.layer(from_fn(async |request: Request, next: Next| meddle("x-outside", request, next).await))
        .with_state(backstage)
}

fn routes() -> Router<Backstage> {
    let further = Router::new().route("/visit", any(visit));
    Router::new()
        .route("/plain", any(async || "hello"))
        .route("/visit", any(visit))
        .route("/optional", any(optional))
        .route("/twice", any(twice))
        .route("/admin", any(admin))
        .route("/both", any(both))
        .route("/signed", any(signed))
        .route("/visit-signed", any(visit_signed))
        .route("/redirect", any(redirect))
        .route("/body", any(body))
        .route("/stream", any(stream))
        .route("/events", any(events))
        .route("/socket", get(socket))
        .nest("/nested", Router::new().nest("/deep", further))
}

type App = State<Backstage>;
type Answer = Result<Response, SessionError>;

async fn visit(app: App, headers: HeaderMap, session: Session) -> Answer {
    Ok(respond(script::run(header(&headers, "x-script"), &session, &app.gates).await?))
}

async fn optional(app: App, headers: HeaderMap, session: Option<Session>) -> Answer {
    match session {
        Some(session) => visit(app, headers, session).await,
        None => Ok(respond(Outcome { body: "none".to_owned(), ..Outcome::default() })),
    }
}

async fn twice(app: App, headers: HeaderMap, one: Session, two: Session) -> Answer {
    script::run(header(&headers, "x-script"), &one, &app.gates).await?;
    Ok(respond(script::run(header(&headers, "x-late"), &two, &app.gates).await?))
}

async fn admin(app: App, headers: HeaderMap, session: Session<Admin>) -> Answer {
    Ok(respond(script::run(header(&headers, "x-script"), &session, &app.gates).await?))
}

async fn both(app: App, headers: HeaderMap, user: Session, admin: Session<Admin>) -> Answer {
    let of_user = script::run(header(&headers, "x-script"), &user, &app.gates).await?;
    let of_admin = script::run(header(&headers, "x-late"), &admin, &app.gates).await?;
    Ok(respond(Outcome { body: of_user.body + " " + &of_admin.body, ..of_user }))
}

async fn signed(headers: HeaderMap, cookies: SignedCookies) -> Result<Response, SignedCookieError> {
    Ok(respond(script::run_jar(header(&headers, "x-jar"), &cookies)?))
}

async fn visit_signed(app: App, headers: HeaderMap, session: Session, cookies: SignedCookies) -> Answer {
    let _ = signed(headers.clone(), cookies).await;
    visit(app, headers, session).await
}

async fn redirect(app: App, headers: HeaderMap, session: Session) -> Answer {
    visit(app, headers, session).await?;
    Ok(Redirect::to("/elsewhere").into_response())
}

async fn body(app: App, headers: HeaderMap, session: Session, body: Request) -> Answer {
    let answer = visit(app.clone(), headers, session).await?;
    app.gates.tell("body is awaited");
    let _teller = app.gates.tell_on_drop("body is over");
    let _: Bytes = axum::body::to_bytes(body.into_body(), usize::MAX).await.unwrap_or_default();
    Ok(answer)
}

async fn stream(app: App, headers: HeaderMap, session: Session) -> Answer {
    let outcome = script::run(header(&headers, "x-script"), &session, &app.gates).await?;
    let lines = late(app, &headers, session).map(|text| Ok::<_, Error>(text + "\n"));
    let mut response = respond(outcome);
    *response.body_mut() = Body::from_stream(lines);
    Ok(response)
}

async fn events(app: App, headers: HeaderMap, session: Session) -> Answer {
    visit(app.clone(), headers.clone(), session.clone()).await?;
    let events = late(app, &headers, session).map(|text| Ok::<_, Error>(Event::default().data(text)));
    Ok(Sse::new(events).into_response())
}

/// Runs the scripts that come after the head, and returns what they read.
fn late(app: App, headers: &HeaderMap, session: Session) -> impl Stream<Item = String> + use<> {
    futures_util::stream::iter(scripts_in(header(headers, "x-late"))).then(move |script| {
        let (app, session) = (app.clone(), session.clone());
        async move { script::run_late(&script, &session, &app.gates).await }
    })
}

async fn socket(app: App, headers: HeaderMap, session: Session, upgrade: WebSocketUpgrade) -> Answer {
    visit(app.clone(), headers, session.clone()).await?;
    Ok(upgrade.on_upgrade(async move |mut socket| {
        while let Some(Ok(Message::Text(script))) = socket.recv().await {
            let text = script::run_late(script.as_bytes(), &session, &app.gates).await;
            socket.send(Message::text(text)).await.unwrap();
        }
    }))
}

/// A middleware that does what the request's header of this name says.
async fn meddle(place: &str, request: Request, next: Next) -> Response {
    let directive = String::from_utf8_lossy(header(request.headers(), place)).into_owned();
    match word_and_rest(&directive) {
        ("early", script) => {
            if !script.is_empty() {
                let session: Session = Session::from_extensions(request.extensions()).await.unwrap();
                script::run(script.as_bytes(), &session, &Default::default()).await.unwrap();
            }
            (StatusCode::FORBIDDEN, [(CONTENT_TYPE, "text/plain")], "early").into_response()
        }
        ("fail", script) => {
            let session: Session = Session::from_extensions(request.extensions()).await.unwrap();
            script::run(script.as_bytes(), &session, &Default::default()).await.unwrap();
            (StatusCode::UNAUTHORIZED, [(CONTENT_TYPE, "text/plain"), (VARY, "Accept")], "failed").into_response()
        }
        ("status", status) => {
            let mut response = next.run(request).await;
            *response.status_mut() = status.parse().unwrap();
            response
        }
        ("cookie", cookie) => {
            let mut response = next.run(request).await;
            response.headers_mut().append(SET_COOKIE, cookie.parse().unwrap());
            response
        }
        _ => next.run(request).await,
    }
}

/// Makes errors presentable, as applications do around their handlers.
async fn handle_errors(response: Response) -> Response {
    let status = match response.status() {
        StatusCode::NOT_IMPLEMENTED => StatusCode::OK,
        StatusCode::IM_A_TEAPOT => StatusCode::INTERNAL_SERVER_ERROR,
        _ => return response,
    };
    let (mut head, _) = response.into_parts();
    head.status = status;
    Response::from_parts(head, Body::from("handled"))
}

fn caught(_: Box<dyn Any + Send>) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, [(CONTENT_TYPE, "text/plain")], "caught").into_response()
}

fn respond(outcome: Outcome) -> Response {
    let mut response = Response::builder().status(outcome.status);
    for (name, value) in outcome.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(outcome.body)).unwrap()
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h [u8] {
    headers.get(name).map_or(b"[]", |value| value.as_bytes())
}
