//! The payload of a record: a byte for the version, a byte for the kind, and what is of that kind. For a session that
//! is `bincode` over the envelope, then the values. For a session that has moved it is the id that it has now, if that
//! is known to those who know the old one. For one that has ended it is nothing.
//!
//! This is the only file that knows `bincode`, which is no longer maintained (docs/decisions/0003-bincode.md). Behind
//! the version byte, the format is ours to change.

use std::time::Duration;

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use bincode::{BorrowDecode, Encode};
use bytes::Bytes;
use bytestring::ByteString;
use nexios_store_core::{SessionId, Timestamp};

use crate::format::extensions::{ExtensionError, Extensions};
use crate::format::handle::SessionHandle;
use crate::format::packed::Malformed;
use crate::format::values::Values;

/// The content of a record.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly all records are sessions, and nobody keeps one in this form")]
pub(crate) enum Content {
    Session(Envelope, Values),
    /// The session has another id now. Where a login has moved it, the new id is not named: whoever knows the old one
    /// may have planted it, and must have no way to the user's session.
    Moved(Option<SessionId>),
    /// The session has ended. Its record is about to be deleted.
    Ended,
}

/// The parts of a session beside its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) created_at: Timestamp,
    /// The time at which the visitor last proved who they are; `created_at` until then. The absolute timeout counts
    /// from here.
    pub(crate) authenticated_at: Timestamp,
    /// The idle timeout under which the record was written, so that a shorter one acts on it at once.
    pub(crate) idle_timeout: Duration,
    pub(crate) overrides: Overrides,
    /// A random name for the session, which unlike the id opens nothing, and which survives a rename.
    pub(crate) handle: SessionHandle,
    pub(crate) principal: Option<ByteString>,
    /// Entries of later versions.
    pub(crate) extensions: Extensions,
}

/// The settings that a session has chosen for itself, against those of the manager.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Overrides {
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) persistent: Option<bool>,
    /// The session ends then, however much it is used.
    pub(crate) deadline: Option<Timestamp>,
    /// The application's name for the device that the session is used on.
    pub(crate) device: Option<ByteString>,
}

/// The reason why a payload cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PayloadError {
    #[error("session payload does not decode")]
    Corrupt,
    #[error("session payload has format version {0:#04x}, this program knows versions up to {VERSION:#04x}")]
    Version(u8),
    #[error("session payload is of kind {0}, which this program does not know")]
    Kind(u8),
    #[error("session payload has extension {0:#06x}, which must be understood and is not known to this program")]
    Extension(u16),
}

impl PayloadError {
    /// Returns whether a newer version of this library would read the payload.
    pub(crate) const fn is_unsupported(self) -> bool {
        !matches!(self, Self::Corrupt)
    }
}

impl From<ExtensionError> for PayloadError {
    fn from(error: ExtensionError) -> Self {
        match error {
            ExtensionError::Malformed => Self::Corrupt,
            ExtensionError::Unknown(tag) => Self::Extension(tag),
        }
    }
}

impl From<Malformed> for PayloadError {
    fn from(_: Malformed) -> Self {
        Self::Corrupt
    }
}

pub(crate) fn encode(envelope: &Envelope, values: &Values) -> Result<Bytes, PayloadError> {
    let wire = Wire {
        extensions: envelope.extensions.area(),
        created_at: envelope.created_at.as_unix_millis(),
        authenticated_at: envelope.authenticated_at.as_unix_millis(),
        idle_timeout: millis(envelope.idle_timeout),
        own_idle_timeout: envelope.overrides.idle_timeout.map_or(0, millis),
        own_persistent: envelope.overrides.persistent,
        deadline: envelope.overrides.deadline.map_or(0, Timestamp::as_unix_millis),
        device: envelope.overrides.device.as_deref(),
        handle: envelope.handle.to_bytes(),
        principal: envelope.principal.as_deref(),
    };
    let mut payload = Vec::with_capacity(encoded_len(parts_len(envelope), values.encoded_len()));
    payload.extend([VERSION, SESSION]);
    bincode::encode_into_std_write(wire, &mut payload, CONFIG).map_err(|_| PayloadError::Corrupt)?;
    values.pack(&mut payload)?;
    Ok(payload.into())
}

