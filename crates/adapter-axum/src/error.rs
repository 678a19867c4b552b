use std::error::Error;
use std::fmt;

use axum_core::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use nexios_middleware_core::SessionErrorKind;

/// A session could not do what it was asked; as a response, an empty 503, 500, or 409 if it was ended meanwhile.
///
/// A handler that returns `Result<_, SessionError>` can use `?` on every call of a [`Session`](crate::Session). The
/// cause goes to the log, and nothing of it to the visitor.
///
/// # Examples
///
/// ```
/// use nexios_adapter_axum::{Session, SessionError, SessionErrorKind};
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

    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(crate) fn no_layer<N>() -> Self {
        let marker = std::any::type_name::<N>();
        nexios_middleware_core::SessionError::misconfigured(format!(
            "no session layer for `Session<{marker}>` around this route; add `.layer(SessionLayer::new(manager))`, \
             or `SessionLayer::<{marker}>::marked(manager)` for a marker of your own"
        ))
        .into()
    }
}

impl From<nexios_middleware_core::SessionError> for SessionError {
    fn from(error: nexios_middleware_core::SessionError) -> Self {
        Self(error)
    }
}

impl IntoResponse for SessionError {
    fn into_response(self) -> Response {
        self.0.log();
        let mut response = self.status().into_response();
        if let Some(retry_after) = self.0.retry_after() {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(retry_after));
        }
        response
    }
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
