//! The error of a session, which every room may return.
use std::any::type_name;
use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use nexios_store_core::{BoxError, StoreError, StoreErrorKind};

use crate::events::{self, Event};

/// An error of a session, which could not be loaded, changed or saved.
///
/// Return it from a handler: `?` works on every call of a session. As an answer to a request, the error is its
/// [status](Self::status) and nothing more; in an outage of the store that is a 503 with `Retry-After`.
///
/// To act on it, look at its [`kind`](Self::kind). The message and the [source](Error::source) say what happened, for
/// the log. Neither contains a session id, a secret or a value, unless you put it there: what
/// [`try_update`](crate::Session::try_update) refuses, it refuses in your words. If a value cannot be read or written,
/// the message names its key and its type.
///
/// # Examples
///
/// ```
/// # use nexios_middleware_core::SessionManager;
/// # use nexios_signer::{Key, KeyRing};
/// # use nexios_store_memory::MemoryStore;
/// use nexios_middleware_core::SessionErrorKind;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let manager = SessionManager::builder(MemoryStore::new()).keys(KeyRing::new(Key::generate()?)).build()?;
/// # let session = manager.request([b""]).session().await?;
/// session.insert("age", "a text")?;
/// let error = session.get::<u32>("age").unwrap_err();
/// assert_eq!((error.kind(), error.status()), (SessionErrorKind::InvalidValue, 500));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SessionError {
    kind: SessionErrorKind,
    message: Cow<'static, str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
    /// The event in the store that the error stems from, for the caller that notes it.
    event: Option<Event>,
    revocation: Option<Revocation>,
    /// The request has used up what was not there any more, so its answer must not stand.
    took_what_ended: bool,
}

/// The progress of a revocation that is not complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revocation {
    /// The number of sessions that have ended.
    pub ended: usize,
    /// The number of sessions that were found and could not be ended. There may be more that were not found.
    pub failed: usize,
}

/// The meaning of a [`SessionError`] for the caller.
///
/// # Examples
///
/// ```
/// use nexios_middleware_core::{Session, SessionError, SessionErrorKind};
///
/// /// Keeps a draft, and returns whether there was room for it.
/// async fn keep(session: &Session, draft: &str) -> Result<bool, SessionError> {
///     match session.insert("draft", draft) {
///         Ok(()) => session.save().await.map(|()| true),
///         Err(error) if error.kind() == SessionErrorKind::TooLarge => Ok(false),
///         Err(error) => Err(error),
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionErrorKind {
    /// The store failed, or did not answer in time. The visitor's cookie still stands, and another try may succeed.
    Unavailable,
    /// A newer version of this library wrote the session, and should answer instead.
    Unsupported,
    /// A value cannot be encoded, or the stored value of a key is not of the type asked for. Other keys are fine.
    InvalidValue,
    /// The session would exceed its maximum size. It was left as it was.
    TooLarge,
    /// Somebody else ended the session (a logout, a revocation, its expiry), so its changes were dropped.
    Gone,
    /// A save has found that another request had ended the session. It takes no more changes.
    Ended,
    /// The change needs a new cookie, but the head of the response is out, so the visitor cannot be sent one.
    HeadSent,
    /// An earlier `save` took too long or was dropped half-way, so it is not known what the store has.
    Interrupted,
    /// Some of a user's sessions could not be ended, or not all could be found. The others have ended; see
    /// [`revocation`](SessionError::revocation).
    Incomplete,
    /// The user has as many sessions as they may have, so the login did not make another one.
    TooManySessions,
    /// A function that was given to [`try_update`](crate::Session::try_update) has refused the value that it met, so
    /// nothing was changed or saved. The message is the text of its error.
    Refused,
    /// A value that was taken with [`take_once`](crate::Session::take_once) has been taken or changed by another request
    /// meanwhile, so nothing was saved.
    AlreadyTaken,
    /// The application is set up wrongly: a layer is missing, or the store or the cookie cannot do what is asked.
    Misconfigured,
}

impl SessionError {
    /// Returns what the error means for the caller.
    pub const fn kind(&self) -> SessionErrorKind {
        self.kind
    }