/// Makes the payload of a record whose session has moved.
pub(crate) fn encode_moved(to: Option<SessionId>) -> Bytes {
    let mut payload = vec![VERSION, MOVED];
    payload.extend(to.iter().flat_map(SessionId::as_bytes));
    payload.into()
}

/// Makes the payload of a record whose session has ended.
pub(crate) const fn encode_ended() -> Bytes {
    Bytes::from_static(&[VERSION, ENDED])
}

pub(crate) fn decode(payload: &Bytes) -> Result<Content, PayloadError> {
    let body = match **payload {
        [VERSION, SESSION, ref body @ ..] => body,
        [VERSION, ENDED] => return Ok(Content::Ended),
        [VERSION, MOVED] => return Ok(Content::Moved(None)),
        [VERSION, MOVED, ref id @ ..] => {
            let id = id.try_into().map_err(|_| PayloadError::Corrupt)?;
            return Ok(Content::Moved(Some(SessionId::from_bytes(id))));
        }
        [VERSION, kind, ..] => return Err(PayloadError::Kind(kind)),
        [newer, ..] if newer > VERSION => return Err(PayloadError::Version(newer)),
        _ => return Err(PayloadError::Corrupt),
    };
    let (wire, len): (Wire<'_>, usize) =
        bincode::borrow_decode_from_slice(body, CONFIG).map_err(|_| PayloadError::Corrupt)?;
    let values = Values::unpack(payload.slice(payload.len() - body.len() + len..))?;
    let text = |text: &str| ByteString::try_from(payload.slice_ref(text.as_bytes())).map_err(|_| PayloadError::Corrupt);
    let envelope = Envelope {
        created_at: Timestamp::from_unix_millis(wire.created_at),
        authenticated_at: Timestamp::from_unix_millis(wire.authenticated_at),
        idle_timeout: Duration::from_millis(wire.idle_timeout),
        overrides: Overrides {
            idle_timeout: unless_zero(wire.own_idle_timeout).map(Duration::from_millis),
            persistent: wire.own_persistent,
            deadline: unless_zero(wire.deadline).map(Timestamp::from_unix_millis),
            device: wire.device.map(text).transpose()?,
        },
        handle: SessionHandle::from_bytes(wire.handle),
        principal: wire.principal.map(text).transpose()?,
        extensions: match wire.extensions {
            [] => Extensions::default(),
            area => Extensions::open(payload.slice_ref(area))?,
        },
    };
    Ok(Content::Session(envelope, values))
}

/// Returns the largest number of bytes that a payload has whose values take `values_len`, and whose other parts of no
/// fixed length take `parts_len`.
///
/// `bincode`'s own limit works on decoding only, so this checks the size before a change is accepted.
pub(crate) const fn encoded_len(parts_len: usize, values_len: usize) -> usize {
    FIXED_FIELDS + parts_len + values_len
}

/// Returns the length of those parts of an envelope that have no fixed length.
pub(crate) fn parts_len(envelope: &Envelope) -> usize {
    let texts = [&envelope.principal, &envelope.overrides.device];
    texts.into_iter().flatten().map(|text| text.len()).sum::<usize>() + envelope.extensions.area().len()
}

/// The envelope as it is written. The values follow it.
#[derive(Encode, BorrowDecode)]
struct Wire<'a> {
    extensions: &'a [u8],
    created_at: u64,
    authenticated_at: u64,
    idle_timeout: u64,
    /// 0 for none: a timeout has at least a second.
    own_idle_timeout: u64,
    own_persistent: Option<bool>,
    /// 0 for none, which costs less to read than an `Option`: a deadline lies in the future.
    deadline: u64,
    device: Option<&'a str>,
    handle: [u8; 16],
    principal: Option<&'a str>,
}

