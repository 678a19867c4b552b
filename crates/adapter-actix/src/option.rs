//! `Option<Session>`, which actix accepts as a handler's argument, and which is refused here.
//!
//! actix has an `Option<T>` for every extractor `T`. It is `None` for any error and `Some` otherwise, so an
//! `Option<Session>` would be `None` in an outage of the store, and `Some` for a visitor who has no session. The
//! compiler cannot refuse it: the implementation is actix's, and no type tells its call of `Session::from_request` from
//! other calls. But the caller's place in the source does, so the request is refused.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::panic::Location;
use std::pin::pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use actix_web::dev::{Payload, ServiceResponse};
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest};
use nexios_middleware_core::SessionError;

/// Refuses the request if `caller` is the place where `Option<T>` asks for its `T`, and returns the error.
pub(crate) fn refuse(caller: &Location<'_>, request: &HttpRequest) -> Result<(), SessionError> {
    static OPTION: OnceLock<Option<&Location<'_>>> = OnceLock::new();
    // The lines are compared first, because they nearly always differ.
    let is_option = OPTION
        .get_or_init(|| place_of_option(request))
        .is_some_and(|option| option.line() == caller.line() && option == caller);
    if !is_option {
        return Ok(());
    }
    let error = SessionError::missing_layer(
        "`Option<Session>` is actix's own, and would be `None` in an outage; take `ExistingSession` in its place",
    );
    // actix hears of the error, and makes `None` of it.
    request.extensions_mut().insert(Refused(error.clone()));
    ANY_REFUSED.store(true, Ordering::Relaxed);
    Err(error)
}

/// Returns the response, or the error if the request that it answers was refused.
pub(crate) fn unless_refused<B>(response: ServiceResponse<B>) -> Result<ServiceResponse<B>, Error> {
    if !ANY_REFUSED.load(Ordering::Relaxed) {
        return Ok(response);
    }
    let refused = response.request().extensions_mut().remove();
    match refused {
        None => Ok(response),
        Some(Refused(error)) => Err(error.into()),
    }
}

/// Left in the extensions of a request that was refused.
struct Refused(SessionError);

/// Spares an application that does it right the look into each request. A request stays on its thread, so that the
/// order of the program is enough.
static ANY_REFUSED: AtomicBool = AtomicBool::new(false);

/// Finds out where in actix's source `Option<T>` asks for its `T`.
///
/// The language does not promise to keep these places. If they are lost, all are the same, and nothing is refused.
fn place_of_option(request: &HttpRequest) -> Option<&'static Location<'static>> {
    let Ok(in_option) = ready_output(Option::<CalledFrom>::extract(request))?;
    let (in_tuple,) = ready_output(<(CalledFrom,)>::extract(request))?.ok()?;
    in_option.filter(|place| place.0 != in_tuple.0).map(|place| place.0)
}

/// An extractor of the place in the source where it is asked for.
struct CalledFrom(&'static Location<'static>);

impl FromRequest for CalledFrom {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    #[track_caller]
    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(Location::caller())))
    }
}

fn ready_output<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
