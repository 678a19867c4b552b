use nexios_middleware_core::{Session, SessionError, SessionErrorKind};
use serde_json::{Value, json};

/// The answer of an action, in a form that fits any framework.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The media type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// The result of an action: a reply, or a failure of the session, to which the adapter has an answer of its own.
pub type Result<T = Reply, E = SessionError> = std::result::Result<T, E>;

impl Reply {
    /// Makes the reply to an action that succeeded and has nothing to return: an empty JSON object.
    pub fn done() -> Self {
        Self::ok(json!({}))
    }

    /// Makes the reply to an action that succeeded, with this JSON value.
    pub fn ok(body: impl Into<Value>) -> Self {
        Self::json(200, &body.into())
    }

    /// Makes the reply to an action that succeeded, with this plain text.
    pub const fn text(body: String) -> Self {
        Self { status: 200, content_type: "text/plain; charset=utf-8", body }
    }

    /// Makes the reply to a request that is refused, with this status and reason.
    pub fn refused(status: u16, reason: &str) -> Self {
        Self::json(status, &json!({ "error": reason }))
    }

    /// Makes a reply with this status and JSON value.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self { status, content_type: "application/json", body: body.to_string() }
    }

    /// Makes the reply to a path whose key is not UTF-8.
    pub fn bad_key() -> Self {
        Self::refused(400, "the key is not valid UTF-8")
    }

    /// Makes the reply to a body that is over [the limit](crate::MAX_BODY), or that could not be read.
    pub fn bad_body(status: u16) -> Self {
        match status {
            413 => Self::refused(413, "the body is larger than 64 KiB"),
            _ => Self::refused(400, "the body could not be read"),
        }
    }

    /// Drops the changes that failed, and makes a reply of the failures about which a visitor can do something. Other
    /// failures stay errors, and the adapter answers them.
    pub(crate) fn for_failed_change(session: &Session, error: SessionError) -> Result {
        session.discard();
        match error.kind() {
            SessionErrorKind::TooLarge => Ok(Self::refused(413, "the session would exceed its maximum size")),
            SessionErrorKind::Gone => Ok(Self::refused(409, "the session was ended by another request")),
            _ => Err(error),
        }
    }
}