    /// Returns the HTTP status for a request that failed for this reason.
    ///
    /// It is 503 if another try may succeed, 409 if the session was ended in the meantime, would be one too many, or has
    /// a value that your changes do not go together with, and 500 otherwise.
    pub const fn status(&self) -> u16 {
        match self.kind {
            SessionErrorKind::Gone
            | SessionErrorKind::TooManySessions
            | SessionErrorKind::Refused
            | SessionErrorKind::AlreadyTaken => 409,
            SessionErrorKind::Unavailable
            | SessionErrorKind::Unsupported
            | SessionErrorKind::Interrupted
            | SessionErrorKind::Incomplete => 503,
            _ => 500,
        }
    }

    /// Returns a value for the `Retry-After` header (RFC 9110, 10.2.3), in seconds, if another try may succeed.
    ///
    /// It differs from call to call, so that those whom an outage has turned away do not all come back at once.
    pub fn retry_after(&self) -> Option<&'static str> {
        (self.status() == 503).then(|| RETRY_AFTER[fastrand::usize(..RETRY_AFTER.len())])
    }

    /// Returns how far a revocation came, where the error is that it is [incomplete](SessionErrorKind::Incomplete).
    pub const fn revocation(&self) -> Option<Revocation> {
        self.revocation
    }

    /// Makes the error of a route whose session layer is missing; `message` says what to add. For adapters.
    ///
    /// The error is logged here, because no manager is there that could hear of it.
    pub fn missing_layer(message: impl Into<Cow<'static, str>>) -> Self {
        let error = Self::misconfigured(message);
        events::tell_missing_layer(&error);
        error
    }

    pub(crate) fn misconfigured(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(SessionErrorKind::Misconfigured, message)
    }

    /// Returns the event in the store that the error stems from, if it stems from there.
    pub(crate) const fn event(&self) -> Option<Event> {
        self.event
    }

    /// Returns the event of a request that was answered with this error.
    pub(crate) const fn answer_event(&self) -> Event {
        if self.status() < 500 { Event::ChangesRefused } else { Event::RequestFailed }
    }

    pub(crate) fn new(kind: SessionErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into(), source: None, event: None, revocation: None, took_what_ended: false }
    }

    pub(crate) fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    pub(crate) const fn with_event(mut self, event: Event) -> Self {
        self.event = Some(event);
        self
    }

    pub(crate) fn incomplete(ended: usize, failed: usize, cause: Self) -> Self {
        let message = format!("{ended} of the user's sessions have ended, {failed} could not be ended");
        let event = cause.event;
        let error = Self::new(SessionErrorKind::Incomplete, message).with_source(cause);
        Self { event, revocation: Some(Revocation { ended, failed }), ..error }
    }

    /// The same error, of which the log has been told.
    pub(crate) fn told(self) -> Self {
        Self { event: None, ..self }
    }

    pub(crate) fn gone() -> Self {
        Self::new(SessionErrorKind::Gone, "session was ended by another request")
    }

    /// The same for a request that has taken something once.
    pub(crate) fn gone_with_taken() -> Self {
        Self { took_what_ended: true, ..Self::gone() }
    }

    /// Returns whether the application's answer stands although the end of its request has failed in this way: somebody
    /// has ended the session in the meantime, and the request's changes are dropped.
    pub(crate) fn lets_answer_stand(&self) -> bool {
        self.kind == SessionErrorKind::Gone && !self.took_what_ended
    }

    /// A value that was taken once, and was not there any more.
    pub(crate) fn already_taken(key: &str) -> Self {
        let message = format!("value of session key `{}` was taken or changed by another request", shown(key));
        Self::new(SessionErrorKind::AlreadyTaken, message)
    }

    pub(crate) fn ended() -> Self {
        Self::new(SessionErrorKind::Ended, "session has ended and takes no changes")
    }

    /// The refusal of the application, in its own words.
    pub(crate) fn refused(reason: BoxError) -> Self {
        Self::new(SessionErrorKind::Refused, reason.to_string()).with_source(reason)
    }

    pub(crate) fn head_sent() -> Self {
        let message = "session needs a new cookie, but the response's head was sent already";
        Self::new(SessionErrorKind::HeadSent, message)
    }

    pub(crate) fn read_only() -> Self {
        let message = "session store did not answer, so the session is empty and takes no changes";
        Self::new(SessionErrorKind::Unavailable, message)
    }

    pub(crate) fn interrupted() -> Self {
        let message = "an earlier save of the session did not finish, so it is not known what was saved";
        Self::new(SessionErrorKind::Interrupted, message)
    }

    pub(crate) fn timed_out(limit: Duration) -> Self {
        Self::new(SessionErrorKind::Unavailable, format!("session store did not answer within {limit:?}"))
            .with_event(Event::StoreTimedOut)
    }

    pub(crate) fn too_large(max_size: usize) -> Self {
        Self::new(SessionErrorKind::TooLarge, format!("session would exceed its maximum size of {max_size} bytes"))
    }

    /// Leaves out the serializer's own error, because it may quote the value.
    pub(crate) fn not_encodable<T: ?Sized>(key: &str) -> Self {
        let message = format!("value for session key `{}` cannot be encoded as {}", shown(key), type_name::<T>());
        Self::new(SessionErrorKind::InvalidValue, message)
    }

    /// Leaves out the deserializer's own error, because it quotes the value.
    pub(crate) fn not_decodable<T>(key: &str) -> Self {
        let message = format!("value of session key `{}` is not a {}", shown(key), type_name::<T>());
        Self::new(SessionErrorKind::InvalidValue, message)
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for SessionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&**self.source.as_ref()?)
    }
}

