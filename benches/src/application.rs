//! An application as the cases see it, of either framework.

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::test::TestRequest;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Uri, header};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::Visit;

/// The answer that a visitor gets.
#[derive(Debug)]
pub struct Answer {
    /// The body, as text.
    pub body: String,
    /// The `Cookie` header that the visitor sends from now on, if the answer set cookies.
    pub cookie: Option<String>,
}

/// An application that answers requests.
pub trait Application {
    /// Makes one request and returns all that the visitor sees.
    fn visit<'a>(&'a self, visit: &'a Visit) -> LocalBoxFuture<'a, Answer>;

    /// Makes `operations` requests, one after the other. Only this is measured, and all requests share one box.
    fn repeat<'a>(&'a self, visit: &'a Visit, operations: usize) -> LocalBoxFuture<'a, ()>;
}

impl Application for Router {
    fn visit<'a>(&'a self, visit: &'a Visit) -> LocalBoxFuture<'a, Answer> {
        async move {
            let prepared = AxumVisit::new(visit);
            let response = self.clone().oneshot(prepared.request()).await.expect("a router does not fail");
            assert_eq!(response.status(), 200, "{}", visit.path);
            let cookies = response.headers().get_all(header::SET_COOKIE).iter();
            let cookie = cookie_header(cookies.map(|line| line.to_str().expect("text")));
            let body = response.into_body().collect().await.expect("a body").to_bytes();
            Answer { body: String::from_utf8_lossy(&body).into_owned(), cookie }
        }
        .boxed_local()
    }

    fn repeat<'a>(&'a self, visit: &'a Visit, operations: usize) -> LocalBoxFuture<'a, ()> {
        async move {
            let prepared = AxumVisit::new(visit);
            for _ in 0..operations {
                let response = self.clone().oneshot(prepared.request()).await.expect("a router does not fail");
                assert_eq!(response.status(), 200);
            }
        }
        .boxed_local()
    }
}

struct AxumVisit {
    uri: Uri,
    cookie: Option<HeaderValue>,
}

impl AxumVisit {
    fn new(visit: &Visit) -> Self {
        let cookie = visit.cookie.as_ref().map(|cookie| cookie.parse().expect("a header's value"));
        Self { uri: Uri::from_static(visit.path), cookie }
    }

    fn request(&self) -> Request<Body> {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = self.uri.clone();
        if let Some(cookie) = &self.cookie {
            request.headers_mut().insert(header::COOKIE, cookie.clone());
        }
        request
    }
}

/// A service from `actix_web::test::init_service`.
#[derive(Debug)]
pub(crate) struct Actix<S>(pub(crate) S);

impl<S, B> Application for Actix<S>
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    fn visit<'a>(&'a self, visit: &'a Visit) -> LocalBoxFuture<'a, Answer> {
        async move {
            let response = self.0.call(actix_request(visit)).await.expect("a service does not fail");
            assert_eq!(response.status(), 200, "{}", visit.path);
            let cookies = response.headers().get_all(actix_web::http::header::SET_COOKIE);
            let cookie = cookie_header(cookies.map(|line| line.to_str().expect("text")));
            let body = actix_web::test::read_body(response).await;
            Answer { body: String::from_utf8_lossy(&body).into_owned(), cookie }
        }
        .boxed_local()
    }

    fn repeat<'a>(&'a self, visit: &'a Visit, operations: usize) -> LocalBoxFuture<'a, ()> {
        async move {
            for _ in 0..operations {
                let response = self.0.call(actix_request(visit)).await.expect("a service does not fail");
                assert_eq!(response.status(), 200);
            }
        }
        .boxed_local()
    }
}

fn actix_request(visit: &Visit) -> actix_http::Request {
    let request = TestRequest::get().uri(visit.path);
    let request = match &visit.cookie {
        Some(cookie) => request.insert_header((actix_web::http::header::COOKIE, cookie.as_str())),
        None => request,
    };
    request.to_request()
}

/// Returns the `Cookie` header that a browser sends after these `Set-Cookie` headers.
fn cookie_header<'a>(set_cookies: impl Iterator<Item = &'a str>) -> Option<String> {
    let pairs: Vec<&str> = set_cookies.filter_map(|line| line.split(';').next()).collect();
    (!pairs.is_empty()).then(|| pairs.join("; "))
}
