use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::COOKIE;
use http::{HeaderValue, Request, Response};
use nexios_middleware_core::SessionManager;
use tower_layer::Layer;
use tower_service::Service;

use crate::extract::LayerSession;
use crate::{Main, ResponseFuture};

/// A tower layer that gives every request its way to a session, and every response its cookie.
///
/// Put it around the routes that use sessions. It costs others next to nothing, so around the whole router is fine.
pub struct SessionLayer<N = Main> {
    manager: SessionManager,
    marker: PhantomData<fn() -> N>,
}

impl SessionLayer {
    /// The layer of an application's only kind of session.
    pub const fn new(manager: SessionManager) -> Self {
        Self::marked(manager)
    }
}

impl<N> SessionLayer<N> {
    /// The layer of the sessions that are extracted as `Session<N>`.
    pub const fn marked(manager: SessionManager) -> Self {
        Self { manager, marker: PhantomData }
    }
}

impl<N> Clone for SessionLayer<N> {
    fn clone(&self) -> Self {
        Self::marked(self.manager.clone())
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
pub struct SessionService<S, N = Main> {
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
    ResBody: Default,
    N: 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResBody, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let cookies = request.headers().get_all(COOKIE).iter().map(HeaderValue::as_bytes);
        let session = Arc::new(self.layer.manager.request(cookies));
        request.extensions_mut().insert(LayerSession::<N>::new(Arc::clone(&session)));
        // `poll_ready` readied this service, not a clone of it.
        ResponseFuture::new(self.inner.call(request), session)
    }
}
