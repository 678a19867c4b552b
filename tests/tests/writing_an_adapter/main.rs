//! The adapter of `docs/writing-an-adapter.md`. The matrix in `requests` runs it too; here is what is not in its cases.
#![allow(clippy::unwrap_used)]

// The page's example is outside of the page's crate; here both are in one.
extern crate self as hyper_sessions;

#[allow(dead_code, unreachable_pub, reason = "it is a library's")]
mod adapter;
#[allow(dead_code, reason = "it is a program that does not end")]
mod hits;

use std::convert::Infallible;

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::service::{Service, service_fn};
use nexios_middleware_core::{SessionErrorKind, SessionManager};
use nexios_signer::{Key, KeyRing};
use nexios_store_memory::MemoryStore;

pub(crate) use adapter::{SessionService, Sessions, answer};

type Body = Full<bytes::Bytes>;

#[test]
fn the_page_shows_this_code() {
    let page = include_str!("../../../docs/writing-an-adapter.md");
    let (library, rest) = page.split_once("\n## A server\n").expect("a section with a server");
    let (server, _) = rest.split_once("\n## Prove it\n").expect("a section on the matrix");
    assert_eq!(code(library), include_str!("adapter.rs"), "src/lib.rs");
    assert_eq!(code(server), include_str!("hits.rs"), "examples/hits.rs");
}

/// The blocks of Rust in a part of the page, with an empty line between them.
fn code(markdown: &str) -> String {
    let blocks = markdown.split("```rust\n").skip(1);
    let blocks: Vec<&str> = blocks.map(|block| block.split("```\n").next().expect("a part before the end")).collect();
    blocks.join("\n")
}

fn manager() -> SessionManager {
    SessionManager::builder(MemoryStore::new()).keys(KeyRing::new(Key::generate().unwrap())).build().unwrap()
}

/// A request with the cookie that a response has set.
fn request(cookie: Option<&HeaderValue>) -> Request<Body> {
    let mut request = Request::new(Body::default());
    if let Some(cookie) = cookie {
        let pair = cookie.to_str().unwrap().split(';').next().unwrap();
        request.headers_mut().insert(COOKIE, pair.parse().unwrap());
    }
    request
}

#[tokio::test]
async fn a_service_that_fails_has_carried_out_a_logout() {
    let manager = manager();
    let log_in = service_fn(async |request: Request<Body>| {
        Sessions::of(request.extensions()).unwrap().session().await.unwrap().login("ada").unwrap();
        Ok::<_, Infallible>(Response::new(Body::default()))
    });
    let response = SessionService::new(manager.clone(), log_in).call(request(None)).await.unwrap();
    let cookie = response.headers().get(SET_COOKIE);
    assert_eq!(manager.sessions_of("ada").await.unwrap().len(), 1);

    let log_out = service_fn(async |request: Request<Body>| {
        let session = Sessions::of(request.extensions()).unwrap().session().await.unwrap();
        assert_eq!(session.principal().as_deref(), Some("ada"));
        session.destroy();
        Err::<Response<Body>, _>("failed")
    });
    assert_eq!(SessionService::new(manager.clone(), log_out).call(request(cookie)).await.err(), Some("failed"));
    assert_eq!(manager.sessions_of("ada").await.unwrap().len(), 0);
}

#[test]
fn a_missing_service_is_named_by_the_error() {
    enum Admin {}
    let error = Sessions::<Admin>::named(request(None).extensions()).err().unwrap();
    assert_eq!((error.kind(), error.status()), (SessionErrorKind::Misconfigured, 500));
    assert!(error.to_string().contains("`SessionService`") && error.to_string().contains("Admin"), "{error}");
    let response: Response<Body> = answer(error);
    assert_eq!(response.status(), 500);
}
