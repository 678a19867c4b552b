use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};

use crate::answer::ErrorAnswer;
use crate::error::SessionError;
use crate::signed_cookies::error::SignedCookieError;

impl ResponseError for SessionError {
    fn status_code(&self) -> StatusCode {
        status_code(self.status())
    }

    /// Makes an empty response of the error's [status](SessionError::status).
    fn error_response(&self) -> HttpResponse {
        let mut response = response(self.status_code(), self.clone().into());
        if let Some(retry_after) = self.retry_after() {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(retry_after));
        }
        response
    }
}

impl ResponseError for SignedCookieError {
    fn status_code(&self) -> StatusCode {
        status_code(self.status())
    }

    /// Makes an empty response of the error's [status](SignedCookieError::status).
    fn error_response(&self) -> HttpResponse {
        response(self.status_code(), self.clone().into())
    }
}

fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Puts the error into the response, for the middleware to tell of it.
fn response(status: StatusCode, answer: ErrorAnswer) -> HttpResponse {
    let mut response = HttpResponse::new(status);
    response.extensions_mut().insert(answer);
    response
}
