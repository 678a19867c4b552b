use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use axum_core::extract::FromRequestParts;
use http::Extensions;
use http::request::Parts;
use nexios_middleware_core::SessionError;

use crate::Unnamed;
use crate::extract::LayerSession;

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
pub struct SignedCookies<N = Unnamed> {
    cookies: nexios_middleware_core::SignedCookies,
    name: PhantomData<fn() -> N>,
}

impl SignedCookies {
    /// Returns the visitor's signed cookies, given the extensions of a request that has come through the layer.
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
    ///     let cookies = SignedCookies::from_extensions(request.extensions())?;
    ///     let theme = cookies.get("theme").ok().flatten();
    ///     Ok(Response::new(theme.unwrap_or_default()))
    /// }
    /// ```
    pub fn from_extensions(extensions: &Extensions) -> Result<Self, SessionError> {
        Self::named_from_extensions(extensions)
    }
}

impl<N: 'static> SignedCookies<N> {
    /// Returns the visitor's signed cookies by the keys of the layer with the name `N`.
    ///
    /// # Errors
    ///
    /// As [`from_extensions`](SignedCookies::from_extensions).
    pub fn named_from_extensions(extensions: &Extensions) -> Result<Self, SessionError> {
        Ok(Self { cookies: LayerSession::<N>::of(extensions)?.signed_cookies(), name: PhantomData })
    }
}

impl<N: 'static, S: Sync> FromRequestParts<S> for SignedCookies<N> {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        Self::named_from_extensions(&parts.extensions)
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
        Self { cookies: self.cookies.clone(), name: PhantomData }
    }
}

impl<N> fmt::Debug for SignedCookies<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cookies.fmt(f)
    }
}
