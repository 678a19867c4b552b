use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum_core::body::Body;
use http::{Response, StatusCode};
use nexios_middleware_core::{Ending, RequestEnd, RequestSession};
use pin_project_lite::pin_project;

use crate::ResponseBody;
use crate::head::Head;

pin_project! {
    /// The future of a [`SessionService`](crate::SessionService): the inner response, then the end of the session.
    pub struct ResponseFuture<F, E> {
        session: RequestSession,
        #[pin]
        stage: Stage<F, E>,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<F, E> {
        Inner { #[pin] inner: F },
        Ending { ending: Ending, result: Option<Result<Response<Body>, E>> },
    }
}

impl<F, E> ResponseFuture<F, E> {
    pub(crate) const fn new(inner: F, session: RequestSession) -> Self {
        Self { session, stage: Stage::Inner { inner } }
    }
}

impl<F, B, E> Future for ResponseFuture<F, E>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: ResponseBody,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let StageProjection::Inner { inner } = this.stage.as_mut().project() {
            // A body that is axum's already stays as it is.
            let result = ready!(inner.poll(context)).map(|response| response.map(Body::new));
            let status = result.as_ref().map_or(StatusCode::INTERNAL_SERVER_ERROR, Response::status);
            let mut ending = this.session.end(status.as_u16());
            if let Poll::Ready(end) = Pin::new(&mut ending).poll(context) {
                return Poll::Ready(ended(result, end));
            }
            this.stage.set(Stage::Ending { ending, result: Some(result) });
            return Poll::Pending;
        }
        let StageProjection::Ending { ending, result } = this.stage.project() else { return Poll::Pending };
        let end = ready!(Pin::new(ending).poll(context));
        // Taken once: a future is not polled again after it was ready.
        result.take().map_or(Poll::Pending, |result| Poll::Ready(ended(result, end)))
    }
}

/// A service that has failed has no response, and so no cookie; but a logout before it failed was carried out.
fn ended<E>(result: Result<Response<Body>, E>, end: RequestEnd) -> Result<Response<Body>, E> {
    result.map(|mut response| {
        if let Some(body) = end.apply(&mut Head(&mut response)) {
            *response.body_mut() = body.into();
        }
        response
    })
}

impl<F, E> fmt::Debug for ResponseFuture<F, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("session", &self.session).finish_non_exhaustive()
    }
}
