use std::borrow::Cow;

use axum_core::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use nexios_middleware_core::{ErrorAnswer, Header, ResponseHead};

/// The head of a response of the crate `http`.
pub(crate) struct Head<'r>(pub(crate) &'r mut Response<Body>);

impl ResponseHead for Head<'_> {
    fn set_status(&mut self, status: u16) {
        *self.0.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    }

    fn values(&self, header: Header) -> impl Iterator<Item = &[u8]> {
        self.0.headers().get_all(name(header)).iter().map(HeaderValue::as_bytes)
    }

    fn insert(&mut self, header: Header, value: Cow<'static, str>) {
        if let Some(value) = header_value(value) {
            self.0.headers_mut().insert(name(header), value);
        }
    }

    fn append(&mut self, header: Header, value: String) {
        if let Some(value) = header_value(value.into()) {
            self.0.headers_mut().append(name(header), value);
        }
    }

    fn retain(&mut self, mut keep: impl FnMut(&str, &[u8]) -> bool) {
        let headers = self.0.headers_mut();
        let mut current = None;
        for (name, value) in std::mem::replace(headers, HeaderMap::with_capacity(headers.len())) {
            // Only the first line of a name has it.
            current = name.or(current);
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

const fn name(header: Header) -> HeaderName {
    match header {
        Header::CacheControl => header::CACHE_CONTROL,
        Header::ContentType => header::CONTENT_TYPE,
        Header::RetryAfter => header::RETRY_AFTER,
        Header::SetCookie => header::SET_COOKIE,
        Header::Vary => header::VARY,
    }
}

/// Converts a value without a copy. Those that live for ever are the core's own, and are valid.
fn header_value(text: Cow<'static, str>) -> Option<HeaderValue> {
    match text {
        // The usual two are checked when they are compiled, and not with each response.
        Cow::Borrowed("Cookie") => Some(const { HeaderValue::from_static("Cookie") }),
        Cow::Borrowed("no-store") => Some(const { HeaderValue::from_static("no-store") }),
        Cow::Borrowed(text) => Some(HeaderValue::from_static(text)),
        Cow::Owned(text) => HeaderValue::from_maybe_shared(Bytes::from(text)).ok(),
    }
}
