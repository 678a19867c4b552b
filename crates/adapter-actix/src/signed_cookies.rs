use std::error::Error;
use std::fmt;
use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError};
use nexios_middleware_core::SignedCookieErrorKind;

use crate::extract::MiddlewareSession;
use crate::{Main, SessionError, error};

/// The visitor's signed cookies, as a handler's argument.
///
/// Everything they can do is at the [signed cookies of the core](nexios_middleware_core::SignedCookies), to which this
/// dereferences. They need a [`SessionMiddleware`](crate::SessionMiddleware), whose keys sign them, and no store.
///
/// ```
/// use nexios_adapter_actix::{SignedCookieError, SignedCookies};
///
/// async fn theme(cookies: SignedCookies) -> Result<String, SignedCookieError> {
///     Ok(cookies.get("theme")?.unwrap_or("light".to_owned()))
/// }
/// ```
///
/// # Errors
///
/// The extractor answers 500 when there is no middleware around the route; the log says what to add.
pub struct SignedCookies<N = Main> {
    cookies: nexios_middleware_core::SignedCookies,
    marker: PhantomData<fn() -> N>,
}

impl<N: 'static> FromRequest for SignedCookies<N> {
    type Error = SessionError;
    type Future = Ready<Result<Self, SessionError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let session = MiddlewareSession::<N>::of(request);
        ready(session.map(|session| Self { cookies: session.signed_cookies(), marker: PhantomData }))
    }
}

impl<N> Deref for SignedCookies<N> {
    type Target = nexios_middleware_core::SignedCookies;

    fn deref(&self) -> &Self::Target {
        &self.cookies
    }
}

impl<N> Clone for SignedCookies<N> {
    fn clone(&self) -> Self {
        Self { cookies: self.cookies.clone(), marker: PhantomData }
    }
}

impl<N> fmt::Debug for SignedCookies<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cookies.fmt(f)
    }
}

/// A signed cookie cannot be read or set; as a response, an empty 400 if it was tampered with, and an empty 500 otherwise.
///
/// # Examples
///
/// ```
/// use nexios_adapter_actix::{SignedCookieError, SignedCookieErrorKind, SignedCookies};
///
/// async fn theme(cookies: SignedCookies) -> Result<String, SignedCookieError> {
///     match cookies.get("theme") {
///         Err(error) if error.kind() == SignedCookieErrorKind::Tampered => Ok("light".to_owned()),
///         other => Ok(other?.unwrap_or_default()),
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCookieError(nexios_middleware_core::SignedCookieError);

impl SignedCookieError {
    /// What the error means for the handler.
    pub const fn kind(&self) -> SignedCookieErrorKind {
        self.0.kind()
    }
}

impl From<nexios_middleware_core::SignedCookieError> for SignedCookieError {
    fn from(error: nexios_middleware_core::SignedCookieError) -> Self {
        Self(error)
    }
}

impl ResponseError for SignedCookieError {
    fn status_code(&self) -> StatusCode {
        error::status(self.0.status())
    }

    fn error_response(&self) -> HttpResponse {
        self.0.log();
        HttpResponse::new(self.status_code())
    }
}

impl fmt::Display for SignedCookieError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for SignedCookieError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
