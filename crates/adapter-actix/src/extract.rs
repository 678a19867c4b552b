use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::panic::Location;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use nexios_middleware_core::{RequestSession, SessionError};

use crate::option;

/// The visitor's session, as a handler's argument.
///
/// Everything it can do is at the [session of the core](nexios_middleware_core::Session), to which it dereferences. A
/// visitor without a session gets an empty one; take [`ExistingSession`] to tell the two apart. All extractors of one
/// request share the session. A handler takes it by value.
///
/// `N` is the name of the middleware whose session it is; see
/// [two sessions in one application](crate#two-sessions-in-one-application).
///
/// # Errors
///
/// The extractor answers 503 when the store cannot be asked, and 500 when there is no middleware around the route; the
/// log says what to add.
///
/// `Option<Session>` compiles, because actix has an `Option` for every extractor. It would be `None` in an outage and
/// `Some` for a visitor without a session. So a request to a handler that takes it is answered 500, and the log says to
/// take [`ExistingSession`].
///
/// # Examples
///
/// ```
/// use actix_web::HttpResponse;
/// use nexios_adapter_actix::{ExistingSession, Session, SessionError};
///
/// async fn log_in(session: Session) -> Result<HttpResponse, SessionError> {
///     // Once the credentials have been checked.
///     session.login("ada")?;
///     Ok(HttpResponse::Ok().finish())
/// }
///
/// async fn log_out(session: Session) -> HttpResponse {
///     session.destroy();
///     HttpResponse::Ok().finish()
/// }
///
/// async fn greeting(ExistingSession(session): ExistingSession) -> String {
///     let user = session.and_then(|session| session.principal());
///     format!("Hello, {}!", user.as_deref().unwrap_or("stranger"))
/// }
/// # let app = actix_web::App::new()
/// #     .route("/log-in", actix_web::web::post().to(log_in))
/// #     .route("/log-out", actix_web::web::post().to(log_out))
/// #     .route("/", actix_web::web::get().to(greeting));
/// ```
pub struct Session<N = Unnamed> {
    session: nexios_middleware_core::Session,
    name: PhantomData<fn() -> N>,
}

/// The name of the sessions of an application that has only one kind of them.
#[derive(Clone, Copy, Debug)]
pub enum Unnamed {}

impl Session {
    /// Returns the visitor's session, given a request that has come through the middleware.
    ///
    /// For middleware and other code without actix's extractors. For a session with a name, call the extractor's own
    /// `extract`: `Session::<Admin>::extract(request)`, with [`FromRequest`] in scope.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked, or there is no middleware around this route.
    ///
    /// # Examples
    ///
    /// ```
    /// use actix_web::HttpRequest;
    /// use nexios_adapter_actix::{Session, SessionError};
    ///
    /// async fn visits(request: &HttpRequest) -> Result<u64, SessionError> {
    ///     let session = Session::extract(request).await?;
    ///     session.get_or("visits", 0)
    /// }
    /// ```
    pub async fn extract(request: &HttpRequest) -> Result<Self, SessionError> {
        Ok(Self::new(MiddlewareSession::<Unnamed>::of(request)?.session().await?))
    }
}

impl<N> Session<N> {
    const fn new(session: nexios_middleware_core::Session) -> Self {
        Self { session, name: PhantomData }
    }
}

impl<N: 'static> FromRequest for Session<N> {
    type Error = SessionError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, SessionError>>>>;

    #[track_caller]
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let session = option::refuse(Location::caller(), request).and_then(|()| MiddlewareSession::<N>::of(request));
        Box::pin(async move { Ok(Self::new(session?.session().await?)) })
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
        Self::new(self.session.clone())
    }
}

impl<N> fmt::Debug for Session<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.session.fmt(f)
    }
}

/// The visitor's session if there is one, as a handler's argument.
///
/// # Errors
///
/// As [`Session`]: an outage of the store does not mean that there is none.
///
/// # Examples
///
/// ```
/// use nexios_adapter_actix::ExistingSession;
///
/// async fn has_session(ExistingSession(session): ExistingSession) -> &'static str {
///     if session.is_some() { "Welcome back!" } else { "Welcome!" }
/// }
/// # let app = actix_web::App::new().route("/", actix_web::web::get().to(has_session));
/// ```
pub struct ExistingSession<N = Unnamed>(
    /// The session, which a visitor may not have.
    pub Option<Session<N>>,
);

impl ExistingSession {
    /// Returns the visitor's session if there is one, given a request that has come through the middleware.
    ///
    /// # Errors
    ///
    /// As [`Session::extract`].
    ///
    /// # Examples
    ///
    /// ```
    /// use actix_web::HttpRequest;
    /// use nexios_adapter_actix::{ExistingSession, SessionError};
    ///
    /// async fn is_logged_in(request: &HttpRequest) -> Result<bool, SessionError> {
    ///     let ExistingSession(session) = ExistingSession::extract(request).await?;
    ///     Ok(session.is_some_and(|session| session.principal().is_some()))
    /// }
    /// ```
    pub async fn extract(request: &HttpRequest) -> Result<Self, SessionError> {
        Self::of(MiddlewareSession::<Unnamed>::of(request)).await
    }
}

impl<N> ExistingSession<N> {
    async fn of(request: Result<RequestSession, SessionError>) -> Result<Self, SessionError> {
        Ok(Self(request?.existing_session().await?.map(Session::new)))
    }
}

impl<N: 'static> FromRequest for ExistingSession<N> {
    type Error = SessionError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, SessionError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        Box::pin(Self::of(MiddlewareSession::<N>::of(request)))
    }
}

impl<N> fmt::Debug for ExistingSession<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ExistingSession").field(&self.0).finish()
    }
}

/// The entry that the middleware of the name `N` leaves in a request's extensions.
pub(crate) struct MiddlewareSession<N> {
    request: RequestSession,
    name: PhantomData<fn() -> N>,
}

impl<N: 'static> MiddlewareSession<N> {
    pub(crate) const fn new(request: RequestSession) -> Self {
        Self { request, name: PhantomData }
    }

    pub(crate) fn of(request: &HttpRequest) -> Result<RequestSession, SessionError> {
        match request.extensions().get::<Self>() {
            Some(middleware) => Ok(middleware.request.clone()),
            None => Err(no_middleware::<N>()),
        }
    }
}

fn no_middleware<N>() -> SessionError {
    let name = std::any::type_name::<N>();
    SessionError::missing_layer(format!(
        "no session middleware for `Session<{name}>` around this route; add \
         `.wrap(SessionMiddleware::new(manager))`, or `SessionMiddleware::<{name}>::named(manager)` for a name of your \
         own"
    ))
}
