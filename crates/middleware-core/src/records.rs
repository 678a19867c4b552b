//! The room between records and sessions: a record of the store is read into a [`Snapshot`], and a new one is made from
//! an envelope and values.
//!
//! Invariant: a session comes out of a record only through [`open`], which checks the lifetime and the tag. A payload
//! is made only by [`record`], which checks the size.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use nexios_signer::SignedBy;
use nexios_store_core::{Record, Revision, SessionId, Stored, Timestamp};

use crate::error::{SessionError, SessionErrorKind};
use crate::events::Event;
use crate::format::extensions::Extensions;
use crate::format::handle::SessionHandle;
use crate::format::payload::{self, Content, Envelope, Overrides, PayloadError};
use crate::format::values::Values;
use crate::services::Services;

/// A session as the store has it, as far as we know. It is always behind an `Arc`, because it is large and goes through
/// many hands.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub(crate) id: SessionId,
    pub(crate) revision: Revision,
    pub(crate) expires_at: Timestamp,
    pub(crate) envelope: Envelope,
    pub(crate) values: Values,
}

impl Snapshot {
    /// Returns the user that the session belongs to.
    pub(crate) fn principal(&self) -> Option<&str> {
        self.envelope.principal.as_deref()
    }

    /// Returns the largest number of bytes that its payload has.
    pub(crate) fn encoded_len(&self) -> usize {
        payload::encoded_len(payload::parts_len(&self.envelope), self.values.encoded_len())
    }
}

/// The result of reading a record.
pub(crate) enum Opened {
    Live(Live),
    /// The store took the session for live, but by today's settings it has expired.
    Expired,
    /// The session was made later than now.
    FromFuture,
    /// The session has another id now; see [`Content::Moved`].
    Moved(Option<SessionId>),
    /// The session has ended, and the record is about to be deleted.
    Ended,
    Unreadable(Unreadable),
}

pub(crate) struct Live {
    pub(crate) snapshot: Arc<Snapshot>,
    /// The key that has tagged the session's user.
    pub(crate) tagged_by: SignedBy,
}

/// The reason why a record that the store has returned cannot be read.
pub(crate) enum Unreadable {
    /// The payload makes no sense.
    Payload(&'static str),
    Unsupported(PayloadError),
    /// No key of ours has made the tag. The key that has may come back.
    UnknownTag,
}

/// Reads a record, and checks what the store cannot: the session's lifetime, and that the tag belongs to its principal.
pub(crate) fn open(services: &Services, id: SessionId, stored: &Stored, now: Timestamp) -> Opened {
    let (envelope, values) = match payload::decode(&stored.record.payload) {
        Ok(Content::Session(envelope, values)) => (envelope, values),
        Ok(Content::Moved(to)) => return Opened::Moved(to),
        Ok(Content::Ended) => return Opened::Ended,
        Err(error) if error.is_unsupported() => return Opened::Unreadable(Unreadable::Unsupported(error)),
        Err(_) => return Opened::Unreadable(Unreadable::Payload("it does not decode")),
    };
    let tagged_by = match (&envelope.principal, &stored.record.principal) {
        (None, None) => SignedBy::First,
        (Some(principal), Some(tag)) => match services.signers.verify_principal_tag(principal, tag) {
            Some(tagged_by) => tagged_by,
            None => return Opened::Unreadable(Unreadable::UnknownTag),
        },
        _ => return Opened::Unreadable(Unreadable::Payload("only one of payload and record names a principal")),
    };
    if services.expiry.is_from_the_future(&envelope, now) {
        return Opened::FromFuture;
    }
    let expires_at = services.expiry.effective_end(&envelope, stored.record.expires_at);
    if expires_at <= now {
        return Opened::Expired;
    }
    let snapshot = Arc::new(Snapshot { id, revision: stored.revision, expires_at, envelope, values });
    Opened::Live(Live { snapshot, tagged_by })
}

impl Unreadable {
    /// Returns the event that tells of it.
    pub(crate) const fn event(&self) -> Event {
        match self {
            Self::Payload(_) => Event::PayloadUnreadable,
            Self::Unsupported(_) => Event::RecordUnsupported,
            Self::UnknownTag => Event::TagOfUnknownKey,
        }
    }

