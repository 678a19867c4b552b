//! From the candidates of a `Cookie` header to a live session.

use std::sync::Arc;

use nexios_signer::SignedBy;
use nexios_store_core::{BoxError, SessionId, StoreErrorKind, Stored, Timestamp};

use crate::format::payload::{self, PayloadError};
use crate::services::signers::COOKIE_VALUE_LEN;
use crate::state::Snapshot;
use crate::{SessionError, SessionErrorKind, SessionManager};

impl SessionManager {
    /// Finds the session that one of the cookies in `header` opens: the first that verifies and whose record is live.
    ///
    /// A cookie that opens nothing is passed over, so a forged or stale one (of another path or domain, say) hides
    /// no good one. The work is bounded, whatever the header holds.
    pub(crate) async fn load(&self, header: &[u8]) -> Result<Found, SessionError> {
        let mut cookie_received = false;
        let candidates = self
            .cookie()
            .candidates(header)
            .inspect(|_| cookie_received = true)
            .enumerate()
            .filter(|(_, value)| value.len() == COOKIE_VALUE_LEN)
            .take(MAX_VERIFICATIONS)
            .filter_map(|(place, value)| Some((place, self.signers().open_cookie_value(value)?)));
        let mut tried = [None; MAX_LOADS];
        let mut loads = 0;
        for (place, (id, signed_by)) in candidates {
            if tried.contains(&Some(id)) {
                continue;
            }
            let Some(free) = tried.get_mut(loads) else { break };
            *free = Some(id);
            loads += 1;
            if let Some(opened) = self.load_id(id).await? {
                if signed_by.is_retired() || opened.tagged_by_retired_key {
                    self.note_retired_key();
                }
                return Ok(Found {
                    base: Some(opened.base),
                    opened_by: (!signed_by.is_retired()).then_some(Opener { place, id }),
                    reissue_due: signed_by.is_retired(),
                    retag_due: opened.tagged_by_retired_key,
                    cookie_received: true,
                    read_only: false,
                });
            }
        }
        Ok(Found { cookie_received, ..Found::default() })
    }

    async fn load_id(&self, id: SessionId) -> Result<Option<Live>, SessionError> {
        let now = self.now();
        let unreadable = match self.store().load(&id, now).await {
            Ok(None) => {
                // Strict mode: the visitor gets a new id if a session is to be made. This one is never adopted.
                tracing::debug!(session = %self.signers().fingerprint(&id), "session is not known, or has expired");
                return Ok(None);
            }
            Ok(Some(stored)) => match open_record(self, id, &stored, now) {
                Opened::Live(live) => return Ok(Some(live)),
                Opened::Expired => {
                    tracing::debug!(session = %self.signers().fingerprint(&id), "session has expired");
                    return Ok(None);
                }
                Opened::Unreadable(unreadable) => unreadable,
            },
            Err(error) => match error.kind() {
                StoreErrorKind::Corrupt => Unreadable::Record(error.into()),
                StoreErrorKind::Unsupported => {
                    self.counting().unsupported_records.increment();
                    return Err(error.into());
                }
                _ => {
                    self.counting().store_failures.increment();
                    return Err(error.into());
                }
            },
        };
        // Boxed, so that the future of every request has no room for what is rare.
        Box::pin(self.pass_over(&id, unreadable)).await?;
        Ok(None)
    }

    /// Lets the visitor go on without a session that cannot be read, unless it is one of a newer format.
    async fn pass_over(&self, id: &SessionId, unreadable: Unreadable) -> Result<(), SessionError> {
        let session = self.signers().fingerprint(id);
        match unreadable {
            Unreadable::Unsupported(_) => {
                self.counting().unsupported_records.increment();
                return Err(unreadable.into_session_error());
            }
            Unreadable::ForeignTag => {
                self.counting().corrupt_records.increment();
                tracing::error!(%session, "principal of the session was tagged by no key of ours; it is left where it is");
            }
            // The record is as it was written, so the store has no reason to set it aside.
            Unreadable::Payload(error) => {
                self.counting().corrupt_records.increment();
                tracing::error!(%session, error, "session payload cannot be read; the record is left where it is");
            }
            Unreadable::Record(error) => {
                self.counting().corrupt_records.increment();
                tracing::error!(%session, error = &*error as &dyn std::error::Error, "session record is corrupt");
                if let Err(error) = self.store().set_aside(id).await {
                    tracing::error!(%session, error = &error as &dyn std::error::Error, "corrupt session record could not be set aside");
                }
            }
        }
        Ok(())
    }
}

