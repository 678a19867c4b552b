use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::Extensions;
use http::request::Parts;
use nexios_middleware_core::{RequestSession, SessionError};

/// The visitor's session, as a handler's argument.
///
/// Everything it can do is at the [session of the core](nexios_middleware_core::Session), to which it dereferences. A
/// visitor without a session gets an empty one; `Option<Session>` is `None` for them. All extractors of one request
/// share the session. A handler takes it by value.
///
/// `N` is the name of the layer whose session it is; see
/// [two sessions in one application](crate#two-sessions-in-one-application).
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
///     session.login("ada")
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
pub struct Session<N = Unnamed> {
    session: nexios_middleware_core::Session,
    name: PhantomData<fn() -> N>,
}

/// The name of the sessions of an application that has only one kind of them.
#[derive(Clone, Copy, Debug)]
pub enum Unnamed {}

impl Session {
    /// Returns the visitor's session, given the extensions of a request that has come through the layer.
    ///
    /// For services and middleware without axum's extractors. For a session with a name, see
    /// [`named_from_extensions`](Self::named_from_extensions).
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
    ///     let session = Session::from_extensions(request.extensions()).await?;
    ///     let visits: u64 = session.get_or("visits", 0)? + 1;
    ///     session.insert("visits", &visits)?;
    ///     Ok(Response::new(visits.to_string()))
    /// }
    /// ```
    pub async fn from_extensions(extensions: &Extensions) -> Result<Self, SessionError> {
        Self::named_from_extensions(extensions).await
    }
}

impl<N: 'static> Session<N> {
    /// Returns the visitor's session of the layer with the name `N`, given the extensions of a request.
    ///
    /// # Errors
    ///
    /// As [`from_extensions`](Session::from_extensions).
    ///
    /// # Examples
    ///
    /// ```
    /// use http::Request;
    /// use nexios_adapter_axum::{Session, SessionError};
    ///
    /// enum Admin {}
    ///
    /// async fn is_admin(request: &Request<String>) -> Result<bool, SessionError> {
    ///     let session = Session::<Admin>::named_from_extensions(request.extensions()).await?;
    ///     Ok(session.principal().is_some())
    /// }
    /// ```
    pub async fn named_from_extensions(extensions: &Extensions) -> Result<Self, SessionError> {
        Ok(Self::new(LayerSession::<N>::of(extensions)?.session().await?))
    }

    const fn new(session: nexios_middleware_core::Session) -> Self {
        Self { session, name: PhantomData }
    }
}

impl<N: 'static, S: Sync> FromRequestParts<S> for Session<N> {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        Self::named_from_extensions(&parts.extensions).await
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
        Self { session: self.session.clone(), name: PhantomData }
    }
}

impl<N> fmt::Debug for Session<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.session.fmt(f)
    }
}

/// The entry that the layer of the name `N` leaves in a request's extensions.
pub(crate) struct LayerSession<N> {
    request: RequestSession,
    name: PhantomData<fn() -> N>,
}

impl<N: 'static> LayerSession<N> {
    pub(crate) const fn new(request: RequestSession) -> Self {
        Self { request, name: PhantomData }
    }

    pub(crate) fn of(extensions: &Extensions) -> Result<&RequestSession, SessionError> {
        match extensions.get::<Self>() {
            Some(layer) => Ok(&layer.request),
            None => Err(no_layer::<N>()),
        }
    }
}

fn no_layer<N>() -> SessionError {
    let name = std::any::type_name::<N>();
    SessionError::missing_layer(format!(
        "no session layer for `Session<{name}>` around this route; add `.layer(SessionLayer::new(manager))`, or \
         `SessionLayer::<{name}>::named(manager)` for a name of your own"
    ))
}

impl<N> Clone for LayerSession<N> {
    fn clone(&self) -> Self {
        Self { request: self.request.clone(), name: PhantomData }
    }
}
