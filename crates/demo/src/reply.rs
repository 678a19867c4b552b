use nexios_middleware_core::{Session, SessionError, SessionErrorKind};
use serde_json::{Value, json};

/// What an action answers, for any framework.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// An action's reply, or the failure of the session, for which the adapter has an answer of its own.
pub type Result<T = Reply, E = SessionError> = std::result::Result<T, E>;

impl Reply {
    /// Done, and there is nothing to say about it.
    pub fn done() -> Self {
        Self::ok(json!({}))
    }

    /// Done, with this result.
    pub fn ok(body: impl Into<Value>) -> Self {
        Self::json(200, &body.into())
    }

    /// Done, with this text.
    pub const fn text(body: String) -> Self {
        Self { status: 200, content_type: "text/plain; charset=utf-8", body }
    }

    /// Not done, for the visitor's own reason.
    pub fn refused(status: u16, reason: &str) -> Self {
        Self::json(status, &json!({ "error": reason }))
    }

    fn json(status: u16, body: &Value) -> Self {
        Self { status, content_type: "application/json", body: body.to_string() }
    }

    /// The path's key is not text.
    pub fn bad_key() -> Self {
        Self::refused(400, "the key is not valid UTF-8")
    }

    /// The body is over [the limit](crate::MAX_BODY), or did not arrive whole.
    pub fn bad_body(status: u16) -> Self {
        match status {
            413 => Self::refused(413, "the body is larger than 64 KiB"),
            _ => Self::refused(400, "the body could not be read"),
        }
    }

    /// What a visitor can do about a failed change to the session, if anything. Nothing of it is kept.
    pub(crate) fn for_failed_change(session: &Session, error: SessionError) -> Result {
        session.discard();
        match error.kind() {
            SessionErrorKind::TooLarge => Ok(Self::refused(413, "the session would exceed its maximum size")),
            SessionErrorKind::Gone => Ok(Self::refused(409, "the session was ended by another request")),
            _ => Err(error),
        }
    }
}
