use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::header::{CACHE_CONTROL, Entry, HeaderName, RETRY_AFTER, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use nexios_middleware_core::{RequestEnd, RequestSession, SessionHeaders};
use pin_project_lite::pin_project;

pin_project! {
    /// The future of a [`SessionService`](crate::SessionService): the inner response, then the end of the session.
    pub struct ResponseFuture<F, B, E> {
        session: RequestSession,
        #[pin]
        stage: Stage<F, B, E>,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<F, B, E> {
        Inner { #[pin] inner: F },
        // Boxed, because the core's future has no name; a request that only reads, or does not ask, never gets here.
        Ending { end: Pin<Box<dyn Future<Output = RequestEnd> + Send>>, result: Option<Result<Response<B>, E>> },
    }
}

impl<F, B, E> ResponseFuture<F, B, E> {
    pub(crate) const fn new(inner: F, session: RequestSession) -> Self {
        Self { session, stage: Stage::Inner { inner } }
    }
}

impl<F, B, E> Future for ResponseFuture<F, B, E>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Default,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        loop {
            match this.stage.as_mut().project() {
                StageProjection::Inner { inner } => {
                    let result = ready!(inner.poll(context));
                    let status = result.as_ref().map_or(StatusCode::INTERNAL_SERVER_ERROR, Response::status).as_u16();
                    if let Some(end) = this.session.end_without_store(status) {
                        return Poll::Ready(ended(result, end));
                    }
                    let session = this.session.clone();
                    let end = Box::pin(async move { session.end(status).await });
                    this.stage.set(Stage::Ending { end, result: Some(result) });
                }
                StageProjection::Ending { end, result } => {
                    let end = ready!(end.as_mut().poll(context));
                    // Taken once: a future is not polled again after it was ready.
                    let Some(result) = result.take() else { return Poll::Pending };
                    return Poll::Ready(ended(result, end));
                }
            }
        }
    }
}

/// The response with the session's headers, or in its place an empty one if the session could not be saved.
///
/// A service that has failed has no response, and so no cookie; but a logout before it failed was carried out.
fn ended<B: Default, E>(result: Result<Response<B>, E>, end: RequestEnd) -> Result<Response<B>, E> {
    let mut response = result?;
    if let Some(failure) = end.failure() {
        failure.log();
        response = empty(failure.status(), response.headers_mut());
    }
    let headers = response.headers_mut();
    if let Some(session_headers) = end.headers(lines(headers, VARY), lines(headers, CACHE_CONTROL)) {
        set(headers, session_headers);
    }
    Ok(response)
}

/// An empty response with those headers of the one it replaces that tell of cookies: another layer's session may have
/// moved to a new id.
fn empty<B: Default>(status: u16, replaced: &mut HeaderMap) -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for name in [SET_COOKIE, CACHE_CONTROL, VARY] {
        for value in replaced.get_all(&name) {
            response.headers_mut().append(&name, value.clone());
        }
    }
    response
}

/// Looked up when somebody asks: without a cookie of ours, nobody does for `Cache-Control`.
fn lines<'h>(headers: &'h HeaderMap, name: HeaderName) -> impl Iterator<Item = &'h [u8]> + use<'h> {
    std::iter::once_with(move || headers.get_all(name)).flatten().map(HeaderValue::as_bytes)
}

fn set(headers: &mut HeaderMap, session_headers: SessionHeaders) {
    if let Some(vary) = session_headers.vary.as_deref().and_then(value) {
        headers.insert(VARY, vary);
    }
    if let Some(cache_control) = session_headers.cache_control.and_then(value) {
        headers.insert(CACHE_CONTROL, cache_control);
    }
    if let Some(retry_after) = session_headers.retry_after.and_then(value) {
        headers.insert(RETRY_AFTER, retry_after);
    }
    if session_headers.set_cookies().next().is_some() && headers.contains_key(SET_COOKIE) {
        remove_replaced(headers, &session_headers);
    }
    for line in session_headers.into_set_cookies() {
        if let Ok(line) = HeaderValue::try_from(line) {
            headers.append(SET_COOKIE, line);
        }
    }
}

/// The core has made the text of checked parts, so that the conversion does not fail. What nearly all responses get is
/// converted when this is compiled.
fn value(text: &str) -> Option<HeaderValue> {
    match text {
        "Cookie" => Some(const { HeaderValue::from_static("Cookie") }),
        "no-store" => Some(const { HeaderValue::from_static("no-store") }),
        other => HeaderValue::try_from(other).ok(),
    }
}

/// Takes out what the application has set under the name of a cookie of ours.
fn remove_replaced(headers: &mut HeaderMap, session_headers: &SessionHeaders) {
    if let Entry::Occupied(lines) = headers.entry(SET_COOKIE) {
        let lines: Vec<_> = lines.remove_entry_mult().1.collect();
        for line in lines.into_iter().filter(|line| !session_headers.replaces(line.as_bytes())) {
            headers.append(SET_COOKIE, line);
        }
    }
}

impl<F, B, E> fmt::Debug for ResponseFuture<F, B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("session", &self.session).finish_non_exhaustive()
    }
}
