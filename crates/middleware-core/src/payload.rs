//! The payload of a record: a version byte, then `bincode` over the envelope.
//!
//! This is the one file that knows `bincode`, which is no longer maintained (docs/decisions/0003-bincode.md). What is
//! written here is ours to change behind the version byte.

use std::ops::Range;
use std::time::Duration;

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::{BorrowDecode, Encode};
use bytes::Bytes;
use bytestring::ByteString;
use nexios_store_core::Timestamp;

use crate::SessionHandle;
use crate::values::{OutOfPlace, Values};

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

impl From<OutOfPlace> for PayloadError {
    fn from(_: OutOfPlace) -> Self {
        Self::Corrupt
    }
}

pub(crate) fn encode(meta: &Meta, values: &Values) -> Result<Bytes, PayloadError> {
    let envelope = Envelope {
        created_at: meta.created_at.as_unix_millis(),
        authenticated_at: meta.authenticated_at.as_unix_millis(),
        idle_timeout: millis(meta.idle_timeout),
        own_idle_timeout: meta.own.idle_timeout.map(millis),
        own_persistent: meta.own.persistent,
        device: meta.own.device.as_deref(),
        handle: meta.handle.0.to_be_bytes(),
        principal: meta.principal.as_deref(),
    };
    let mut payload = Vec::with_capacity(encoded_len(texts_len(meta), values.encoded_len()));
    payload.push(VERSION);
    bincode::encode_into_std_write(envelope, &mut payload, CONFIG).map_err(|_| PayloadError::Corrupt)?;
    write_len(values.len(), &mut payload)?;
    for (key, value) in values.iter() {
        write_part(key, &mut payload)?;
        write_part(value, &mut payload)?;
    }
    Ok(payload.into())
}

pub(crate) fn decode(payload: &Bytes) -> Result<(Meta, Values), PayloadError> {
    match payload.first() {
        Some(&VERSION) => {}
        None | Some(0) => return Err(PayloadError::Corrupt),
        Some(&newer) => return Err(PayloadError::Unsupported(newer)),
    }
    let mut reader = Reader { payload, at: 1 };
    let envelope: Envelope<'_> = reader.read()?;
    let values = reader.read_values()?;
    if reader.at != payload.len() {
        return Err(PayloadError::Corrupt);
    }
    let text = |text: &str| ByteString::try_from(payload.slice_ref(text.as_bytes())).map_err(|_| PayloadError::Corrupt);
    let meta = Meta {
        created_at: Timestamp::from_unix_millis(envelope.created_at),
        authenticated_at: Timestamp::from_unix_millis(envelope.authenticated_at),
        idle_timeout: Duration::from_millis(envelope.idle_timeout),
        own: Own {
            idle_timeout: envelope.own_idle_timeout.map(Duration::from_millis),
            persistent: envelope.own_persistent,
            device: envelope.device.map(text).transpose()?,
        },
        handle: SessionHandle::from_bytes(envelope.handle),
        principal: envelope.principal.map(text).transpose()?,
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

/// All but the values, which follow it: their number, then each key and its value.
#[derive(Encode, BorrowDecode)]
struct Envelope<'a> {
    created_at: u64,
    authenticated_at: u64,
    idle_timeout: u64,
    own_idle_timeout: Option<u64>,
    own_persistent: Option<bool>,
    device: Option<&'a str>,
    handle: [u8; 16],
    principal: Option<&'a str>,
}

/// A text, or bytes.
fn write_part(part: &[u8], payload: &mut Vec<u8>) -> Result<(), PayloadError> {
    write_len(part.len(), payload)?;
    payload.extend_from_slice(part);
    Ok(())
}

/// As `bincode` encodes the length of a list, a text or bytes. Most are a byte that needs no `bincode`.
fn write_len(len: usize, payload: &mut Vec<u8>) -> Result<(), PayloadError> {
    match u8::try_from(len) {
        Ok(short @ 0..=LAST_SHORT_LEN) => payload.push(short),
        _ => _ = bincode::encode_into_std_write(len as u64, payload, CONFIG).map_err(|_| PayloadError::Corrupt)?,
    }
    Ok(())
}

/// Decodes one thing after another, so that it is known where in the payload each value is.
struct Reader<'a> {
    payload: &'a Bytes,
    at: usize,
}

