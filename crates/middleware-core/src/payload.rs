//! The payload of a record: a version byte, then `bincode` over the envelope.
//!
//! This is the one file that knows `bincode`, which is no longer maintained (docs/decisions/0003-bincode.md). What is
//! written here is ours to change behind the version byte.

use std::time::Duration;

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::{BorrowDecode, Encode};
use bytes::Bytes;
use bytestring::ByteString;
use nexios_store_core::Timestamp;

use crate::SessionHandle;
use crate::values::Values;

/// What a session carries beside its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) created_at: Timestamp,
    /// When the visitor last proved who they are; `created_at` until then. The absolute timeout counts from here.
    pub(crate) authenticated_at: Timestamp,
    /// The idle timeout the record was written under, so that a shorter one acts on it at once.
    pub(crate) idle_timeout: Duration,
    pub(crate) own: Own,
    /// A random name for the session that, unlike its id, opens nothing, and that survives a rename.
    pub(crate) handle: SessionHandle,
    pub(crate) principal: Option<ByteString>,
}

/// What a session has decided for itself, against the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Own {
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) persistent: Option<bool>,
    /// What the application calls the device that the session is used on.
    pub(crate) device: Option<ByteString>,
}

/// Why a payload cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PayloadError {
    #[error("session payload does not decode")]
    Corrupt,
    #[error("session payload has format version {0}, this program knows versions up to {VERSION}")]
    Unsupported(u8),
}

pub(crate) fn encode(meta: &Meta, values: &Values) -> Result<Bytes, PayloadError> {
    let wire = Wire {
        created_at: meta.created_at.as_unix_millis(),
        authenticated_at: meta.authenticated_at.as_unix_millis(),
        idle_timeout: millis(meta.idle_timeout),
        own_idle_timeout: meta.own.idle_timeout.map(millis),
        own_persistent: meta.own.persistent,
        device: meta.own.device.as_deref(),
        handle: meta.handle.0.to_be_bytes(),
        principal: meta.principal.as_deref(),
        values: values.iter().map(|(key, value)| (&**key, &**value)).collect(),
    };
    let mut payload = Vec::with_capacity(encoded_len(texts_len(meta), values.encoded_len()));
    payload.push(VERSION);
    bincode::encode_into_std_write(wire, &mut payload, CONFIG).map_err(|_| PayloadError::Corrupt)?;
    Ok(payload.into())
}