    /// Makes the error for a record that was readable when the session was loaded.
    pub(crate) fn into_error(self) -> SessionError {
        let event = self.event();
        let error = match self {
            Self::Unsupported(error) => {
                SessionError::new(SessionErrorKind::Unsupported, "session is of a newer format").with_source(error)
            }
            Self::Payload(problem) => unreadable().with_source(problem),
            Self::UnknownTag => unreadable().with_source("no key of ours has tagged its user"),
        };
        error.with_event(event)
    }
}

/// Makes the record of a session with this envelope and these values.
///
/// `present_len` is the length of the stored record. If it is above the maximum, because that was lowered, the new
/// record may be as long.
pub(crate) fn record(
    services: &Services,
    envelope: &Envelope,
    values: &Values,
    present_len: usize,
    now: Timestamp,
) -> Result<Record, SessionError> {
    let payload = payload::encode(envelope, values).map_err(|error| {
        SessionError::new(SessionErrorKind::InvalidValue, "session cannot be encoded").with_source(error)
    })?;
    let max_size = services.settings.max_size.as_bytes();
    if payload.len() > max_size.max(present_len) {
        return Err(SessionError::too_large(max_size));
    }
    Ok(Record {
        payload,
        expires_at: services.expiry.expires_at(envelope, now),
        principal: envelope.principal.as_deref().map(|principal| services.signers.principal_tag(principal)),
    })
}

/// Makes the record that says under its old id that a session has another one.
pub(crate) fn moved(to: Option<SessionId>, now: Timestamp) -> Record {
    Record { payload: payload::encode_moved(to), expires_at: now.saturating_add(MOVED_FOR), principal: None }
}

/// Makes the record of a session that has ended, for the moment until it is deleted.
pub(crate) fn ended(now: Timestamp) -> Record {
    Record { payload: payload::encode_ended(), expires_at: now.saturating_add(MOVED_FOR), principal: None }
}

/// Makes the envelope of a session that begins now.
pub(crate) fn new_envelope(now: Timestamp, handle: SessionHandle) -> Envelope {
    Envelope {
        created_at: now,
        authenticated_at: now,
        idle_timeout: Duration::ZERO, // set with every write
        overrides: Overrides::default(),
        handle,
        principal: None,
        extensions: Extensions::default(),
    }
}

/// Makes a new id.
pub(crate) fn new_id() -> Result<SessionId, SessionError> {
    Ok(SessionId::from_bytes(random()?))
}

/// Makes a new handle.
pub(crate) fn new_handle() -> Result<SessionHandle, SessionError> {
    Ok(SessionHandle::from_bytes(random()?))
}

/// Makes both, for the price of one call of the random generator.
pub(crate) fn new_id_and_handle() -> Result<(SessionId, SessionHandle), SessionError> {
    let bytes: [u8; 32] = random()?;
    let (id, handle) = bytes.as_chunks().0.split_at(1);
    Ok((SessionId::from_bytes(id[0]), SessionHandle::from_bytes(handle[0])))
}

fn random<const N: usize>() -> Result<[u8; N], SessionError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        let message = "the system's random generator failed";
        SessionError::new(SessionErrorKind::Unavailable, message).with_source(io::Error::from(error))
    })?;
    Ok(bytes)
}

/// The time for which an old id is known. A request that was sent with it has arrived by then.
const MOVED_FOR: Duration = Duration::from_secs(60);

fn unreadable() -> SessionError {
    SessionError::new(SessionErrorKind::Unavailable, "session record cannot be read any more")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_and_handles_made_together_differ() {
        let pairs = (0..1000).map(|_| new_id_and_handle().unwrap());
        let both: HashSet<_> = pairs.flat_map(|(id, handle)| [*id.as_bytes(), handle.to_bytes()]).collect();
        assert_eq!(both.len(), 2000);
    }
}
