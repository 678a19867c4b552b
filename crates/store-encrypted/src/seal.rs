//! A payload and its sealed form.

use nexios_signer::{KeyRing, Purpose, Sealer, SignedBy};
use nexios_store_core::{PrincipalTag, Record, Result, SessionId, StoreError};

/// Seals the payloads of records, each for its place. See [`place`].
pub(crate) struct RecordSealer(Sealer);

impl RecordSealer {
    pub(crate) fn new(keys: &KeyRing) -> Self {
        Self(keys.sealer(PURPOSE))
    }

    /// Returns the record as the wrapped store gets it.
    pub(crate) fn seal(&self, id: &SessionId, record: &Record) -> Result<Record> {
        if record.payload.len() > MAX_PAYLOAD_LEN {
            return Err(StoreError::backend(SealProblem::TooLong));
        }
        let sealed =
            self.0.seal(&place(id, record.principal.as_ref()), &record.payload).map_err(StoreError::backend)?;
        Ok(Record { payload: sealed.into(), ..*record })
    }

    /// Returns the record as it was before it was sealed, and the key that sealed it.
    pub(crate) fn open(&self, id: &SessionId, record: &Record) -> Result<(Record, SignedBy)> {
        let sealed = &record.payload;
        if Sealer::is_newer_format(sealed) {
            return Err(StoreError::unsupported(SealProblem::Newer));
        }
        if sealed.len() > MAX_PAYLOAD_LEN + Sealer::OVERHEAD {
            return Err(StoreError::corrupt(SealProblem::SealedTooLong));
        }
        let opened = self.0.open(&place(id, record.principal.as_ref()), sealed);
        let opened = opened.ok_or_else(|| StoreError::no_key(SealProblem::NotOurs))?;
        Ok((Record { payload: opened.plaintext.into(), ..*record }, opened.sealed_by))
    }
}

/// Returns what a payload is bound to: the id of the session, and the principal tag beside it in the record.
///
/// The length is fixed, with a tag and without, so two different places never give the same bytes.
fn place(id: &SessionId, principal: Option<&PrincipalTag>) -> Vec<u8> {
    let id = id.as_bytes();
    principal.map_or_else(|| [&id[..], &[0]].concat(), |tag| [&id[..], &[1], tag.as_bytes()].concat())
}

#[derive(Debug, thiserror::Error)]
enum SealProblem {
    #[error("payload is larger than the 16 MiB that are sealed")]
    TooLong,
    #[error("payload is sealed in a newer format than this program knows")]
    Newer,
    #[error("payload is larger than anything that was sealed")]
    SealedTooLong,
    #[error("no key of ours opens the payload: its key was removed, it was changed or moved here, or was never sealed")]
    NotOurs,
}

// A label must never change: with another one, every record is unreadable.
const PURPOSE: Purpose = Purpose::new("nexios record seal");

/// The largest size that the settings allow for a session.
const MAX_PAYLOAD_LEN: usize = 16 * 1024 * 1024;
