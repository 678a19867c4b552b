use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

/// The body of an answer that says that a session failed.
///
/// Without one, such an answer is empty. Set one with
/// [`SessionManagerBuilder::failure_body`](crate::SessionManagerBuilder::failure_body) if your clients expect all
/// failures in one format.
///
/// # Examples
///
/// Problem details for an API (RFC 9457):
///
/// ```
/// use nexios_middleware_core::FailureBody;
///
/// fn problem(status: u16) -> FailureBody {
///     let title = if status == 503 { "The service is busy" } else { "The session could not be saved" };
///     let body = format!(r#"{{"type":"about:blank","title":"{title}","status":{status}}}"#);
///     FailureBody::new("application/problem+json", body)
/// }
///
/// assert_eq!(problem(503).content_type(), "application/problem+json");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureBody {
    content_type: String,
    bytes: Bytes,
}

impl FailureBody {
    /// Makes a body of this media type.
    ///
    /// The type is not checked here. If it is no valid header value, the answer goes out without `Content-Type`.
    pub fn new(content_type: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self { content_type: content_type.into(), bytes: bytes.into() }
    }

    /// Returns the value of the `Content-Type` header.
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// Returns the media type and the bytes.
    pub(crate) fn into_parts(self) -> (String, Bytes) {
        (self.content_type, self.bytes)
    }
}

/// The function that makes the body of an answer that says that a session failed, given the answer's status.
#[derive(Clone)]
pub(crate) struct FailureBodies(Arc<dyn Fn(u16) -> FailureBody + Send + Sync>);

impl FailureBodies {
    pub(crate) fn new(make: impl Fn(u16) -> FailureBody + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }

    pub(crate) fn make(&self, status: u16) -> FailureBody {
        (self.0)(status)
    }
}

impl fmt::Debug for FailureBodies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FailureBodies")
    }
}
