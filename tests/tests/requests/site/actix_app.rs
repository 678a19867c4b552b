//! The application on actix-web. It differs from `axum_app.rs` in the words of the framework, and in nothing else.

use std::net::TcpListener;
use std::panic::AssertUnwindSafe;
use std::sync::mpsc;
use std::thread;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE, VARY};
use actix_web::middleware::{Condition, ErrorHandlerResponse, ErrorHandlers, Next, from_fn};
use actix_web::rt::System;
use actix_web::web::{self, Bytes, Data, Payload, Redirect, ServiceConfig};
use actix_web::{App as ActixApp, Error, HttpRequest, HttpResponse, HttpServer, Responder};
use actix_ws::Message;
use futures_util::{FutureExt, Stream, StreamExt};
use nexios_adapter_actix::{
    ExistingSession, Session, SessionError, SessionMiddleware, SignedCookieError, SignedCookies,
};

use super::script::{self, Outcome};
use super::{Admin, Backstage, Layout, Server, scripts_in, word_and_rest};

pub(crate) async fn serve(backstage: Backstage) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        System::new().block_on(async move {
            let server = HttpServer::new(move || application!(backstage.clone())).workers(2).disable_signals();
            let server = server.shutdown_timeout(0).listen(listener).unwrap().run();
            sender.send(server.handle()).unwrap();
            server.await.unwrap();
        });
    });
    let handle = tokio::task::spawn_blocking(move || receiver.recv().unwrap()).await.unwrap();
    Server::new(address, move || drop(handle.stop(false)))
}

/// A macro, because the type of an `App` with middleware cannot be written down.
macro_rules! application {
    ($backstage:expr) => {{
        let backstage: Backstage = $backstage;
        let user = SessionMiddleware::new(backstage.users.clone());
        let admin = SessionMiddleware::<Admin>::named(backstage.admins.clone());
        let layout = backstage.layout;
        ActixApp::new()
            .configure(|config: &mut ServiceConfig| match layout {
                Layout::SideBySide => {
                    config.service(web::scope("/users").configure(routes).wrap(user.clone()));
                    config.service(web::scope("/admins").configure(routes).wrap(admin.clone()));
                }
                _ => routes(config),
            })
            .wrap(
                ErrorHandlers::new()
                    .handler(StatusCode::NOT_IMPLEMENTED, |response| handled(response, StatusCode::OK))
                    .handler(StatusCode::IM_A_TEAPOT, |response| handled(response, StatusCode::INTERNAL_SERVER_ERROR)),
            )
            .wrap(from_fn(|request, next| meddle("x-inside", request, next)))
            .wrap(Condition::new(layout == Layout::PanicsCaughtInside, from_fn(catch_panic)))
            .wrap(Condition::new(layout.has_user_layer(), user.clone()))
            .wrap(Condition::new(layout == Layout::Nested, admin.clone()))
            .wrap(Condition::new(layout == Layout::PanicsCaughtOutside, from_fn(catch_panic)))
            .wrap(from_fn(|request, next| meddle("x-outside", request, next)))
            .app_data(Data::new(backstage))
    }};
}
use application;

fn routes(config: &mut ServiceConfig) {
    let further = web::scope("/deep").route("/visit", web::to(visit));
    config
        .route("/plain", web::to(async || "hello"))
        .route("/visit", web::to(visit))
        .route("/optional", web::to(optional))
        .route("/twice", web::to(twice))
        .route("/admin", web::to(admin))
        .route("/both", web::to(both))
        .route("/signed", web::to(signed))
        .route("/visit-signed", web::to(visit_signed))
        .route("/redirect", web::to(redirect))
        .route("/body", web::to(body))
        .route("/stream", web::to(stream))
        .route("/events", web::to(events))
        .route("/socket", web::get().to(socket))
        .service(web::scope("/nested").service(further));
}

type App = Data<Backstage>;
type Answer = Result<HttpResponse, SessionError>;

async fn visit(app: App, request: HttpRequest, session: Session) -> Answer {
    Ok(respond(script::run(header(request.headers(), "x-script"), &session, &app.gates).await?))
}

async fn optional(app: App, request: HttpRequest, ExistingSession(session): ExistingSession) -> Answer {
    match session {
        Some(session) => visit(app, request, session).await,
        None => Ok(respond(Outcome { body: "none".to_owned(), ..Outcome::default() })),
    }
}

async fn twice(app: App, request: HttpRequest, one: Session, two: Session) -> Answer {
    script::run(header(request.headers(), "x-script"), &one, &app.gates).await?;
    Ok(respond(script::run(header(request.headers(), "x-late"), &two, &app.gates).await?))
}

async fn admin(app: App, request: HttpRequest, session: Session<Admin>) -> Answer {
    Ok(respond(script::run(header(request.headers(), "x-script"), &session, &app.gates).await?))
}

async fn both(app: App, request: HttpRequest, user: Session, admin: Session<Admin>) -> Answer {
    let of_user = script::run(header(request.headers(), "x-script"), &user, &app.gates).await?;
    let of_admin = script::run(header(request.headers(), "x-late"), &admin, &app.gates).await?;
    Ok(respond(Outcome { body: of_user.body + " " + &of_admin.body, ..of_user }))
}

async fn signed(request: HttpRequest, cookies: SignedCookies) -> Result<HttpResponse, SignedCookieError> {
    Ok(respond(script::run_jar(header(request.headers(), "x-jar"), &cookies)?))
}

