use std::error::Error;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use nexios_middleware_core::SessionErrorKind;

/// A session could not do what it was asked; as a response, an empty 503, 500, or 409 if it was ended meanwhile.
///
/// A handler that returns `Result<_, SessionError>` can use `?` on every call of a [`Session`](crate::Session). The
/// cause goes to the log, and nothing of it to the visitor.
///
/// # Examples
///
/// ```
/// use nexios_adapter_actix::{Session, SessionError, SessionErrorKind};
///
/// async fn save_cart(session: Session) -> Result<&'static str, SessionError> {
///     session.insert("cart", &["tea"])?;
///     match session.save().await {
///         Ok(()) => Ok("saved"),
///         Err(error) if error.kind() == SessionErrorKind::Gone => Ok("you have logged out meanwhile"),
///         Err(error) => Err(error.into()),
///     }
/// }
/// ```
#[derive(Debug)]
pub struct SessionError(nexios_middleware_core::SessionError);

impl SessionError {
    /// What the error means for the handler.
    pub const fn kind(&self) -> SessionErrorKind {
        self.0.kind()
    }

    pub(crate) fn no_middleware<N>() -> Self {
        let marker = std::any::type_name::<N>();
        nexios_middleware_core::SessionError::misconfigured(format!(
            "no session middleware for `Session<{marker}>` around this route; add \
             `.wrap(SessionMiddleware::new(manager))`, or `SessionMiddleware::<{marker}>::marked(manager)` for a marker \
             of your own"
        ))
        .into()
    }
}

impl From<nexios_middleware_core::SessionError> for SessionError {
    fn from(error: nexios_middleware_core::SessionError) -> Self {
        Self(error)
    }
}

impl ResponseError for SessionError {
    fn status_code(&self) -> StatusCode {
        status(self.0.status())
    }

    fn error_response(&self) -> HttpResponse {
        self.0.log();
        let mut response = HttpResponse::new(self.status_code());
        if let Some(retry_after) = self.0.retry_after() {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(retry_after));
        }
        response
    }
}

pub(crate) fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for SessionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
