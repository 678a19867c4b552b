use nexios_middleware_core::{SessionError, SessionErrorKind};
use serde_json::{Value, json};

/// What an action answers, for any framework: a status and a JSON body.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body, of type `application/json`.
    pub body: Value,
}

/// An action's reply, or the failure of the session, for which the adapter has an answer of its own.
pub type Result<T = Reply, E = SessionError> = std::result::Result<T, E>;

impl Reply {
    /// Done, and there is nothing to say about it.
    pub fn done() -> Self {
        Self::ok(json!({}))
    }

    /// Done, with this result.
    pub const fn ok(body: Value) -> Self {
        Self { status: 200, body }
    }

    /// Not done, for the visitor's own reason.
    pub fn refused(status: u16, reason: &str) -> Self {
        Self { status, body: json!({ "error": reason }) }
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

    /// What a visitor can do about a failed change to the session, if anything: send less.
    pub(crate) fn for_failed_change(error: SessionError) -> Result {
        match error.kind() {
            SessionErrorKind::TooLarge => Ok(Self::refused(413, "the session would exceed its maximum size")),
            _ => Err(error),
        }
    }
}