pub(crate) fn decode(payload: &Bytes) -> Result<(Meta, Values), PayloadError> {
    let (&version, body) = payload.split_first().ok_or(PayloadError::Corrupt)?;
    match version {
        VERSION => {}
        0 => return Err(PayloadError::Corrupt),
        newer => return Err(PayloadError::Unsupported(newer)),
    }
    let (wire, read): (Wire<'_>, usize) =
        bincode::borrow_decode_from_slice(body, CONFIG).map_err(|_| PayloadError::Corrupt)?;
    if read != body.len() {
        return Err(PayloadError::Corrupt);
    }
    let text = |text: &str| ByteString::try_from(payload.slice_ref(text.as_bytes())).map_err(|_| PayloadError::Corrupt);
    let count = wire.values.len();
    let values = wire.values.iter().map(|(key, value)| Ok((text(key)?, payload.slice_ref(value))));
    let values = values.collect::<Result<Values, _>>()?;
    if values.len() != count {
        return Err(PayloadError::Corrupt); // a key occurs twice
    }
    let meta = Meta {
        created_at: Timestamp::from_unix_millis(wire.created_at),
        authenticated_at: Timestamp::from_unix_millis(wire.authenticated_at),
        idle_timeout: Duration::from_millis(wire.idle_timeout),
        own: Own {
            idle_timeout: wire.own_idle_timeout.map(Duration::from_millis),
            persistent: wire.own_persistent,
            device: wire.device.map(text).transpose()?,
        },
        handle: SessionHandle(u128::from_be_bytes(wire.handle)),
        principal: wire.principal.map(text).transpose()?,
    };
    Ok((meta, values))
}

/// How many bytes a payload has, at most, whose values take `values_len` and whose other texts `texts_len`.
///
/// `bincode`'s own limit works on decoding only, so the size is checked with this before a change is accepted.
pub(crate) const fn encoded_len(texts_len: usize, values_len: usize) -> usize {
    FIXED_FIELDS + texts_len + values_len
}

/// How long the texts of the envelope are, without the values.
pub(crate) fn texts_len(meta: &Meta) -> usize {
    [&meta.principal, &meta.own.device].into_iter().flatten().map(|text| text.len()).sum()
}

#[derive(Encode, BorrowDecode)]
struct Wire<'a> {
    created_at: u64,
    authenticated_at: u64,
    idle_timeout: u64,
    own_idle_timeout: Option<u64>,
    own_persistent: Option<bool>,
    device: Option<&'a str>,
    handle: [u8; 16],
    principal: Option<&'a str>,
    values: Vec<(&'a str, &'a [u8])>,
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

const VERSION: u8 = 1;

/// Version, three times, own idle timeout, own persistence, length of the device, handle, length of the principal,
/// number of values. A `u64` takes up to nine bytes.
const FIXED_FIELDS: usize = 1 + 3 * 9 + (1 + 9) + (1 + 1) + (1 + 9) + 16 + (1 + 9) + 9;

/// The limit is on what decoding allocates, and above what a payload of the largest permitted size needs.
const CONFIG: Configuration<LittleEndian, Varint, Limit<{ 64 * 1024 * 1024 }>> =
    bincode::config::standard().with_limit::<{ 64 * 1024 * 1024 }>();

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn example() -> (Meta, Values) {
        let meta = Meta {
            created_at: Timestamp::from_unix_millis(1_780_000_000_000),
            authenticated_at: Timestamp::from_unix_millis(1_780_000_000_500),
            idle_timeout: Duration::from_secs(1_209_600),
            own: Own {
                idle_timeout: Some(Duration::from_secs(60)),
                persistent: Some(false),
                device: Some("laptop".into()),
            },
            handle: SessionHandle(0x0707_0707_0707_0707_0707_0707_0707_0707),
            principal: Some("ada".into()),
        };
        let values = [("cart", &b"\x93\x01\x02\x03"[..]), ("name", b"\xa3Ada")]
            .map(|(key, value)| (ByteString::from_static(key), Bytes::from_static(value)));
        (meta, values.into_iter().collect())
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        let (meta, values) = example();
        let payload = encode(&meta, &values).unwrap();
        assert_eq!(decode(&payload), Ok((meta, values)));
    }

    /// The format is a promise to every record on disk: this text changes only together with the version byte. A number
    /// below 251 is one byte; larger ones are 251, 252 or 253 and two, four or eight bytes, little-endian.
    #[test]
    fn the_format_is_the_one_on_disk() {
        let (meta, values) = example();
        let hex: String = encode(&meta, &values).unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "01\
             fd008844709e010000fdf48944709e010000fc00081948\
             01fb60ea0100\
             01066c6170746f70\
             07070707070707070707070707070707\
             0103616461\
             0204636172740493010203\
             046e616d6504a3416461"
        );
    }

    #[test]
    fn a_newer_version_is_told_from_damage() {
        assert_eq!(decode(&Bytes::from_static(&[2, 1, 2, 3])).err(), Some(PayloadError::Unsupported(2)));
        assert_eq!(decode(&Bytes::from_static(&[0, 1, 2, 3])).err(), Some(PayloadError::Corrupt));
        assert_eq!(decode(&Bytes::new()).err(), Some(PayloadError::Corrupt));
    }

    #[test]
    fn a_payload_cut_at_any_length_or_with_bytes_after_it_is_corrupt() {
        let (meta, values) = example();
        let payload = encode(&meta, &values).unwrap();
        for length in 0..payload.len() {
            assert_eq!(decode(&payload.slice(..length)).err(), Some(PayloadError::Corrupt), "{length}");
        }
        let longer: Bytes = [&payload[..], b"\0"].concat().into();
        assert_eq!(decode(&longer).err(), Some(PayloadError::Corrupt));
    }

    #[test]
    fn a_key_that_occurs_twice_is_corrupt() {
        let twice = Wire {
            created_at: 0,
            authenticated_at: 0,
            idle_timeout: 0,
            own_idle_timeout: None,
            own_persistent: None,
            device: None,
            handle: [0; 16],
            principal: None,
            values: vec![("a", b"\x01"), ("a", b"\x02")],
        };
        let mut payload = vec![VERSION];
        bincode::encode_into_std_write(twice, &mut payload, CONFIG).unwrap();
        assert_eq!(decode(&payload.into()).err(), Some(PayloadError::Corrupt));
    }

    proptest! {
        #[test]
        fn any_bytes_decode_or_are_an_error(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
            let mut payload = vec![VERSION];
            payload.extend(bytes);
            let _ = decode(&payload.into());
        }

        #[test]
        fn the_announced_size_is_never_exceeded(
            times in any::<[u64; 4]>(),
            persistent in any::<Option<bool>>(),
            texts in any::<[Option<String>; 2]>(),
            entries in prop::collection::btree_map(any::<String>(), prop::collection::vec(any::<u8>(), 0..400), 0..20),
        ) {
            let [principal, device] = texts.map(|text| text.map(Into::into));
            let meta = Meta {
                created_at: Timestamp::from_unix_millis(times[0]),
                authenticated_at: Timestamp::from_unix_millis(times[1]),
                idle_timeout: Duration::from_millis(times[2]),
                own: Own { idle_timeout: Some(Duration::from_millis(times[3])), persistent, device },
                handle: SessionHandle(u128::MAX),
                principal,
            };
            let values: Values = entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
            let payload = encode(&meta, &values).unwrap();
            prop_assert!(payload.len() <= encoded_len(texts_len(&meta), values.encoded_len()));
            prop_assert!(decode(&payload).is_ok_and(|decoded| decoded == (meta, values)));
        }
    }
}
