use std::cell::{Cell, OnceCell};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, SET_COOKIE, VARY};
use actix_web::{Error, HttpResponse};
use nexios_middleware_core::{RequestEnd, RequestSession, SessionError, SessionHeaders};
use pin_project_lite::pin_project;

use crate::error;

pin_project! {
    /// The future of a [`SessionService`](crate::SessionService): the inner response, then the end of the session.
    pub struct ResponseFuture<F, B> {
        session: RequestSession,
        #[pin]
        stage: Stage<F, B>,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<F, B> {
        Inner { #[pin] inner: F },
        // Boxed, because the core's future has no name; a request that only reads, or does not ask, never gets here.
        Ending { end: Pin<Box<dyn Future<Output = RequestEnd>>>, result: Option<Result<ServiceResponse<B>, Error>> },
    }
}

impl<F, B> ResponseFuture<F, B> {
    pub(crate) const fn new(inner: F, session: RequestSession) -> Self {
        Self { session, stage: Stage::Inner { inner } }
    }
}

impl<F, B> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<EitherBody<B, BoxBody>>, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.stage.as_mut().project() {
                StageProjection::Inner { inner } => {
                    let result = ready!(inner.poll(context));
                    let status = match &result {
                        Ok(response) => response.status(),
                        Err(error) => error.as_response_error().status_code(), // of the response that it will become
                    };
                    let status = status.as_u16();
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
fn ended<B: MessageBody>(
    result: Result<ServiceResponse<B>, Error>,
    end: RequestEnd,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    let response = match result {
        Ok(response) => response,
        Err(error) => return Err(failed(error, end)),
    };
    let mut response = match end.failure() {
        None => response.map_into_left_body(),
        Some(failure) => {
            failure.log();
            let empty = empty(failure.status(), response.headers());
            response.into_response(empty).map_into_right_body()
        }
    };
    let headers = response.headers_mut();
    if let Some(session_headers) = end.headers(lines(headers, VARY), lines(headers, CACHE_CONTROL)) {
        set(headers, session_headers);
    }
    Ok(response)
}

/// The error of a middleware inside of ours, which gets the session's headers when it becomes a response.
///
/// That response counts like any other: below 500 what was changed is saved, and the visitor must get the cookie.
fn failed(mut error: Error, end: RequestEnd) -> Error {
    let failed_save = end.failure().map(SessionError::status);
    if let Some(failure) = end.failure() {
        failure.log();
    }
    // actix may ask for the response more than once.
    let (end, session_headers) = (Cell::new(Some(end)), OnceCell::new());
    error.add_response_mapper(move |mut response| {
        if let Some(status) = failed_save {
            response = empty(status, response.headers());
        }
        let headers = response.headers_mut();
        let session_headers = session_headers.get_or_init(|| {
            end.take().and_then(|end| end.headers(lines(headers, VARY), lines(headers, CACHE_CONTROL)))
        });
        if let Some(session_headers) = session_headers {
            set(headers, session_headers.clone());
        }
        response
    });
    error
}

/// An empty response with those headers of the one it replaces that tell of cookies: another middleware's session may
/// have moved to a new id.
fn empty(status: u16, replaced: &HeaderMap) -> HttpResponse {
    let mut response = HttpResponse::new(error::status(status));
    for name in [SET_COOKIE, CACHE_CONTROL, VARY] {
        for value in replaced.get_all(&name) {
            response.headers_mut().append(name.clone(), value.clone());
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
    if session_headers.set_cookies().next().is_none() {
        return;
    }
    let others: Vec<_> = headers.remove(SET_COOKIE).filter(|line| !session_headers.replaces(line.as_bytes())).collect();
    let ours = session_headers.into_set_cookies().filter_map(|line| HeaderValue::try_from(line).ok());
    for line in others.into_iter().chain(ours) {
        headers.append(SET_COOKIE, line);
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

impl<F, B> fmt::Debug for ResponseFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("session", &self.session).finish_non_exhaustive()
    }
}