/// What was found by a request's cookies.
#[derive(Default)]
pub(crate) struct Found {
    /// The session, if one of them has opened one.
    pub(crate) base: Option<Arc<Snapshot>>,
    /// Which of the candidates did, if the first key signed it.
    pub(crate) opened_by: Option<Opener>,
    /// An old key signed it.
    pub(crate) reissue_due: bool,
    /// An old key made the record's principal tag.
    pub(crate) retag_due: bool,
    /// There was a cookie of our name, whatever was in it.
    pub(crate) cookie_received: bool,
    /// The store did not answer, and the application goes on all the same.
    pub(crate) read_only: bool,
}

/// The candidate of a request's cookies that has opened the session.
#[derive(Clone, Copy)]
pub(crate) struct Opener {
    pub(crate) place: usize,
    /// What it vouches for.
    pub(crate) id: SessionId,
}

/// A record that was read.
pub(crate) enum Opened {
    Live(Live),
    /// The store took it for live; by today's settings it is not.
    Expired,
    Unreadable(Unreadable),
}

pub(crate) struct Live {
    pub(crate) base: Arc<Snapshot>,
    pub(crate) tagged_by_retired_key: bool,
}

pub(crate) enum Unreadable {
    /// The store says that the record is damaged.
    Record(BoxError),
    /// The store has returned what was written, and it makes no sense.
    Payload(&'static str),
    Unsupported(PayloadError),
    /// The tag may have been made by a key that comes back.
    ForeignTag,
}

/// Reads a record, and checks what the store cannot: its lifetime, and that its tag is that of its principal.
pub(crate) fn open_record(manager: &SessionManager, id: SessionId, stored: &Stored, now: Timestamp) -> Opened {
    let (envelope, values) = match payload::decode(&stored.record.payload) {
        Ok(decoded) => decoded,
        Err(error @ PayloadError::Unsupported(_)) => return Opened::Unreadable(Unreadable::Unsupported(error)),
        Err(PayloadError::Corrupt) => return Opened::Unreadable(Unreadable::Payload("it does not decode")),
    };
    let signed_by = match (&envelope.principal, &stored.record.principal) {
        (None, None) => SignedBy::First,
        (Some(principal), Some(tag)) => match manager.signers().verify_principal_tag(principal, tag) {
            Some(signed_by) => signed_by,
            None => return Opened::Unreadable(Unreadable::ForeignTag),
        },
        _ => return Opened::Unreadable(Unreadable::Payload("only one of payload and record names a principal")),
    };
    if manager.lifetime().is_from_the_future(&envelope, now) {
        tracing::warn!(
            session = %manager.signers().fingerprint(&id),
            "session was made in the future and does not count until then; was the clock set back?"
        );
        return Opened::Expired;
    }
    let expires_at = manager.lifetime().effective_end(&envelope, stored.record.expires_at);
    if expires_at <= now {
        return Opened::Expired;
    }
    Opened::Live(Live {
        base: Arc::new(Snapshot { id, revision: stored.revision, expires_at, envelope, values }),
        tagged_by_retired_key: signed_by.is_retired(),
    })
}

impl Unreadable {
    /// For a record that was readable when the session was loaded.
    pub(crate) fn into_session_error(self) -> SessionError {
        let unavailable = SessionError::new(SessionErrorKind::Unavailable, "session record cannot be read any more");
        match self {
            Self::Unsupported(error) => {
                SessionError::new(SessionErrorKind::Unsupported, "session is of a newer format").with_source(error)
            }
            Self::Record(error) => unavailable.with_source(error),
            Self::Payload(_) | Self::ForeignTag => unavailable,
        }
    }
}

/// How many cookies of the session's name are verified. Browsers keep about fifty cookies a domain.
const MAX_VERIFICATIONS: usize = 64;

/// How many verified cookies are looked up.
const MAX_LOADS: usize = 4;
