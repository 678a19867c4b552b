use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::Extensions;
use http::request::Parts;
use nexios_middleware_core::RequestSession;

use crate::SessionError;

/// The visitor's session, as a handler's argument.
///
/// Everything it can do is at the [session of the core](nexios_middleware_core::Session), to which it dereferences. A
/// visitor without a session gets an empty one; `Option<Session>` is `None` for them. All extractors of one request
/// share the session.
///
/// `N` says which layer's session it is; see [two sessions in one application](crate#two-sessions-in-one-application).
///
/// # Errors
///
/// The extractor answers 503 when the store cannot be asked, and 500 when there is no layer around the route; the log
/// says what to add.
///
/// # Examples
///
/// ```
/// use nexios_adapter_axum::{Session, SessionError};
///
/// async fn log_in(session: Session) -> Result<(), SessionError> {
///     // Once the credentials have been checked.
///     Ok(session.login("ada")?)
/// }
///
/// async fn log_out(session: Session) {
///     session.destroy();
/// }
///
/// async fn greeting(session: Option<Session>) -> String {
///     let user = session.and_then(|session| session.principal());
///     format!("Hello, {}!", user.as_deref().unwrap_or("stranger"))
/// }
/// # let router: axum::Router = axum::Router::new()
/// #     .route("/log-in", axum::routing::post(log_in))
/// #     .route("/log-out", axum::routing::post(log_out))
/// #     .route("/", axum::routing::get(greeting));
/// ```
pub struct Session<N = Main> {
    session: nexios_middleware_core::Session,
    marker: PhantomData<fn() -> N>,
}

/// The marker of the session layer of an application that has only one.
#[derive(Clone, Copy, Debug)]
pub enum Main {}

impl<N: 'static> Session<N> {
    /// The visitor's session, given the extensions of a request that has come through the layer.
    ///
    /// For services without axum's extractors.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked, or there is no layer around this service.
    ///
    /// # Examples
    ///
    /// ```
    /// use http::{Request, Response};
    /// use nexios_adapter_axum::{Session, SessionError};
    ///
    /// async fn handle(request: Request<String>) -> Result<Response<String>, SessionError> {
    ///     let session: Session = Session::from_extensions(request.extensions()).await?;
    ///     let visits: u64 = session.get_or("visits", 0)? + 1;
    ///     session.insert("visits", &visits)?;
    ///     Ok(Response::new(visits.to_string()))
    /// }
    /// ```
    pub async fn from_extensions(extensions: &Extensions) -> Result<Self, SessionError> {
        Ok(Self::new(LayerSession::<N>::of(extensions)?.session().await?))
    }

    const fn new(session: nexios_middleware_core::Session) -> Self {
        Self { session, marker: PhantomData }
    }
}

impl<N: 'static, S: Sync> FromRequestParts<S> for Session<N> {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        Self::from_extensions(&parts.extensions).await
    }
}

impl<N: 'static, S: Sync> OptionalFromRequestParts<S> for Session<N> {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, SessionError> {
        Ok(LayerSession::<N>::of(&parts.extensions)?.existing_session().await?.map(Self::new))
    }
}

impl<N> Deref for Session<N> {
    type Target = nexios_middleware_core::Session;

    fn deref(&self) -> &Self::Target {
        &self.session
    }
}

impl<N> Clone for Session<N> {
    fn clone(&self) -> Self {
        Self { session: self.session.clone(), marker: PhantomData }
    }
}

impl<N> fmt::Debug for Session<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.session.fmt(f)
    }
}

/// What the layer of marker `N` leaves in a request's extensions.
pub(crate) struct LayerSession<N> {
    request: RequestSession,
    marker: PhantomData<fn() -> N>,
}

impl<N: 'static> LayerSession<N> {
    pub(crate) const fn new(request: RequestSession) -> Self {
        Self { request, marker: PhantomData }
    }

    pub(crate) fn of(extensions: &Extensions) -> Result<&RequestSession, SessionError> {
        match extensions.get::<Self>() {
            Some(layer) => Ok(&layer.request),
            None => Err(SessionError::no_layer::<N>()),
        }
    }
}

impl<N> Clone for LayerSession<N> {
    fn clone(&self) -> Self {
        Self { request: self.request.clone(), marker: PhantomData }
    }
}
