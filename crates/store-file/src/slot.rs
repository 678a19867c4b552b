//! The bytes of one slot of a record file.
//!
//! Integers are little-endian.
//!
//! | bytes | field | remark |
//! | --- | --- | --- |
//! | 0..4 | magic `NXSF` | |
//! | 4..6 | format version | 1; the store leaves higher versions alone |
//! | 6..8 | flags | bit 0: has a principal |
//! | 8..16 | reserved | zero |
//! | 16..32 | expiry cell | `expires_at`, crc32 over id, revision and `expires_at`, four zero bytes |
//! | 32..40 | revision | never 0 |
//! | 40..56 | session id | so a record that was copied to another name counts as damaged |
//! | 56..88 | principal tag | zeros if there is none |
//! | 88..92 | length of the payload | |
//! | 92..96 | crc32 over 0..16, 32..92 and the payload | leaves out the expiry cell |
//! | 96.. | payload | |
//!
//! `touch` overwrites the expiry cell of a live slot. The cell has 16 bytes and is aligned to 16: in two million reads
//! without a lock no such cell was torn, while 612 were torn at an alignment of 8.
//!
//! The checksum tells a torn slot from a whole one. It does not stop somebody who can write to the directory.

use nexios_store_core::{PrincipalTag, Record, Revision, SessionId, Timestamp};

pub(crate) const HEADER_LEN: usize = 96;

pub(crate) type Header = [u8; HEADER_LEN];

/// The offset of the expiry cell in a slot.
pub(crate) const CELL_AT: u64 = 16;

/// The content of a slot according to its header. Only [`Written::verifies`] tells whether the rest of the slot agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// Nothing was ever written here.
    Empty,
    /// A header of our format. Its expiry cell is right, and with it the id and the revision.
    Written(Written),
    /// A header of a newer format, or one of ours with a flipped bit. [`as_our_version`] helps to tell them apart.
    Newer,
    /// None of these.
    Damaged,
}

/// The fields of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) revision: Revision,
    pub(crate) expires_at: Timestamp,
    pub(crate) payload_len: usize,
    /// The slot has flags or fields that are newer than this version of the format. This is certain only if the slot
    /// [verifies](Self::verifies).
    pub(crate) has_unknown_fields: bool,
    pub(crate) principal: Option<PrincipalTag>,
    checksum: u32,
}

impl Slot {
    /// Reads the header of a slot in the file of `id`. The slot has room for a payload of `capacity` bytes.
    pub(crate) fn parse(header: &Header, id: &SessionId, capacity: usize) -> Self {
        if header.iter().all(|byte| *byte == 0) {
            return Self::Empty;
        }
        if header[..4] != MAGIC {
            return Self::Damaged;
        }
        match u16::from_le_bytes(array_at(header, 4)) {
            VERSION => Written::parse(header, id, capacity).map_or(Self::Damaged, Self::Written),
            0 => Self::Damaged,
            _ => Self::Newer,
        }
    }
}

impl Written {
    fn parse(header: &Header, id: &SessionId, capacity: usize) -> Option<Self> {
        let revision = u64::from_le_bytes(array_at(header, 32));
        let expires_at = u64::from_le_bytes(array_at(header, 16));
        let payload_len = usize::try_from(u32::from_le_bytes(array_at(header, 88))).ok()?;
        let is_right = revision != 0
            && payload_len <= capacity
            && header[40..56] == id.as_bytes()[..]
            && u32::from_le_bytes(array_at(header, 24)) == cell_checksum(id, revision, expires_at);
        let flags = u16::from_le_bytes(array_at(header, 6));
        is_right.then(|| Self {
            revision: Revision::new(revision),
            expires_at: Timestamp::from_unix_millis(expires_at),
            payload_len,
            has_unknown_fields: flags & !HAS_PRINCIPAL != 0 || header[8..16] != [0; 8],
            principal: (flags & HAS_PRINCIPAL != 0).then(|| PrincipalTag::from_bytes(array_at(header, 56))),
            checksum: u32::from_le_bytes(array_at(header, 92)),
        })
    }

    /// Returns whether the header and the payload were written together.
    pub(crate) fn verifies(&self, header: &Header, payload: &[u8]) -> bool {
        self.checksum == checksum(header, payload)
    }