impl<'a> Reader<'a> {
    fn read<T: BorrowDecode<'a, ()>>(&mut self) -> Result<T, PayloadError> {
        let (read, len) =
            bincode::borrow_decode_from_slice(&self.payload[self.at..], CONFIG).map_err(|_| PayloadError::Corrupt)?;
        self.at += len;
        Ok(read)
    }

    fn read_values(&mut self) -> Result<Values, PayloadError> {
        let count = self.read_len()?;
        // An entry has two lengths of a byte or more, so that a number of entries that cannot be claims no memory.
        if count > (self.payload.len() - self.at) / 2 {
            return Err(PayloadError::Corrupt);
        }
        Values::in_payload(self.payload, count, || {
            let place = self.read_part()?;
            let key = &self.payload[place.clone()];
            // The short way for nearly all keys.
            if !key.is_ascii() && std::str::from_utf8(key).is_err() {
                return Err(PayloadError::Corrupt);
            }
            Ok((place, self.read_part()?))
        })
    }

    /// The place of a text or of bytes.
    #[inline]
    fn read_part(&mut self) -> Result<Range<usize>, PayloadError> {
        let len = self.read_len()?;
        let start = self.at;
        self.at = start.checked_add(len).filter(|end| *end <= self.payload.len()).ok_or(PayloadError::Corrupt)?;
        Ok(start..self.at)
    }

    /// What [`write_len`] writes.
    #[inline]
    fn read_len(&mut self) -> Result<usize, PayloadError> {
        if let Some(&short @ 0..=LAST_SHORT_LEN) = self.payload.get(self.at) {
            self.at += 1;
            return Ok(short.into());
        }
        self.read::<u64>().and_then(|len| usize::try_from(len).map_err(|_| PayloadError::Corrupt))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

const VERSION: u8 = 1;

/// A varint of `bincode` up to this is the byte itself; what is above says how many bytes follow.
const LAST_SHORT_LEN: u8 = 250;

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
        let values = [("cart", &b"\x93\x01\x02\x03"[..]), ("name", b"\xa3Ada")].map(|(key, value)| (key, value.into()));
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

    fn with_values(values: &[(&str, &[u8])]) -> Bytes {
        let (meta, _) = example();
        let mut payload = encode(&meta, &Values::default()).unwrap().to_vec();
        assert_eq!(payload.pop(), Some(0), "there are no values");
        bincode::encode_into_std_write(values, &mut payload, CONFIG).unwrap();
        payload.into()
    }

    #[test]
    fn a_key_that_occurs_twice_or_is_not_in_its_place_is_corrupt() {
        assert!(decode(&with_values(&[("a", b"\x01"), ("b", b"\x02")])).is_ok());
        for second in ["a", "A", ""] {
            let payload = with_values(&[("a", b"\x01"), (second, b"\x02")]);
            assert_eq!(decode(&payload).err(), Some(PayloadError::Corrupt), "{second:?}");
        }
    }

    /// Lengths are written and read without `bincode` where they are short.
    #[test]
    fn values_are_encoded_as_bincode_does_at_every_kind_of_length() {
        let (meta, _) = example();
        for len in [0, 1, 249, 250, 251, 252, 255, 256, 65_535, 65_536] {
            let value = vec![7; len];
            let by_bincode = with_values(&[("key", &value)]);
            let (_, values) = decode(&by_bincode).unwrap();
            assert_eq!(values.get("key"), Some(&value[..]), "{len}");
            assert_eq!(encode(&meta, &values), Ok(by_bincode), "{len}");
        }
        let texts: Vec<String> = (0..300).map(|number| format!("{number:03}")).collect();
        let entries: Vec<(&str, &[u8])> = texts.iter().map(|text| (&**text, text.as_bytes())).collect();
        let by_bincode = with_values(&entries);
        let (_, values) = decode(&by_bincode).unwrap();
        assert_eq!((values.len(), encode(&meta, &values)), (300, Ok(by_bincode)));
    }

    #[test]
    fn a_number_of_values_that_cannot_be_claims_no_memory() {
        let mut payload = with_values(&[]).to_vec();
        payload.pop();
        bincode::encode_into_std_write(u64::MAX, &mut payload, CONFIG).unwrap();
        assert_eq!(decode(&payload.into()).err(), Some(PayloadError::Corrupt));
    }

    #[test]
    fn a_key_that_is_no_text_is_corrupt() {
        let mut payload = with_values(&[("key", b"\x01")]).to_vec();
        let at = payload.windows(3).position(|bytes| bytes == b"key").unwrap();
        payload[at] = 0xff;
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
            entries in prop::collection::btree_map(any::<String>(), prop::collection::vec(any::<u8>(), 0..400), 0..260),
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
            let values: Values = entries.into_iter().map(|(key, value)| (key, value.into())).collect();
            let payload = encode(&meta, &values).unwrap();
            prop_assert!(payload.len() <= encoded_len(texts_len(&meta), values.encoded_len()));
            prop_assert!(decode(&payload).is_ok_and(|decoded| decoded == (meta, values)));
        }
    }
}
