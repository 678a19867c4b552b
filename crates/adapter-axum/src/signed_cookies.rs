use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;
use http::{Extensions, StatusCode};
use nexios_middleware_core::SignedCookieErrorKind;

use crate::extract::LayerSession;
use crate::{Main, SessionError};

/// The visitor's signed cookies, as a handler's argument.
///
/// Everything they can do is at the [signed cookies of the core](nexios_middleware_core::SignedCookies), to which this
/// dereferences. They need a [`SessionLayer`](crate::SessionLayer), whose keys sign them, and no store.
///
/// ```
/// use nexios_adapter_axum::{SignedCookieError, SignedCookies};
///
/// async fn theme(cookies: SignedCookies) -> Result<String, SignedCookieError> {
///     Ok(cookies.get("theme")?.unwrap_or("light".to_owned()))
/// }
/// ```
///
/// # Errors
///
/// The extractor answers 500 when there is no layer around the route; the log says what to add.
pub struct SignedCookies<N = Main> {
    cookies: nexios_middleware_core::SignedCookies,
    marker: PhantomData<fn() -> N>,
}

impl<N: 'static> SignedCookies<N> {
    /// The visitor's signed cookies, given the extensions of a request that has come through the layer.
    ///
    /// # Errors
    ///
    /// When there is no layer around this service.
    ///
    /// # Examples
    ///
    /// ```
    /// use http::{Request, Response};
    /// use nexios_adapter_axum::{SessionError, SignedCookies};
    ///
    /// async fn handle(request: Request<String>) -> Result<Response<String>, SessionError> {
    ///     let cookies: SignedCookies = SignedCookies::from_extensions(request.extensions())?;
    ///     let theme = cookies.get("theme").ok().flatten();
    ///     Ok(Response::new(theme.unwrap_or_default()))
    /// }
    /// ```
    pub fn from_extensions(extensions: &Extensions) -> Result<Self, SessionError> {
        Ok(Self { cookies: LayerSession::<N>::of(extensions)?.signed_cookies(), marker: PhantomData })
    }
}

impl<N: 'static, S: Sync> FromRequestParts<S> for SignedCookies<N> {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        Self::from_extensions(&parts.extensions)
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
/// use nexios_adapter_axum::{SignedCookieError, SignedCookieErrorKind, SignedCookies};
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

    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl From<nexios_middleware_core::SignedCookieError> for SignedCookieError {
    fn from(error: nexios_middleware_core::SignedCookieError) -> Self {
        Self(error)
    }
}

impl IntoResponse for SignedCookieError {
    fn into_response(self) -> Response {
        self.0.log();
        self.status().into_response()
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