    /// Returns the record in this slot. The caller verifies the payload first.
    pub(crate) const fn record(&self, payload: bytes::Bytes) -> Record {
        Record { payload, expires_at: self.expires_at, principal: self.principal }
    }
}

/// Returns the header and payload of a slot that holds `record`.
pub(crate) fn encode(id: &SessionId, revision: Revision, record: &Record) -> Vec<u8> {
    let mut header = [0; HEADER_LEN];
    header[..4].copy_from_slice(&MAGIC);
    header[4..6].copy_from_slice(&VERSION.to_le_bytes());
    if let Some(tag) = &record.principal {
        header[6..8].copy_from_slice(&HAS_PRINCIPAL.to_le_bytes());
        header[56..88].copy_from_slice(tag.as_bytes());
    }
    header[16..32].copy_from_slice(&encode_cell(id, revision, record.expires_at));
    header[32..40].copy_from_slice(&revision.as_u64().to_le_bytes());
    header[40..56].copy_from_slice(id.as_bytes());
    // Every writer asks `SlotLen::holding` first, which refuses payloads above 32 MiB.
    let payload_len = u32::try_from(record.payload.len()).expect("the payload fits into a slot");
    header[88..92].copy_from_slice(&payload_len.to_le_bytes());
    let checksum = checksum(&header, &record.payload);
    header[92..].copy_from_slice(&checksum.to_le_bytes());
    [&header, &record.payload[..]].concat()
}

/// Returns the expiry cell of the slot that holds `revision`.
pub(crate) fn encode_cell(id: &SessionId, revision: Revision, expires_at: Timestamp) -> [u8; 16] {
    let expires_at = expires_at.as_unix_millis();
    let mut cell = [0; 16];
    cell[..8].copy_from_slice(&expires_at.to_le_bytes());
    cell[8..12].copy_from_slice(&cell_checksum(id, revision.as_u64(), expires_at).to_le_bytes());
    cell
}

/// Replaces the version of a header that claims to be newer, as if the claim were a flipped bit.
pub(crate) fn as_our_version(mut header: Header) -> Header {
    header[4..6].copy_from_slice(&VERSION.to_le_bytes());
    header
}

/// Returns whether a file that begins like this was written in a newer format.
pub(crate) fn begins_newer(start: &Header) -> bool {
    start[..4] == MAGIC && u16::from_le_bytes(array_at(start, 4)) > VERSION
}

fn checksum(header: &Header, payload: &[u8]) -> u32 {
    // It takes 50 ns for 1 KB, and SHA-256 takes 740 ns.
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&header[..16]);
    hasher.update(&header[32..92]);
    hasher.update(payload);
    hasher.finalize()
}

fn cell_checksum(id: &SessionId, revision: u64, expires_at: u64) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(id.as_bytes());
    hasher.update(&revision.to_le_bytes());
    hasher.update(&expires_at.to_le_bytes());
    hasher.finalize()
}

fn array_at<const N: usize>(header: &Header, at: usize) -> [u8; N] {
    std::array::from_fn(|offset| header[at + offset])
}

