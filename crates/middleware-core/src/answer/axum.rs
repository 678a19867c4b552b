use axum_core::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};

use crate::answer::ErrorAnswer;
use crate::error::SessionError;
use crate::signed_cookies::error::SignedCookieError;

impl IntoResponse for SessionError {
    /// Makes an empty response of the error's [status](SessionError::status).
    fn into_response(self) -> Response {
        let retry_after = self.retry_after().map(HeaderValue::from_static);
        let mut response = response(self.status(), self);
        if let Some(retry_after) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, retry_after);
        }
        response
    }
}

impl IntoResponse for SignedCookieError {
    /// Makes an empty response of the error's [status](SignedCookieError::status).
    fn into_response(self) -> Response {
        response(self.status(), self)
    }
}

/// Puts the error into the response, for the layer to tell of it.
fn response(status: u16, error: impl Into<ErrorAnswer>) -> Response {
    let mut response = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response();
    response.extensions_mut().insert(error.into());
    response
}
