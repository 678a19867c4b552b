use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::header::{CACHE_CONTROL, HeaderName, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use nexios_middleware_core::{RequestEnd, RequestSession, SessionHeaders};
use pin_project_lite::pin_project;

use crate::error;

pin_project! {
    /// The future of a [`SessionService`](crate::SessionService): the inner response, then the end of the session.
    pub struct ResponseFuture<F, B> {
        session: Arc<RequestSession>,
        #[pin]
        stage: Stage<F, B>,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<F, B> {
        Inner { #[pin] inner: F },
        // Boxed, because the core's future has no name; a request that only reads, or does not ask, never gets here.
        Saving { saving: Pin<Box<dyn Future<Output = RequestEnd> + Send>>, response: Response<B> },
    }
}

impl<F, B> ResponseFuture<F, B> {
    pub(crate) const fn new(inner: F, session: Arc<RequestSession>) -> Self {
        Self { session, stage: Stage::Inner { inner } }
    }
}

impl<F, B, E> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Default,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.stage.as_mut().project() {
                StageProjection::Inner { inner } => {
                    let response = ready!(inner.poll(context))?;
                    let status = response.status().as_u16();
                    if let Some(end) = this.session.end_without_store(status) {
                        return Poll::Ready(Ok(ended(response, end)));
                    }
                    let session = Arc::clone(this.session);
                    let saving = Box::pin(async move { session.end(status).await });
                    this.stage.set(Stage::Saving { saving, response });
                }
                StageProjection::Saving { saving, response } => {
                    let end = ready!(saving.as_mut().poll(context));
                    return Poll::Ready(Ok(ended(std::mem::take(response), end)));
                }
            }
        }
    }
}

/// The response, or an empty one in its place if the session could not be saved, with the session's headers.
fn ended<B: Default>(response: Response<B>, end: RequestEnd) -> Response<B> {
    let mut response = match end.failure() {
        None => response,
        Some(failure) => {
            error::log(failure);
            let mut empty = Response::new(B::default());
            *empty.status_mut() = StatusCode::from_u16(failure.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            empty
        }
    };
    let headers = response.headers_mut();
    if let Some(session_headers) = end.headers(lines(headers, &VARY), lines(headers, &CACHE_CONTROL)) {
        set(headers, session_headers);
    }
    response
}

fn lines<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h [u8]> + use<'h> {
    headers.get_all(name).iter().map(HeaderValue::as_bytes)
}

fn set(headers: &mut HeaderMap, session_headers: SessionHeaders) {
    // Each of these is text that the core has made of checked parts, so the conversions do not fail.
    if let Some(vary) = session_headers.vary.as_ref().and_then(|vary| HeaderValue::try_from(vary).ok()) {
        headers.insert(VARY, vary);
    }
    if let Some(cache_control) = session_headers.cache_control {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache_control));
    }
    if !session_headers.set_cookies.is_empty() {
        let others: Vec<_> = headers.get_all(SET_COOKIE).iter().cloned().collect();
        headers.remove(SET_COOKIE);
        for line in others.into_iter().filter(|line| !session_headers.replaces(line.as_bytes())) {
            headers.append(SET_COOKIE, line);
        }
        for line in session_headers.set_cookies.into_iter().filter_map(|line| HeaderValue::try_from(line).ok()) {
            headers.append(SET_COOKIE, line);
        }
    }
}

impl<F, B> fmt::Debug for ResponseFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("session", &self.session).finish_non_exhaustive()
    }
}