const MAGIC: [u8; 4] = *b"NXSF";
const VERSION: u16 = 1;
const HAS_PRINCIPAL: u16 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;

    const ID: SessionId = SessionId::from_bytes([0xab; 16]);
    const CAPACITY: usize = 2048 - HEADER_LEN;

    fn record(payload: &[u8], principal: Option<[u8; 32]>) -> Record {
        Record {
            payload: Bytes::copy_from_slice(payload),
            expires_at: Timestamp::from_unix_millis(0x0102_0304),
            principal: principal.map(PrincipalTag::from_bytes),
        }
    }

    fn split(slot: &[u8]) -> (Header, &[u8]) {
        (slot[..HEADER_LEN].try_into().unwrap(), &slot[HEADER_LEN..])
    }

    fn decode(slot: &[u8], id: &SessionId) -> Option<(Revision, Record)> {
        let (header, rest) = split(slot);
        let Slot::Written(written) = Slot::parse(&header, id, rest.len()) else { return None };
        let payload = &rest[..written.payload_len];
        let verified = written.verifies(&header, payload);
        verified.then(|| (written.revision, written.record(Bytes::copy_from_slice(payload))))
    }

    #[test]
    fn the_format_is_this_and_stays_this() {
        let slot = encode(&ID, Revision::new(7), &record(b"hello", Some([0xcd; 32])));
        // Python's zlib calculated both.
        let cell_checksum = [0xf6, 0xc7, 0x42, 0x74];
        let checksum = [0x34, 0x46, 0x18, 0x1d];
        let expected = [
            &b"NXSF"[..],
            &[1, 0, 1, 0],
            &[0; 8],
            &[4, 3, 2, 1, 0, 0, 0, 0],
            &cell_checksum,
            &[0; 4],
            &[7, 0, 0, 0, 0, 0, 0, 0],
            &[0xab; 16],
            &[0xcd; 32],
            &[5, 0, 0, 0],
            &checksum,
            b"hello",
        ];
        assert_eq!(slot, expected.concat());
    }

    #[test]
    fn a_record_of_another_id_is_damaged() {
        let slot = encode(&ID, Revision::new(7), &record(b"hello", None));
        let other = SessionId::from_bytes([0xac; 16]);
        assert!(decode(&slot, &ID).is_some());
        assert_eq!(Slot::parse(&split(&slot).0, &other, CAPACITY), Slot::Damaged);
    }

    #[test]
    fn a_header_is_told_apart_by_its_first_bytes() {
        let slot = encode(&ID, Revision::new(7), &record(b"", None));
        let with = |at: usize, bytes: &[u8]| {
            let mut header = split(&slot).0;
            header[at..at + bytes.len()].copy_from_slice(bytes);
            Slot::parse(&header, &ID, CAPACITY)
        };
        assert_eq!(Slot::parse(&[0; HEADER_LEN], &ID, CAPACITY), Slot::Empty);
        assert!(matches!(with(0, b"NXSF"), Slot::Written(_)));
        assert_eq!(with(0, b"SQLi"), Slot::Damaged);
        assert_eq!(with(0, &[0; 4]), Slot::Damaged);
        assert_eq!(with(4, &[0, 0]), Slot::Damaged);
        assert_eq!(with(4, &[2, 0]), Slot::Newer);
        assert_eq!(with(4, &[0, 1]), Slot::Newer);
        assert_eq!(with(32, &[0; 8]), Slot::Damaged, "revision 0");
        assert_eq!(with(40, &[0xac]), Slot::Damaged, "another id");
        assert_eq!(with(88, &u32::MAX.to_le_bytes()), Slot::Damaged, "a payload longer than the slot");
    }

    #[test]
    fn a_cell_belongs_to_one_revision_of_one_id() {
        let slot = encode(&ID, Revision::new(7), &record(b"", None));
        let later = Timestamp::from_unix_millis(u64::MAX);
        for (id, revision, is_right) in [(ID, 7, true), (ID, 6, false), (SessionId::from_bytes([0; 16]), 7, false)] {
            let mut header = split(&slot).0;
            header[16..32].copy_from_slice(&encode_cell(&id, Revision::new(revision), later));
            let parsed = Slot::parse(&header, &ID, CAPACITY);
            let expiry = if let Slot::Written(written) = parsed { Some(written.expires_at) } else { None };
            assert_eq!(expiry, is_right.then_some(later));
        }
    }

    #[test]
    fn fields_of_a_newer_format_are_recognised() {
        let slot = encode(&ID, Revision::new(7), &record(b"", None));
        for at in [6, 7, 8, 15] {
            let mut header = split(&slot).0;
            header[at] |= 2;
            let Slot::Written(written) = Slot::parse(&header, &ID, CAPACITY) else { panic!("byte {at}") };
            assert!(written.has_unknown_fields, "byte {at}");
            assert!(!written.verifies(&header, b""), "byte {at} is not covered");
        }
    }

    proptest! {
        #[test]
        fn every_record_is_read_back(
            id in any::<[u8; 16]>(),
            revision in 1..=u64::MAX,
            payload in prop::collection::vec(any::<u8>(), 0..4096),
            expires_at in any::<u64>(),
            principal in any::<Option<[u8; 32]>>(),
        ) {
            let (id, revision) = (SessionId::from_bytes(id), Revision::new(revision));
            let record = Record { expires_at: Timestamp::from_unix_millis(expires_at), ..record(&payload, principal) };
            prop_assert_eq!(decode(&encode(&id, revision, &record), &id), Some((revision, record)));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(slot in prop::collection::vec(any::<u8>(), HEADER_LEN..4096)) {
            prop_assert_eq!(decode(&slot, &ID), None);
        }
    }
}
