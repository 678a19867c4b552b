use std::borrow::Cow;
use std::marker::PhantomData;
use std::pin::Pin;

use bytes::Bytes;
use http::header::COOKIE;
use http::{Extensions, HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::service::Service;
use nexios_middleware_core::{
    ErrorAnswer, Header, RequestSession, ResponseHead, Session, SessionError, SessionManager, SignedCookieError,
    SignedCookies,
};

/// A service that gives every request of another service its session, and every response its cookie.
///
/// `N` is the name of the sessions: a type of your own, for applications with several kinds of them.
pub struct SessionService<S, N = Unnamed> {
    manager: SessionManager,
    inner: S,
    name: PhantomData<fn() -> N>,
}

/// The name of the sessions of an application that has only one kind of them.
pub enum Unnamed {}

impl<S> SessionService<S> {
    /// Puts the sessions of `manager` around `inner`.
    pub const fn new(manager: SessionManager, inner: S) -> Self {
        Self::named(manager, inner)
    }
}

impl<S, N> SessionService<S, N> {
    /// Puts the sessions of `manager` around `inner`, under the name `N`.
    pub const fn named(manager: SessionManager, inner: S) -> Self {
        Self { manager, inner, name: PhantomData }
    }
}

impl<S, N, B, R> Service<Request<B>> for SessionService<S, N>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    S::Error: Send,
    N: 'static,
    R: Send,
{
    type Response = Response<Either<R, Full<Bytes>>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn call(&self, mut request: Request<B>) -> Self::Future {
        let cookie_headers = request.headers().get_all(COOKIE).iter().map(HeaderValue::as_bytes);
        let session = self.manager.request(cookie_headers);
        request.extensions_mut().insert(Sessions::<N> { request: session.clone(), name: PhantomData });
        let answering = self.inner.call(request);
        Box::pin(async move {
            let result = answering.await;
            let status = result.as_ref().map_or(StatusCode::INTERNAL_SERVER_ERROR, Response::status);
            let end = session.end(status.as_u16()).await;
            let mut response = result?.map(Either::Left);
            if let Some(body) = end.apply(&mut Head(&mut response)) {
                *response.body_mut() = Either::Right(Full::new(body));
            }
            Ok(response)
        })
    }
}

/// The way of one request to its session. A [`SessionService`] leaves it in the request's extensions.
pub struct Sessions<N = Unnamed> {
    request: RequestSession,
    name: PhantomData<fn() -> N>,
}

impl Sessions {
    /// Finds the sessions without a name in the extensions of a request.
    pub fn of(extensions: &Extensions) -> Result<&Self, SessionError> {
        Self::named(extensions)
    }
}

impl<N: 'static> Sessions<N> {
    /// Finds the sessions with the name `N` in the extensions of a request.
    pub fn named(extensions: &Extensions) -> Result<&Self, SessionError> {
        extensions.get().ok_or_else(|| {
            let name = std::any::type_name::<N>();
            SessionError::missing_layer(format!("no `SessionService` with the name `{name}` around this handler"))
        })
    }

    /// Returns the visitor's session; an empty one if there is none.
    pub async fn session(&self) -> Result<Session, SessionError> {
        self.request.session().await
    }

    /// Returns the visitor's session, if there is one.
    pub async fn existing_session(&self) -> Result<Option<Session>, SessionError> {
        self.request.existing_session().await
    }

    /// Returns the visitor's signed cookies.
    pub fn signed_cookies(&self) -> SignedCookies {
        self.request.signed_cookies()
    }
}

// Derived, it would ask for `N: Clone`.
impl<N> Clone for Sessions<N> {
    fn clone(&self) -> Self {
        Self { request: self.request.clone(), name: PhantomData }
    }
}

struct Head<'r, B>(&'r mut Response<B>);

impl<B> ResponseHead for Head<'_, B> {
    fn set_status(&mut self, status: u16) {
        *self.0.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    }

    fn values(&self, header: Header) -> impl Iterator<Item = &[u8]> {
        self.0.headers().get_all(header.name()).iter().map(HeaderValue::as_bytes)
    }

    fn insert(&mut self, header: Header, value: Cow<'static, str>) {
        if let Ok(value) = HeaderValue::try_from(value.into_owned()) {
            self.0.headers_mut().insert(header.name(), value);
        }
    }

    fn append(&mut self, header: Header, value: String) {
        if let Ok(value) = HeaderValue::try_from(value) {
            self.0.headers_mut().append(header.name(), value);
        }
    }

    fn retain(&mut self, mut keep: impl FnMut(&str, &[u8]) -> bool) {
        let headers = self.0.headers_mut();
        let mut current = None;
        for (name, value) in std::mem::replace(headers, HeaderMap::with_capacity(headers.len())) {
            current = name.or(current); // the map names only the first line of each header
            if let Some(name) = &current
                && keep(name.as_str(), value.as_bytes())
            {
                headers.append(name, value);
            }
        }
    }

    fn take_error(&mut self) -> Option<ErrorAnswer> {
        self.0.extensions_mut().remove()
    }
}

/// Makes an error of a session the answer to its request.
pub fn answer<B: Default>(error: SessionError) -> Response<B> {
    let retry_after = error.retry_after();
    let mut response = response(error.status(), error);
    if let Some(retry_after) = retry_after {
        Head(&mut response).insert(Header::RetryAfter, retry_after.into());
    }
    response
}

/// Makes an error of a signed cookie the answer to its request.
pub fn answer_signed<B: Default>(error: SignedCookieError) -> Response<B> {
    response(error.status(), error)
}

fn response<B: Default>(status: u16, error: impl Into<ErrorAnswer>) -> Response<B> {
    let mut response = Response::new(B::default());
    Head(&mut response).set_status(status);
    response.extensions_mut().insert(error.into());
    response
}
