//! The traits and the sizes that the public types have.

use std::error::Error;
use std::fmt::Debug;
use std::rc::Rc;

use actix_web::{FromRequest, ResponseError};
use nexios_adapter_actix::*;

/// A name that nobody could send to another thread.
struct Name(#[expect(dead_code)] Rc<()>);

const fn is_shareable<T: Send + Sync + 'static>() {}

#[test]
fn public_types_are_send_and_sync() {
    is_shareable::<ExistingSession>();
    is_shareable::<Session>();
    is_shareable::<SessionMiddleware>();
    is_shareable::<SessionService<()>>();
    is_shareable::<SignedCookies>();
    is_shareable::<Unnamed>();
}

#[test]
fn a_name_takes_nothing_from_its_type() {
    is_shareable::<ExistingSession<Name>>();
    is_shareable::<Session<Name>>();
    is_shareable::<SessionMiddleware<Name>>();
    is_shareable::<SessionService<(), Name>>();
    is_shareable::<SignedCookies<Name>>();
    const fn is_plain<T: Debug + Unpin>() {}
    is_plain::<ExistingSession<Name>>();
    is_plain::<Session<Name>>();
    is_plain::<SessionMiddleware<Name>>();
    is_plain::<SessionService<(), Name>>();
    is_plain::<SignedCookies<Name>>();
    const fn is_clone<T: Clone>() {}
    is_clone::<Session<Name>>();
    is_clone::<SessionMiddleware<Name>>();
    is_clone::<SignedCookies<Name>>();
}

/// The factory of an application is sent to each worker.
#[test]
fn an_application_factory_can_hold_the_middleware() {
    const fn is_factory<T: Clone + Send + 'static>() {}
    is_factory::<SessionMiddleware>();
    is_factory::<SessionManager>();
}

#[test]
fn the_errors_are_errors_and_answers() {
    const fn is_error<T: Error + ResponseError + Clone + Send + Sync + 'static>() {}
    is_error::<SessionError>();
    is_error::<SignedCookieError>();
}

#[test]
fn extractors_fail_with_the_session_error() {
    const fn is_extractor<T: FromRequest<Error = SessionError>>() {}
    is_extractor::<ExistingSession>();
    is_extractor::<Session>();
    is_extractor::<SignedCookies>();
}

#[test]
fn a_session_is_a_pointer() {
    const POINTER: usize = size_of::<usize>();
    assert_eq!(size_of::<Session>(), POINTER);
    assert_eq!(size_of::<Session<Name>>(), POINTER);
    assert_eq!(size_of::<ExistingSession>(), POINTER);
    assert_eq!(size_of::<SignedCookies>(), POINTER);
    assert_eq!(size_of::<SessionMiddleware>(), POINTER);
    assert_eq!(size_of::<SessionService<[u8; 1000]>>(), 1000 + POINTER);
    assert_eq!(size_of::<Unnamed>(), 0);
}

/// The future of every request in the application contains it.
#[test]
fn the_response_future_adds_little_to_the_inner_one() {
    type Inner = std::future::Ready<[u8; 1000]>;
    let size = size_of::<ResponseFuture<Inner, actix_web::body::BoxBody>>();
    assert!(size <= size_of::<Inner>() + 3 * size_of::<usize>(), "{size}");
}
