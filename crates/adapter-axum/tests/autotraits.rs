//! The traits and the sizes that the public types have.

use std::error::Error;
use std::fmt::Debug;
use std::rc::Rc;

use axum::extract::{FromRequestParts, Request};
use axum::response::IntoResponse;
use axum::routing::Route;
use nexios_adapter_axum::*;
use tower::{Layer, Service};

/// A name that nobody could send to another thread.
struct Name(#[expect(dead_code)] Rc<()>);

const fn is_shareable<T: Send + Sync + 'static>() {}

#[test]
fn public_types_are_send_and_sync() {
    is_shareable::<Session>();
    is_shareable::<SessionLayer>();
    is_shareable::<SessionService<()>>();
    is_shareable::<SignedCookies>();
    is_shareable::<Unnamed>();
}

#[test]
fn a_name_takes_nothing_from_its_type() {
    is_shareable::<Session<Name>>();
    is_shareable::<SessionLayer<Name>>();
    is_shareable::<SessionService<(), Name>>();
    is_shareable::<SignedCookies<Name>>();
    const fn is_plain<T: Clone + Debug + Unpin>() {}
    is_plain::<Session<Name>>();
    is_plain::<SessionLayer<Name>>();
    is_plain::<SessionService<(), Name>>();
    is_plain::<SignedCookies<Name>>();
}

#[test]
fn the_response_future_is_what_its_parts_are() {
    const fn is_send<T: Send + Debug>() {}
    is_send::<ResponseFuture<std::future::Pending<()>, SessionError>>();
}

#[test]
fn extractors_fail_with_the_session_error() {
    const fn is_extractor<T: FromRequestParts<(), Rejection = SessionError>>() {}
    is_extractor::<Session>();
    is_extractor::<Option<Session>>();
    is_extractor::<SignedCookies>();
}

/// Axum asks this of a layer of a router, and tokio of a future that is spawned.
#[test]
fn a_router_can_hold_the_layer() {
    const fn is_layer<T: Layer<Route, Service: Service<Request, Future: Send>> + Clone + Send + Sync + 'static>() {}
    is_layer::<SessionLayer>();
    is_layer::<SessionLayer<Name>>();
}

#[test]
fn the_errors_are_errors_and_answers() {
    const fn is_error<T: Error + IntoResponse + Clone + Send + Sync + 'static>() {}
    is_error::<SessionError>();
    is_error::<SignedCookieError>();
}

#[test]
fn a_session_is_a_pointer() {
    const POINTER: usize = size_of::<usize>();
    assert_eq!(size_of::<Session>(), POINTER);
    assert_eq!(size_of::<Option<Session>>(), POINTER);
    assert_eq!(size_of::<Session<Name>>(), POINTER);
    assert_eq!(size_of::<SignedCookies>(), POINTER);
    assert_eq!(size_of::<SessionLayer>(), POINTER);
    assert_eq!(size_of::<SessionService<[u8; 1000]>>(), 1000 + POINTER);
    assert_eq!(size_of::<Unnamed>(), 0);
}

/// The future of every request in the application contains it.
#[test]
fn the_response_future_adds_little_to_the_inner_one() {
    type Inner = std::future::Ready<[u8; 1000]>;
    let size = size_of::<ResponseFuture<Inner, std::convert::Infallible>>();
    assert!(size <= size_of::<Inner>() + 3 * size_of::<usize>(), "{size}");
}
