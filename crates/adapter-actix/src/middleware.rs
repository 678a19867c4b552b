use std::fmt;
use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::task::{Context, Poll};

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::header::{COOKIE, HeaderValue};
use actix_web::{Error, HttpMessage};
use nexios_middleware_core::SessionManager;

use crate::extract::MiddlewareSession;
use crate::{ResponseFuture, Unnamed};

/// A middleware that gives every request its way to a session, and every response its cookie.
///
/// Put it around the routes that use sessions. It costs others next to nothing, so around the whole application is
/// fine.
///
/// # Examples
///
/// ```
/// use actix_web::{App, web};
/// use nexios_adapter_actix::{Session, SessionManager, SessionMiddleware};
/// use nexios_signer::{Key, KeyRing};
/// use nexios_store_memory::MemoryStore;
///
/// let manager = SessionManager::builder(MemoryStore::new()).keys(KeyRing::new(Key::generate()?)).build()?;
/// let app = App::new()
///     .route("/", web::get().to(async |session: Session| session.len().to_string()))
///     .wrap(SessionMiddleware::new(manager));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SessionMiddleware<N = Unnamed> {
    manager: SessionManager,
    name: PhantomData<fn() -> N>,
}

impl SessionMiddleware {
    /// Makes the middleware of an application's only kind of session, which is extracted as `Session`.
    pub const fn new(manager: SessionManager) -> Self {
        Self::named(manager)
    }
}

impl<N> SessionMiddleware<N> {
    /// Makes the middleware of the sessions that are extracted as `Session<N>`, where an application has several kinds.
    ///
    /// `N` is a type of your own, which is never made: it is the name of this kind of session.
    ///
    /// # Examples
    ///
    /// ```
    /// use actix_web::{App, web};
    /// use nexios_adapter_actix::{Session, SessionManager, SessionMiddleware};
    /// use nexios_cookie_config::CookieConfig;
    /// # use nexios_signer::{Key, KeyRing};
    /// # use nexios_store_memory::MemoryStore;
    ///
    /// enum Admin {}
    ///
    /// # let keys = KeyRing::new(Key::generate()?);
    /// # let (users_store, admins_store) = (MemoryStore::new(), MemoryStore::new());
    /// let users = SessionManager::builder(users_store).keys(keys.clone()).build()?;
    /// let cookie = CookieConfig::builder().name("admin").build()?;
    /// let admins =
    ///     SessionManager::builder(admins_store).keys(keys).cookie(cookie).same_application(&users).build()?;
    ///
    /// let app = App::new()
    ///     .route("/", web::get().to(async |_: Session, _: Session<Admin>| "both"))
    ///     .wrap(SessionMiddleware::new(users))
    ///     .wrap(SessionMiddleware::<Admin>::named(admins));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn named(manager: SessionManager) -> Self {
        Self { manager, name: PhantomData }
    }
}

impl<N> Clone for SessionMiddleware<N> {
    fn clone(&self) -> Self {
        Self::named(self.manager.clone())
    }
}

impl<N> fmt::Debug for SessionMiddleware<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionMiddleware").field("manager", &self.manager).finish()
    }
}

impl<S, B, N> Transform<S, ServiceRequest> for SessionMiddleware<N>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
    N: 'static,
{
    type Response = ServiceResponse<EitherBody<B, BoxBody>>;
    type Error = Error;
    type Transform = SessionService<S, N>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(SessionService { inner, middleware: self.clone() }))
    }
}

/// The service that a [`SessionMiddleware`] makes of another.
///
/// # Examples
///
/// ```
/// use actix_web::dev::{Service, Transform};
/// use actix_web::test::{TestRequest, ok_service};
///
/// use nexios_adapter_actix::{SessionManager, SessionMiddleware, SessionService};
/// # use nexios_signer::{Key, KeyRing};
/// # use nexios_store_memory::MemoryStore;
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let manager = SessionManager::builder(MemoryStore::new()).keys(KeyRing::new(Key::generate()?)).build()?;
/// let service: SessionService<_> =
///     SessionMiddleware::new(manager).new_transform(ok_service()).await.expect("it cannot fail");
/// let response = service.call(TestRequest::default().to_srv_request()).await?;
/// assert_eq!(response.status(), 200);
/// # Ok(())
/// # }
/// ```
pub struct SessionService<S, N = Unnamed> {
    inner: S,
    middleware: SessionMiddleware<N>,
}

impl<S: fmt::Debug, N> fmt::Debug for SessionService<S, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionService").field("inner", &self.inner).field("middleware", &self.middleware).finish()
    }
}

impl<S, B, N> Service<ServiceRequest> for SessionService<S, N>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
    N: 'static,
{
    type Response = ServiceResponse<EitherBody<B, BoxBody>>;
    type Error = Error;
    type Future = ResponseFuture<S::Future, B>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let cookies = request.headers().get_all(COOKIE).map(HeaderValue::as_bytes);
        let session = self.middleware.manager.request(cookies);
        request.extensions_mut().insert(MiddlewareSession::<N>::new(session.clone()));
        ResponseFuture::new(self.inner.call(request), session)
    }
}
