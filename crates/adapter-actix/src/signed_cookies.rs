use std::fmt;
use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use nexios_middleware_core::SessionError;

use crate::Unnamed;
use crate::extract::MiddlewareSession;

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
pub struct SignedCookies<N = Unnamed> {
    cookies: nexios_middleware_core::SignedCookies,
    name: PhantomData<fn() -> N>,
}

impl SignedCookies {
    /// Returns the visitor's signed cookies, given a request that has come through the middleware.
    ///
    /// For middleware and other code without actix's extractors. For the keys of a middleware with a name, call the
    /// extractor's own `extract`: `SignedCookies::<Admin>::extract(request)`, with [`FromRequest`] in scope.
    ///
    /// # Errors
    ///
    /// When there is no middleware around this route.
    ///
    /// # Examples
    ///
    /// ```
    /// use actix_web::HttpRequest;
    /// use nexios_adapter_actix::{SessionError, SignedCookies};
    ///
    /// async fn theme(request: &HttpRequest) -> Result<String, SessionError> {
    ///     let cookies = SignedCookies::extract(request).await?;
    ///     Ok(cookies.get("theme").ok().flatten().unwrap_or("light".to_owned()))
    /// }
    /// ```
    pub async fn extract(request: &HttpRequest) -> Result<Self, SessionError> {
        Self::of(request)
    }
}

impl<N: 'static> SignedCookies<N> {
    fn of(request: &HttpRequest) -> Result<Self, SessionError> {
        let session = MiddlewareSession::<N>::of(request)?;
        Ok(Self { cookies: session.signed_cookies(), name: PhantomData })
    }
}

impl<N: 'static> FromRequest for SignedCookies<N> {
    type Error = SessionError;
    type Future = Ready<Result<Self, SessionError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
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