const fn unless_zero(number: u64) -> Option<u64> {
    if number == 0 { None } else { Some(number) }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Versions begin here. Below are those of seals, so that a sealed payload is never taken for one in the clear, nor the
/// other way round.
const VERSION: u8 = 0x81;

/// The kind of a payload that is a session.
const SESSION: u8 = 0;

/// The kind of a payload whose session has moved.
const MOVED: u8 = 1;

/// The kind of a payload whose session has ended.
const ENDED: u8 = 2;

/// Version and kind, the length of the extensions, three times, the session's own idle timeout, its own persistence,
/// its deadline, the length of the device, the handle, the length of the principal.
const FIXED_FIELDS: usize = 2 + 8 + 3 * 8 + 8 + (1 + 1) + 8 + (1 + 8) + 16 + (1 + 8);

/// The limit is on the memory that decoding allocates. It is more than a payload of the largest permitted size needs.
const CONFIG: Configuration<LittleEndian, Fixint, Limit<{ 64 * 1024 * 1024 }>> =
    bincode::config::standard().with_fixed_int_encoding().with_limit::<{ 64 * 1024 * 1024 }>();

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn example() -> (Envelope, Values) {
        let envelope = Envelope {
            created_at: Timestamp::from_unix_millis(1_780_000_000_000),
            authenticated_at: Timestamp::from_unix_millis(1_780_000_000_500),
            idle_timeout: Duration::from_secs(1_209_600),
            overrides: Overrides {
                idle_timeout: Some(Duration::from_secs(60)),
                persistent: Some(false),
                deadline: Some(Timestamp::from_unix_millis(1_790_000_000_000)),
                device: Some("laptop".into()),
            },
            handle: SessionHandle(0x0707_0707_0707_0707_0707_0707_0707_0707),
            principal: Some("ada".into()),
            extensions: Extensions::open(Bytes::from_static(b"\x07\0\x03\0\0\0new")).unwrap(),
        };
        let values = [("cart", &b"\x93\x01\x02\x03"[..]), ("name", b"\xa3Ada")].map(|(key, value)| (key, value.into()));
        (envelope, values.into_iter().collect())
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        let (envelope, values) = example();
        let payload = encode(&envelope, &values).unwrap();
        assert_eq!(decode(&payload), Ok(Content::Session(envelope, values)));
    }

    /// The format is a promise to every record on disk: this text changes only together with the version byte. All
    /// numbers are little-endian. The numbers of the envelope have eight bytes; those of the values, which `packed.rs`
    /// describes, have four.
    #[test]
    fn the_format_is_the_one_on_disk() {
        let (envelope, values) = example();
        let hex: String = encode(&envelope, &values).unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "8100\
             09000000000000000700030000006e6577\
             008844709e010000f48944709e0100000008194800000000\
             60ea000000000000\
             0100\
             006c50c4a0010000\
             0106000000000000006c6170746f70\
             07070707070707070707070707070707\
             010300000000000000616461\
             02000000\
             04000000080000000c00000010000000\
             6361727493010203\
             6e616d65a3416461"
        );
    }

    /// The format is a promise, like that of a session.
    #[test]
    fn a_record_can_say_that_its_session_has_moved_or_ended() {
        let id = SessionId::from_bytes([7; 16]);
        assert_eq!(*encode_moved(Some(id)), [&[0x81, 1][..], &[7; 16]].concat());
        assert_eq!(decode(&encode_moved(Some(id))), Ok(Content::Moved(Some(id))));
        assert_eq!(decode(&encode_moved(None)), Ok(Content::Moved(None)));
        assert_eq!((decode(&encode_ended()), &*encode_ended()), (Ok(Content::Ended), &[0x81, 2][..]));
        for length in [1, 15, 17] {
            let payload = [&[0x81, 1][..], &[7; 17][..length]].concat();
            assert_eq!(decode(&payload.into()), Err(PayloadError::Corrupt), "{length}");
        }
    }

    #[test]
    fn a_newer_version_is_told_from_damage() {
        assert_eq!(decode(&Bytes::from_static(&[0x82, 1, 2, 3])).err(), Some(PayloadError::Version(0x82)));
        assert_eq!(decode(&Bytes::from_static(&[0x81, 3, 2, 3])).err(), Some(PayloadError::Kind(3)));
        assert_eq!(decode(&Bytes::from_static(&[1, 1, 2, 3])).err(), Some(PayloadError::Corrupt), "of a seal");
        assert_eq!(decode(&Bytes::new()).err(), Some(PayloadError::Corrupt));
    }

    #[test]
    fn a_payload_cut_short_or_with_bytes_after_it_is_corrupt() {
        let (envelope, values) = example();
        let payload = encode(&envelope, &values).unwrap();
        for length in 0..payload.len() {
            assert_eq!(decode(&payload.slice(..length)).err(), Some(PayloadError::Corrupt), "{length}");
        }
        let longer: Bytes = [&payload[..], b"\0"].concat().into();
        assert_eq!(decode(&longer).err(), Some(PayloadError::Corrupt));
    }

    #[test]
    fn an_extension_that_must_be_understood_is_told_from_damage() {
        let (envelope, values) = example();
        let mut payload = encode(&envelope, &values).unwrap().to_vec();
        let tag = payload.windows(9).position(|bytes| bytes == b"\x07\0\x03\0\0\0new").unwrap();
        payload[tag + 1] = 0x80;
        assert_eq!(decode(&payload.into()).err(), Some(PayloadError::Extension(0x8007)));
    }

    /// A load does not notice such damage, because it reads no more of the values than it is asked for.
    #[test]
    fn a_payload_with_a_damaged_table_is_not_written_over() {
        let (envelope, values) = example();
        let mut payload = encode(&envelope, &values).unwrap().to_vec();
        let table = payload.windows(8).position(|bytes| bytes == b"\x04\0\0\0\x08\0\0\0").unwrap();
        payload[table] = 0xff;
        let Ok(Content::Session(_, mut values)) = decode(&payload.into()) else { panic!("it is a session") };
        assert_eq!(values.get("cart"), None);
        values.insert("name", b"\xa3Eve"[..].into());
        assert_eq!(encode(&envelope, &values), Err(PayloadError::Corrupt));
    }

    proptest! {
        #[test]
        fn any_bytes_decode_or_are_an_error(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
            let mut payload = vec![VERSION, SESSION];
            payload.extend(bytes);
            let _ = decode(&payload.into());
        }

        #[test]
        fn the_announced_size_is_never_exceeded(
            times in any::<[u64; 4]>(),
            persistent in any::<Option<bool>>(),
            deadline in any::<Option<u64>>(),
            texts in any::<[Option<String>; 2]>(),
            entries in prop::collection::btree_map(any::<String>(), prop::collection::vec(any::<u8>(), 0..400), 0..40),
        ) {
            let [principal, device] = texts.map(|text| text.map(Into::into));
            let envelope = Envelope {
                created_at: Timestamp::from_unix_millis(times[0]),
                authenticated_at: Timestamp::from_unix_millis(times[1]),
                idle_timeout: Duration::from_millis(times[2]),
                overrides: Overrides {
                    idle_timeout: Some(Duration::from_millis(times[3].max(1))),
                    persistent,
                    deadline: deadline.map(|deadline| Timestamp::from_unix_millis(deadline.max(1))),
                    device,
                },
                handle: SessionHandle(u128::MAX),
                principal,
                extensions: Extensions::default(),
            };
            let values: Values = entries.into_iter().map(|(key, value)| (key, value.into())).collect();
            let payload = encode(&envelope, &values).unwrap();
            prop_assert!(payload.len() <= encoded_len(parts_len(&envelope), values.encoded_len()));
            prop_assert_eq!(decode(&payload), Ok(Content::Session(envelope, values)));
        }
    }
}
