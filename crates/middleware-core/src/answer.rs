//! The room of answers: an error as the answer to a request.
//!
//! With the features `axum` and `actix`, the errors of this crate become responses of these frameworks. Invariant:
//! nothing else in the crate knows a framework; see `docs/decisions/0014-one-error-type.md`.

#[cfg(feature = "actix")]
mod actix;
#[cfg(feature = "axum")]
mod axum;

use std::error::Error;
use std::sync::Arc;

use crate::error::SessionError;
use crate::events::Event;
use crate::signed_cookies::error::SignedCookieError;

/// An error that has become the answer to a request. For adapters.
///
/// The conversion of an error into a response leaves this in the response, and
/// [`ResponseHead::take_error`](crate::ResponseHead::take_error) takes it out again in the layer.
#[derive(Clone, Debug)]
pub struct ErrorAnswer(Arc<Answered>);

#[derive(Debug)]
enum Answered {
    Session(SessionError),
    SignedCookie(SignedCookieError),
}

impl ErrorAnswer {
    /// Returns the HTTP status of the answer.
    pub fn status(&self) -> u16 {
        match &*self.0 {
            Answered::Session(error) => error.status(),
            Answered::SignedCookie(error) => error.status(),
        }
    }

    /// Returns the event that tells of the error, unless another event has done so already.
    pub(crate) fn event(&self) -> Option<Event> {
        match &*self.0 {
            Answered::Session(error) => Some(error.answer_event()),
            Answered::SignedCookie(error) => (error.status() >= 500).then_some(Event::RequestFailed),
        }
    }

    pub(crate) fn error(&self) -> &(dyn Error + 'static) {
        match &*self.0 {
            Answered::Session(error) => error,
            Answered::SignedCookie(error) => error,
        }
    }
}

impl From<SessionError> for ErrorAnswer {
    fn from(error: SessionError) -> Self {
        Self(Arc::new(Answered::Session(error)))
    }
}

impl From<SignedCookieError> for ErrorAnswer {
    fn from(error: SignedCookieError) -> Self {
        Self(Arc::new(Answered::SignedCookie(error)))
    }
}