impl From<StoreError> for SessionError {
    fn from(error: StoreError) -> Self {
        use SessionErrorKind::{Unavailable, Unsupported};
        let (kind, event, message) = match error.kind() {
            StoreErrorKind::Unsupported => (Unsupported, Event::RecordUnsupported, "session is of a newer format"),
            // Loading handles these cases itself. Here, a write has met the record since.
            StoreErrorKind::NoKey => {
                (Unavailable, Event::SealOfUnknownKey, "session cannot be read any more: its key is missing")
            }
            StoreErrorKind::Corrupt => {
                (Unavailable, Event::RecordCorrupt, "session cannot be written over a corrupt record")
            }
            _ => (Unavailable, Event::StoreFailed, "session store did not answer"),
        };
        Self::new(kind, message).with_source(error).with_event(event)
    }
}

/// At least as many seconds as a request waits for the store by default: an earlier try would only wait as well.
const RETRY_AFTER: [&str; 5] = ["5", "6", "7", "8", "9"];

/// Returns a key as it may appear in a message: on one line, and no longer than a line.
fn shown(key: &str) -> String {
    key.chars().take(64).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_says_whether_another_try_may_help() {
        for (kind, status) in [
            (SessionErrorKind::Unavailable, 503),
            (SessionErrorKind::Unsupported, 503),
            (SessionErrorKind::Interrupted, 503),
            (SessionErrorKind::Incomplete, 503),
            (SessionErrorKind::InvalidValue, 500),
            (SessionErrorKind::TooLarge, 500),
            (SessionErrorKind::Gone, 409),
            (SessionErrorKind::TooManySessions, 409),
            (SessionErrorKind::Refused, 409),
            (SessionErrorKind::AlreadyTaken, 409),
            (SessionErrorKind::Ended, 500),
            (SessionErrorKind::Misconfigured, 500),
        ] {
            let error = SessionError::new(kind, "");
            assert_eq!(error.status(), status, "{kind:?}");
            assert_eq!(error.retry_after().is_some(), status == 503, "{kind:?}");
        }
    }

    #[test]
    fn those_who_are_turned_away_come_back_at_different_times() {
        let error = SessionError::new(SessionErrorKind::Unavailable, "");
        let seen: std::collections::BTreeSet<_> = (0..1000).filter_map(|_| error.retry_after()).collect();
        assert_eq!(Vec::from_iter(seen), RETRY_AFTER);
    }

    #[test]
    fn a_key_in_a_message_is_one_short_line() {
        let message = SessionError::not_decodable::<u8>(&"a\n".repeat(1000)).to_string();
        assert!(message.len() < 200 && !message.contains('\n'), "{message}");
    }
}
