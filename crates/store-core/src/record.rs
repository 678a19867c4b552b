use std::fmt;

use bytes::Bytes;

use crate::Timestamp;

/// The record that a store keeps under a session id.
///
/// # Examples
///
/// ```
/// use nexios_store_core::{Record, Timestamp};
///
/// let expires_at = Timestamp::from_unix_millis(2_000);
/// let record = Record { payload: "opaque".into(), expires_at, principal: None };
/// assert!(!record.is_expired(Timestamp::from_unix_millis(1_999)));
/// assert!(record.is_expired(expires_at));
/// assert!(!format!("{record:?}").contains("opaque"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The content of the session. It is opaque to the store, which keeps and returns it byte for byte.
    pub payload: Bytes,
    /// The time at which the session ends. From this moment on, every method of the store treats the record as absent.
    pub expires_at: Timestamp,
    /// The user whose session it is, for stores with a [`PrincipalIndex`](crate::PrincipalIndex). `None` if nobody is
    /// logged in.
    pub principal: Option<PrincipalTag>,
}

impl Record {
    /// Returns `true` if the session has ended at the time `now`.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("payload_len", &self.payload.len())
            .field("expires_at", &self.expires_at)
            .field("principal", &self.principal)
            .finish()
    }
}

/// A record together with the revision at which it was read.
///
/// # Examples
///
/// ```
/// use nexios_store_core::{Record, SessionId, SessionStore, Timestamp, UpdateOutcome};
///
/// /// Doubles the payload, unless another writer is faster.
/// async fn double(store: &dyn SessionStore, id: &SessionId, now: Timestamp) -> nexios_store_core::Result<()> {
///     if let Some(stored) = store.load(id, now).await? {
///         let payload = stored.record.payload.repeat(2).into();
///         let record = Record { payload, ..stored.record };
///         let _: UpdateOutcome = store.update(id, stored.revision, &record, now).await?;
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The record as it was stored.
    pub record: Record,
    /// The version of the record. Pass it to [`update`](crate::SessionStore::update),
    /// [`rename`](crate::SessionStore::rename) or [`touch`](crate::SessionStore::touch) to change exactly this
    /// version.
    pub revision: Revision,
}

/// The version of a record, by which a store tells whether another writer came first (compare-and-swap).
///
/// A store never gives the same revision to two versions under one id, not even if the id was deleted in between.
///
/// # Examples
///
/// ```
/// use nexios_store_core::Revision;
///
/// let (first, second) = (Revision::new(1), Revision::new(2));
/// assert!(first < second);
/// assert_eq!(second.as_u64(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Revision(u64);

impl Revision {
    /// Makes the revision with this number. Only a store has a reason to do so.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number, for the store to keep.
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

/// An opaque keyed hash of the user to whom a session belongs.
///
/// All sessions of a user have the same tag under the same key. Without the key, the tag says nothing about the user's
/// name.
///
/// # Examples
///
/// ```
/// use nexios_store_core::PrincipalTag;
///
/// let tag = PrincipalTag::from_bytes([7; 32]);
/// assert_eq!(tag.as_bytes(), &[7; 32]);
/// assert_eq!(format!("{tag:?}"), "PrincipalTag(..)");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PrincipalTag([u8; 32]);

impl PrincipalTag {
    /// Makes the tag with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes, for the store to keep.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for PrincipalTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrincipalTag(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_ends_at_its_expiry_not_after_it() {
        let noon = Timestamp::from_unix_millis(1_000);
        let record = Record { payload: Bytes::new(), expires_at: noon, principal: None };
        assert!(!record.is_expired(Timestamp::from_unix_millis(999)));
        assert!(record.is_expired(noon));
    }

    #[test]
    fn debug_shows_neither_payload_nor_tag() {
        let record = Record {
            payload: Bytes::from_static(b"hush"),
            expires_at: Timestamp::MAX,
            principal: Some(PrincipalTag::from_bytes([7; 32])),
        };
        let shown = format!("{:?}", Stored { record, revision: Revision::new(1) });
        assert!(shown.contains("payload_len: 4") && shown.contains("PrincipalTag(..)"), "{shown}");
        assert!(!shown.contains("hush") && !shown.contains("7, 7"), "{shown}");
    }
}
