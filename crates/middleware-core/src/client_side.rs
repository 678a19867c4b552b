//! Sessions that their visitors keep, sealed in a cookie.

pub(crate) mod cookie_slot;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use nexios_signer::{KeyRing, Purpose, Sealer, SignedBy};
use nexios_store_core::{Record, Revision, SessionId, Stored, Timestamp};

use crate::client_side::cookie_slot::CookieSlot;
use crate::format::payload::{self, PayloadError};
use crate::request::load::{Found, Opened, Unreadable, open_record};
use crate::services::expiry::MAX_CLOCK_SKEW;
use crate::{SessionError, SessionErrorKind, SessionManager};

/// Seals sessions for their cookie, and opens them.
#[derive(Debug)]
pub(crate) struct Sealed {
    sealer: Sealer,
    cookie_name: Box<str>,
}

impl Sealed {
    pub(crate) fn new(keys: &KeyRing, cookie_name: &str) -> Self {
        Self { sealer: keys.sealer(SEALED_SESSION), cookie_name: cookie_name.into() }
    }

    /// How long a payload may be so that the cookie is one that browsers take.
    pub(crate) fn max_payload_len(&self) -> usize {
        let value_len = MAX_COOKIE_LEN.saturating_sub(self.cookie_name.len());
        (value_len / 4 * 3).saturating_sub(Sealer::OVERHEAD + TIMES_LEN)
    }

    /// The cookie's value: when it was issued, when it expires, and the payload, sealed under the cookie's name.
    pub(crate) fn seal(&self, record: &Record, now: Timestamp) -> Result<String, SessionError> {
        let times = [now, record.expires_at].map(|time| time.as_unix_millis().to_be_bytes()).concat();
        let plaintext = [&times, &*record.payload].concat();
        let sealed = self.sealer.seal(self.cookie_name.as_bytes(), &plaintext).map_err(|error| {
            SessionError::new(SessionErrorKind::Unavailable, "session cannot be sealed").with_source(error)
        })?;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    fn open(&self, value: &[u8]) -> Option<Unsealed> {
        let sealed = URL_SAFE_NO_PAD.decode(value).ok()?;
        let opened = self.sealer.open(self.cookie_name.as_bytes(), &sealed)?;
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
}

struct Unsealed {
    issued_at: Timestamp,
    expires_at: Timestamp,
    payload: Bytes,
    sealed_by: SignedBy,
}

impl SessionManager {
    /// The session that one of the cookies in `header` holds: the first that opens and is live. Its record is put into the
    /// slot.
    pub(crate) fn open_sealed(&self, sealed: &Sealed, header: &[u8], slot: &CookieSlot) -> Result<Found, SessionError> {
        let mut cookie_received = false;
        let candidates = self.cookie().candidates(header).inspect(|_| cookie_received = true);
        let unsealed = candidates.take(MAX_OPENED).filter_map(|value| sealed.open(value));
        let found = unsealed.map(|unsealed| self.open_unsealed(unsealed, slot)).find_map(Result::transpose);
        let found = found.transpose()?.unwrap_or_default();
        Ok(Found { cookie_received, ..found })
    }

    fn open_unsealed(&self, unsealed: Unsealed, slot: &CookieSlot) -> Result<Option<Found>, SessionError> {
        let now = self.now();
        if unsealed.issued_at > now.saturating_add(MAX_CLOCK_SKEW) {
            return Ok(None);
        }
        let (envelope, _) = match payload::decode(&unsealed.payload) {
            Ok(decoded) => decoded,
            Err(error @ PayloadError::Unsupported(_)) => {
                self.counting().unsupported_records.increment();
                return Err(Unreadable::Unsupported(error).into_session_error());
            }
            Err(PayloadError::Corrupt) => return Ok(None),
        };
        // It has no id of its own, and needs none but within this request.
        let id = SessionId::from_bytes(envelope.handle.0.to_be_bytes());
        let principal = envelope.principal.as_deref().map(|principal| self.signers().principal_tag(principal));
        let record = Record { payload: unsealed.payload, expires_at: unsealed.expires_at, principal };
        let stored = Stored { record, revision: Revision::new(1) };
        let Opened::Live(live) = open_record(self, id, &stored, now) else { return Ok(None) };
        let reissue_due = unsealed.sealed_by.is_retired();
        if reissue_due {
            self.note_retired_key();
        }
        slot.hold(id, stored);
        Ok(Some(Found { base: Some(live.base), reissue_due, ..Found::default() }))
    }
}

// A label is for ever: another one closes every cookie that was sealed under it.
const SEALED_SESSION: Purpose = Purpose::new("nexios sealed session");

/// What browsers accept of name and value together (RFC 6265bis, 5.6).
const MAX_COOKIE_LEN: usize = 4096;

/// Two times of eight bytes.
const TIMES_LEN: usize = 16;

/// How many cookies of the session's name are opened. Each may be 4 KB long, and takes a try with each key of the ring.
const MAX_OPENED: usize = 8;
