//! The room of sessions that their visitors keep, sealed in a cookie.
//!
//! Invariant: [`CookieSlot`](cookie_slot::CookieSlot) makes the cookie look like a store, so that all other rooms treat
//! both kinds of sessions alike.

pub(crate) mod cookie_slot;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use nexios_signer::{KeyRing, Purpose, Sealer, SignedBy};
use nexios_store_core::{Record, Revision, SessionId, Stored, Timestamp};

use crate::error::{SessionError, SessionErrorKind};
use crate::events::Event;
use crate::format::payload::{self, Content};
use crate::records::{self, Live, Opened, Unreadable};
use crate::services::Services;
use crate::services::expiry::MAX_CLOCK_SKEW;

/// Returns the sealer for the cookies of such sessions.
pub(crate) fn sealer(keys: &KeyRing) -> Sealer {
    keys.sealer(SEALED_SESSION)
}

/// Returns the largest length of a payload with which browsers still accept a cookie of this name.
pub(crate) fn max_payload_len(cookie_name: &str) -> usize {
    let value_len = MAX_COOKIE_LEN.saturating_sub(cookie_name.len());
    (value_len / 4 * 3).saturating_sub(Sealer::OVERHEAD + TIMES_LEN)
}

/// Makes the cookie's value: the time of issue, the expiry and the payload, sealed under the cookie's name.
pub(crate) fn seal(
    services: &Services,
    sealer: &Sealer,
    record: &Record,
    now: Timestamp,
) -> Result<String, SessionError> {
    let times = [now, record.expires_at].map(|time| time.as_unix_millis().to_be_bytes()).concat();
    let plaintext = [&times, &*record.payload].concat();
    let sealed = sealer.seal(services.cookie.name().as_bytes(), &plaintext).map_err(|error| {
        SessionError::new(SessionErrorKind::Unavailable, "session cannot be sealed").with_source(error)
    })?;
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

/// A session that a cookie held.
pub(crate) struct Held {
    pub(crate) id: SessionId,
    pub(crate) stored: Stored,
    pub(crate) live: Live,
    pub(crate) sealed_by: SignedBy,
}

/// The content of a request's session cookies.
pub(crate) struct Found {
    /// The first session that opens and is live.
    pub(crate) held: Option<Held>,
    /// There was a cookie of our name, whatever was in it.
    pub(crate) cookie_received: bool,
}

/// Finds the session that one of the cookies in `header` holds, and tells of the others.
pub(crate) fn find(services: &Services, header: &[u8], sealer: &Sealer) -> Result<Found, SessionError> {
    let (mut cookie_received, mut cookie_accepted) = (false, false);
    let candidates = services.cookie.candidates(header).inspect(|_| cookie_received = true);
    let mut held = None;
    for value in candidates.filter(|value| can_be_sealed(value)).take(MAX_OPENED) {
        let Some(unsealed) = unseal(services, sealer, value) else { continue };
        cookie_accepted = true;
        held = open(services, unsealed)?;
        if held.is_some() {
            break;
        }
    }
    if cookie_received && !cookie_accepted {
        services.note(Event::CookieRefused);
    }
    Ok(Found { held, cookie_received })
}

/// Returns whether a value can be one of ours by its length. Values that cannot be do not count.
fn can_be_sealed(value: &[u8]) -> bool {
    let shortest = (Sealer::OVERHEAD + TIMES_LEN) / 3 * 4;
    (shortest..=MAX_COOKIE_LEN).contains(&value.len())
}

struct Unsealed {
    issued_at: Timestamp,
    expires_at: Timestamp,
    payload: Bytes,
    sealed_by: SignedBy,
}

fn unseal(services: &Services, sealer: &Sealer, value: &[u8]) -> Option<Unsealed> {
    let sealed = URL_SAFE_NO_PAD.decode(value).ok()?;
    let opened = sealer.open(services.cookie.name().as_bytes(), &sealed)?;
    let plaintext = Bytes::from(opened.plaintext);
    let (issued_at, rest) = plaintext.split_first_chunk()?;
    let (expires_at, payload) = rest.split_first_chunk()?;
    Some(Unsealed {
        issued_at: Timestamp::from_unix_millis(u64::from_be_bytes(*issued_at)),
        expires_at: Timestamp::from_unix_millis(u64::from_be_bytes(*expires_at)),
        payload: plaintext.slice_ref(payload),
        sealed_by: opened.sealed_by,
    })
}

/// Opens what a cookie held. `None` if it is no session, which is told.
fn open(services: &Services, unsealed: Unsealed) -> Result<Option<Held>, SessionError> {
    let Unsealed { issued_at, expires_at, payload, sealed_by } = unsealed;
    let now = services.now();
    let (envelope, _) = match payload::decode(&payload) {
        Ok(Content::Session(envelope, values)) => (envelope, values),
        Ok(Content::Moved(_) | Content::Ended) => {
            note_unreadable(services, None, Unreadable::Payload("it is of a kind that no cookie holds"));
            return Ok(None);
        }
        Err(error) if error.is_unsupported() => return Err(Unreadable::Unsupported(error).into_error()),
        Err(_) => {
            note_unreadable(services, None, Unreadable::Payload("it does not decode"));
            return Ok(None);
        }
    };
    // The session has no id of its own, and needs one only within this request.
    let id = SessionId::from_bytes(envelope.handle.to_bytes());
    let principal = envelope.principal.as_deref().map(|principal| services.signers.principal_tag(principal));
    let stored = Stored { record: Record { payload, expires_at, principal }, revision: Revision::new(1) };
    let opened = if issued_at > now.saturating_add(MAX_CLOCK_SKEW) {
        Opened::FromFuture
    } else {
        records::open(services, id, &stored, now)
    };
    match opened {
        Opened::Live(live) => return Ok(Some(Held { id, stored, live, sealed_by })),
        Opened::Expired => services.note_session(Event::SessionExpired, &id, None),
        Opened::FromFuture => services.note_session(Event::SessionFromFuture, &id, None),
        Opened::Moved(_) | Opened::Ended => {} // it is neither, as was seen above
        Opened::Unreadable(problem) => note_unreadable(services, Some(&id), problem),
    }
    Ok(None)
}

fn note_unreadable(services: &Services, id: Option<&SessionId>, problem: Unreadable) {
    services.note_error(problem.event(), id, None, &problem.into_error());
}

// A label must never change: another one closes every cookie that was sealed under it.
const SEALED_SESSION: Purpose = Purpose::new("nexios sealed session");

/// The length of name and value together that browsers accept (RFC 6265bis, 5.6).
const MAX_COOKIE_LEN: usize = 4096;

/// Two times of eight bytes.
const TIMES_LEN: usize = 16;

/// The largest number of cookies of the session's name that are opened. Each may be 4 KB long, and is tried with each
/// key of the ring.
const MAX_OPENED: usize = 16;