async fn visit_signed(app: App, request: HttpRequest, session: Session, cookies: SignedCookies) -> Answer {
    let _ = signed(request.clone(), cookies).await;
    visit(app, request, session).await
}

async fn redirect(app: App, request: HttpRequest, session: Session) -> Answer {
    visit(app, request.clone(), session).await?;
    Ok(Redirect::to("/elsewhere").see_other().respond_to(&request).map_into_boxed_body())
}

async fn body(app: App, request: HttpRequest, session: Session, body: Payload) -> Answer {
    let answer = visit(app.clone(), request, session).await?;
    app.gates.tell("body is awaited");
    let _teller = app.gates.tell_on_drop("body is over");
    let _: Bytes = body.to_bytes().await.unwrap_or_default();
    Ok(answer)
}

async fn stream(app: App, request: HttpRequest, session: Session) -> Answer {
    let outcome = script::run(header(request.headers(), "x-script"), &session, &app.gates).await?;
    let lines = late(app, &request, session).map(|text| Ok::<_, Error>(Bytes::from(text + "\n")));
    Ok(respond(outcome).set_body(actix_web::body::BodyStream::new(lines)).map_into_boxed_body())
}

async fn events(app: App, request: HttpRequest, session: Session) -> Answer {
    visit(app.clone(), request.clone(), session.clone()).await?;
    let events = late(app, &request, session).map(|text| Ok::<_, Error>(Bytes::from(format!("data: {text}\n\n"))));
    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_TYPE, "text/event-stream")).insert_header((CACHE_CONTROL, "no-cache"));
    Ok(response.streaming(events))
}

/// Runs the scripts that come after the head, and returns what they read.
fn late(app: App, request: &HttpRequest, session: Session) -> impl Stream<Item = String> + use<> {
    futures_util::stream::iter(scripts_in(header(request.headers(), "x-late"))).then(move |script| {
        let (app, session) = (app.clone(), session.clone());
        async move { script::run_late(&script, &session, &app.gates).await }
    })
}

async fn socket(app: App, request: HttpRequest, session: Session, body: Payload) -> Result<HttpResponse, Error> {
    visit(app.clone(), request.clone(), session.clone()).await?;
    let (response, mut socket, mut messages) = actix_ws::handle(&request, body)?;
    actix_web::rt::spawn(async move {
        while let Some(Ok(Message::Text(script))) = messages.recv().await {
            let text = script::run_late(script.as_bytes(), &session, &app.gates).await;
            socket.text(text).await.unwrap();
        }
    });
    Ok(response)
}

/// A middleware that does what the request's header of this name says.
async fn meddle<B: MessageBody + 'static>(
    place: &'static str,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let directive = String::from_utf8_lossy(header(request.headers(), place)).into_owned();
    match word_and_rest(&directive) {
        ("early", script) => {
            if !script.is_empty() {
                let session = request.extract::<Session>().await?;
                script::run(script.as_bytes(), &session, &Default::default()).await.unwrap();
            }
            Ok(request.into_response(HttpResponse::Forbidden().content_type("text/plain").body("early")))
        }
        // Returns an error of the framework, as actix middleware often does.
        ("fail", script) => {
            let session = request.extract::<Session>().await?;
            script::run(script.as_bytes(), &session, &Default::default()).await.unwrap();
            let mut failed = HttpResponse::Unauthorized();
            failed.content_type("text/plain").insert_header((VARY, "Accept"));
            Err(InternalError::from_response("failed", failed.body("failed")).into())
        }
        ("status", status) => {
            let mut response = next.call(request).await?.map_into_boxed_body();
            *response.response_mut().status_mut() = status.parse().unwrap();
            Ok(response)
        }
        ("cookie", cookie) => {
            let mut response = next.call(request).await?.map_into_boxed_body();
            response.headers_mut().append(SET_COOKIE, HeaderValue::from_str(cookie).unwrap());
            Ok(response)
        }
        _ => Ok(next.call(request).await?.map_into_boxed_body()),
    }
}

/// Makes errors presentable, as applications do around their handlers.
fn handled<B: MessageBody>(response: ServiceResponse<B>, status: StatusCode) -> Result<ErrorHandlerResponse<B>, Error> {
    let (request, response) = response.into_parts();
    let mut response = response.set_body("handled".to_owned()).map_into_boxed_body();
    *response.status_mut() = status;
    Ok(ErrorHandlerResponse::Response(ServiceResponse::new(request, response).map_into_right_body()))
}

/// Makes a panic an answer. actix-web has no such middleware of its own, but applications can write one.
async fn catch_panic<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(response) => Ok(response?.map_into_boxed_body()),
        // The request is lost with the handler, so the error becomes an answer further outside.
        Err(_) => {
            let caught = HttpResponse::InternalServerError().content_type("text/plain").body("caught");
            Err(InternalError::from_response("panic", caught).into())
        }
    }
}

fn respond(outcome: Outcome) -> HttpResponse {
    let mut response = HttpResponse::build(StatusCode::from_u16(outcome.status).unwrap());
    for (name, value) in outcome.headers {
        response.append_header((name, value));
    }
    response.body(outcome.body)
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h [u8] {
    headers.get(HeaderName::try_from(name).unwrap()).map_or(b"[]", |value| value.as_bytes())
}
