use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::{Error, HttpResponse, ResponseError};
use nexios_middleware_core::{Ending, RequestEnd, RequestSession, SessionError};
use pin_project_lite::pin_project;

use crate::head::Head;
use crate::option;

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
        Ending { ending: Ending, result: Option<Result<ServiceResponse<B>, Error>> },
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
        if let StageProjection::Inner { inner } = this.stage.as_mut().project() {
            let result = ready!(inner.poll(context)).and_then(option::unless_refused);
            let status = match &result {
                Ok(response) => response.status(),
                Err(error) => error.as_response_error().status_code(), // of the response that it will become
            };
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

fn ended<B: MessageBody>(
    result: Result<ServiceResponse<B>, Error>,
    end: RequestEnd,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    match result {
        Ok(response) => {
            let (request, response) = response.into_parts();
            Ok(ServiceResponse::new(request, with_end(response, end)))
        }
        // A middleware inside of ours has failed, and a response is made further out. It counts like any other: below
        // 500 the changes are saved, and the visitor must get the cookie. actix may ask for the response twice.
        Err(mut error) => {
            let failure = end.failure().map(SessionError::status);
            error.add_response_mapper(move |response| with_end(response, end.clone()).map_into_boxed_body());
            match failure {
                None => Err(error),
                Some(status) => Err(Unsaved { error, status }.into()),
            }
        }
    }
}

/// An error whose response becomes that of a failed save.
///
/// actix tells the status of an error without its response mappers. A session middleware further out would save its own
/// session for an answer of 401, say, and the visitor would get a 503.
#[derive(Debug)]
struct Unsaved {
    error: Error,
    status: u16,
}

impl fmt::Display for Unsaved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl ResponseError for Unsaved {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        self.error.error_response()
    }
}

fn with_end<B>(mut response: HttpResponse<B>, end: RequestEnd) -> HttpResponse<EitherBody<B, BoxBody>> {
    match end.apply(&mut Head(&mut response)) {
        None => response.map_into_left_body(),
        Some(body) => response.set_body(BoxBody::new(body)).map_into_right_body(),
    }
}

impl<F, B> fmt::Debug for ResponseFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("session", &self.session).finish_non_exhaustive()
    }
}
