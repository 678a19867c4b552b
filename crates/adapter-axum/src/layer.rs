use std::fmt;
use std::marker::PhantomData;
use std::task::{Context, Poll};

use axum_core::body::Body;
use http::header::COOKIE;
use http::{HeaderValue, Request, Response};
use nexios_middleware_core::SessionManager;
use tower_layer::Layer;
use tower_service::Service;

use crate::extract::LayerSession;
use crate::{ResponseBody, ResponseFuture, Unnamed};

/// A tower layer that gives every request its way to a session, and every response its cookie.
///
/// Put it around the routes that use sessions. It costs others next to nothing, so around the whole router is fine.
///
/// # Among other layers
///
/// It fits around and inside of other layers, those of tower-http among them, and asks of the inner response's body
/// only that it is a [`ResponseBody`].
///
/// A layer inside of it can change the status, and the status decides what is saved:
///
/// * A panic that `CatchPanicLayer` catches inside is a 500, so the handler's changes are dropped.
/// * A `TimeoutLayer` inside drops the handler half-way. With its 408, or a status from 500 on, the changes that the
///   handler had made by then are dropped too.
///
/// A layer around it that catches a panic or gives up waiting drops the whole request, and nothing is saved.
///
/// # Examples
///
/// ```
/// use axum::{Router, routing::get};
/// use nexios_adapter_axum::{Session, SessionLayer, SessionManager};
/// use nexios_signer::{Key, KeyRing};
/// use nexios_store_memory::MemoryStore;
///
/// let manager = SessionManager::builder(MemoryStore::new()).keys(KeyRing::new(Key::generate()?)).build()?;
/// let app: Router = Router::new()
///     .route("/", get(async |session: Session| session.len().to_string()))
///     .layer(SessionLayer::new(manager));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SessionLayer<N = Unnamed> {
    manager: SessionManager,
    name: PhantomData<fn() -> N>,
}

impl SessionLayer {
    /// Makes the layer of an application's only kind of session, which is extracted as `Session`.
    pub const fn new(manager: SessionManager) -> Self {
        Self::named(manager)
    }
}

impl<N> SessionLayer<N> {
    /// Makes the layer of the sessions that are extracted as `Session<N>`, where an application has several kinds.
    ///
    /// `N` is a type of your own, which is never made: it is the name of this kind of session.
    ///
    /// # Examples
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use nexios_adapter_axum::{Session, SessionLayer, SessionManager};
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
    /// let app: Router = Router::new()
    ///     .route("/", get(async |_: Session, _: Session<Admin>| "both"))
    ///     .layer(SessionLayer::new(users))
    ///     .layer(SessionLayer::<Admin>::named(admins));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn named(manager: SessionManager) -> Self {
        Self { manager, name: PhantomData }
    }
}

impl<N> Clone for SessionLayer<N> {
    fn clone(&self) -> Self {
        Self::named(self.manager.clone())
    }
}

impl<N> fmt::Debug for SessionLayer<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionLayer").field("manager", &self.manager).finish()
    }
}

impl<S, N> Layer<S> for SessionLayer<N> {
    type Service = SessionService<S, N>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService { inner, layer: self.clone() }
    }
}

/// The service that a [`SessionLayer`] makes of another.
///
/// # Examples
///
/// ```
/// use http::{Request, Response};
/// use nexios_adapter_axum::{Session, SessionError, SessionLayer, SessionManager, SessionService};
/// # use nexios_signer::{Key, KeyRing};
/// # use nexios_store_memory::MemoryStore;
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let manager = SessionManager::builder(MemoryStore::new()).keys(KeyRing::new(Key::generate()?)).build()?;
/// let service = service_fn(async |request: Request<String>| {
///     let session = Session::from_extensions(request.extensions()).await?;
///     session.insert("visited", &true)?;
///     Ok::<_, SessionError>(Response::new(String::new()))
/// });
/// let service: SessionService<_> = ServiceBuilder::new().layer(SessionLayer::new(manager)).service(service);
///
/// let response = service.oneshot(Request::new(String::new())).await?;
/// assert!(response.headers().contains_key("set-cookie"));
/// # Ok(())
/// # }
/// ```
pub struct SessionService<S, N = Unnamed> {
    inner: S,
    layer: SessionLayer<N>,
}

impl<S: Clone, N> Clone for SessionService<S, N> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<S: fmt::Debug, N> fmt::Debug for SessionService<S, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionService").field("inner", &self.inner).field("layer", &self.layer).finish()
    }
}

impl<S, N, ReqBody, ResBody> Service<Request<ReqBody>> for SessionService<S, N>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: ResponseBody,
    N: 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let cookies = request.headers().get_all(COOKIE).iter().map(HeaderValue::as_bytes);
        let session = self.layer.manager.request(cookies);
        request.extensions_mut().insert(LayerSession::<N>::new(session.clone()));
        // `poll_ready` readied this service, not a clone of it.
        ResponseFuture::new(self.inner.call(request), session)
    }
}
