//! The content of a record file, as its two slots tell it together.

use bytes::Bytes;
use nexios_store_core::{PrincipalTag, Revision, SessionId, Stored, Timestamp};

use crate::slot::{self, CELL_AT, HEADER_LEN, Header, Slot, Written};

/// The length of one of the two slots of a file, which is a power of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SlotLen(usize);

impl SlotLen {
    /// Two slots of this length fill one block of the usual file systems.
    pub(crate) const MIN: Self = Self(2048);
    /// A reader has to load the payload into memory before it can check it, so there must be a limit.
    pub(crate) const MAX: Self = Self(32 * 1024 * 1024);

    /// Returns the length of the shortest slots that hold a payload of this length.
    pub(crate) fn holding(payload_len: usize) -> Option<Self> {
        let len = payload_len.checked_add(HEADER_LEN)?.checked_next_power_of_two()?;
        (len <= Self::MAX.0).then(|| Self(len).max(Self::MIN))
    }

    /// Returns the length of the slots in a file of this length, or `None` if the store makes no files of this length.
    pub(crate) fn of_file(file_len: u64) -> Option<Self> {
        let len = usize::try_from(file_len / 2).ok()?;
        let slot_len = Self(len);
        let is_ours = len.is_power_of_two() && (Self::MIN..=Self::MAX).contains(&slot_len);
        (is_ours && slot_len.file_len() == file_len).then_some(slot_len)
    }

    pub(crate) const fn file_len(self) -> u64 {
        2 * self.0 as u64
    }

    /// Returns the offset of slot 0 or slot 1.
    pub(crate) const fn offset(self, slot: usize) -> u64 {
        (slot * self.0) as u64
    }

    pub(crate) const fn as_usize(self) -> usize {
        self.0
    }

    /// Returns whether a power cut can lose a part of a slot. A slot within one page is on the disk as a whole or not
    /// at all.
    pub(crate) const fn exceeds_page(self) -> bool {
        self.0 > PAGE_LEN
    }

    /// Returns the length of the longest payload.
    pub(crate) const fn capacity(self) -> usize {
        self.0 - HEADER_LEN
    }
}

/// The unit that file systems and disks write as a whole.
pub(crate) const PAGE_LEN: usize = 4096;

/// The content of a record file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Contents {
    /// Both slots are empty. The record is about to be created, or its creator died, or it was created but never
    /// updated and a power cut lost a part of it.
    Blank,
    Record(Current),
    Damaged,
    /// One of the slots has a newer format.
    Unsupported,
}

/// The current version of a record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Current {
    pub(crate) slot_len: SlotLen,
    pub(crate) slot: usize,
    pub(crate) stored: Stored,
    /// The revision of the next version.
    pub(crate) next_revision: Revision,
    /// A reader without the lock can rely on this version. It cannot while the other slot is damaged: a write may be
    /// under way there, and another write may have overtaken this reader.
    pub(crate) is_settled: bool,
}

impl Current {
    /// Returns the offset of the slot that an update overwrites.
    pub(crate) const fn spare_at(&self) -> u64 {
        self.slot_len.offset(1 - self.slot)
    }

    /// Returns the offset of the expiry cell that a touch overwrites.
    pub(crate) const fn cell_at(&self) -> u64 {
        self.slot_len.offset(self.slot) + CELL_AT
    }
}

/// Finds the current version: of the slots that verify, the one with the higher revision.
///
/// `payload` takes the number of a slot and a length, and fetches that many bytes of its payload. Usually it is called
/// for one slot only.
pub(crate) fn judge<E>(
    id: &SessionId,
    slot_len: SlotLen,
    headers: &[Header; 2],
    mut payload: impl FnMut(usize, usize) -> Result<Bytes, E>,
) -> Result<Contents, E> {
    let parse = |header: &Header| Slot::parse(header, id, slot_len.capacity());
    let mut slots = [parse(&headers[0]), parse(&headers[1])];
    for (index, slot) in slots.iter_mut().enumerate().filter(|(_, slot)| **slot == Slot::Newer) {
        let header = slot::as_our_version(headers[index]);
        match parse(&header) {
            Slot::Written(ours) if ours.verifies(&header, &payload(index, ours.payload_len)?) => *slot = Slot::Damaged,
            _ => return Ok(Contents::Unsupported),
        }
    }
    while let Some((index, written)) = newest(&slots) {
        let payload = payload(index, written.payload_len)?;
        if !written.verifies(&headers[index], &payload) {
            slots[index] = Slot::Damaged;
            continue;
        }
        if written.has_unknown_fields {
            return Ok(Contents::Unsupported);
        }
        return Ok(current(slot_len, index, &written, payload, &slots[1 - index]));
    }
    Ok(if slots == [Slot::Empty, Slot::Empty] { Contents::Blank } else { Contents::Damaged })
}

/// Returns the expiry according to the headers alone, or `None` if they are not enough to know it.
///
/// Confirm with [`judge`] before you act on it.
pub(crate) fn expiry_of_headers(id: &SessionId, slot_len: SlotLen, headers: &[Header; 2]) -> Option<Timestamp> {
    let slots = [0, 1].map(|index| Slot::parse(&headers[index], id, slot_len.capacity()));
    if slots.contains(&Slot::Newer) {
        return None;
    }
    newest(&slots).map(|(_, written)| written.expires_at)
}

/// Returns the principal's tag according to the headers alone. It may be wrong.
pub(crate) fn principal_of_headers(id: &SessionId, slot_len: SlotLen, headers: &[Header; 2]) -> Option<PrincipalTag> {
    let slots = [0, 1].map(|index| Slot::parse(&headers[index], id, slot_len.capacity()));
    newest(&slots).and_then(|(_, written)| written.principal)
}

fn newest(slots: &[Slot; 2]) -> Option<(usize, Written)> {
    let written = slots.iter().enumerate().filter_map(|(index, slot)| match slot {
        Slot::Written(written) => Some((index, *written)),
        _ => None,
    });
    written.max_by_key(|(_, written)| written.revision)
}

fn current(slot_len: SlotLen, slot: usize, written: &Written, payload: Bytes, other: &Slot) -> Contents {
    let revision = written.revision;
    let step = match other {
        Slot::Empty | Slot::Newer => 1,
        Slot::Written(other) if other.revision < revision => 1,
        // No writer of ours gives two slots the same revision, so nobody knows which of them is the record.
        Slot::Written(_) => return Contents::Damaged,
        // Somebody may have been told that the damaged slot is `revision + 1`. That number must not be used again.
        Slot::Damaged => 2,
    };
    let Some(next) = revision.as_u64().checked_add(step) else { return Contents::Damaged };
    Contents::Record(Current {
        slot_len,
        slot,
        stored: Stored { record: written.record(payload), revision },
        next_revision: Revision::new(next),
        is_settled: !matches!(other, Slot::Damaged),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use nexios_store_core::Record;
    use std::convert::Infallible;

    const ID: SessionId = SessionId::from_bytes([0xab; 16]);

    fn slot(revision: u64) -> Vec<u8> {
        let payload = Bytes::from(format!("payload {revision}"));
        let record = Record { payload, expires_at: Timestamp::from_unix_millis(revision), principal: None };
        let mut slot = slot::encode(&ID, Revision::new(revision), &record);
        slot.resize(SlotLen::MIN.as_usize(), 0);
        slot
    }

    fn with(mut slot: Vec<u8>, at: usize, byte: u8) -> Vec<u8> {
        slot[at] = byte;
        slot
    }

    fn judged(slots: [&[u8]; 2]) -> Contents {
        let headers = slots.map(|slot| slot[..HEADER_LEN].try_into().unwrap());
        let payload =
            |slot: usize, len| Ok::<_, Infallible>(Bytes::copy_from_slice(&slots[slot][HEADER_LEN..HEADER_LEN + len]));
        judge(&ID, SlotLen::MIN, &headers, payload).unwrap()
    }

    /// Returns the slot, the revision, the next revision and the certainty of the current version.
    fn record(contents: &Contents) -> Option<(usize, u64, u64, bool)> {
        let Contents::Record(current) = contents else { return None };
        let revision = current.stored.revision.as_u64();
        assert_eq!(current.stored.record.payload, format!("payload {revision}"), "a revision has its own payload");
        Some((current.slot, revision, current.next_revision.as_u64(), current.is_settled))
    }

    #[test]
    fn the_higher_revision_that_verifies_is_the_record() {
        let empty = vec![0; 2048];
        let torn = |revision| with(slot(revision), HEADER_LEN, b'?');
        let torn_cell = |revision| with(slot(revision), 16, 0xff);
        let flipped_version = |revision| with(slot(revision), 4, 3);
        for (name, slots, expected) in [
            ("created", [slot(5), empty.clone()], (0, 5, 6, true)),
            ("created, in the second slot", [empty.clone(), slot(5)], (1, 5, 6, true)),
            ("updated once", [slot(5), slot(6)], (1, 6, 7, true)),
            ("updated twice", [slot(7), slot(6)], (0, 7, 8, true)),
            ("the newer is torn", [slot(5), torn(6)], (0, 5, 7, false)),
            ("the newer has a torn cell", [slot(5), torn_cell(6)], (0, 5, 7, false)),
            ("the newer has a flipped version", [slot(5), flipped_version(6)], (0, 5, 7, false)),
            ("the older is torn, which its header does not show", [slot(7), torn(6)], (0, 7, 8, true)),
            ("the older has a torn cell", [slot(7), torn_cell(6)], (0, 7, 9, false)),
            ("the other has a foreign magic", [slot(7), with(empty, 0, 1)], (0, 7, 9, false)),
        ] {
            assert_eq!(record(&judged([&slots[0], &slots[1]])), Some(expected), "{name}");
        }
    }

    #[test]
    fn what_holds_no_record_is_told_apart() {
        let empty = vec![0; 2048];
        let torn = |revision| with(slot(revision), HEADER_LEN, b'?');
        let newer = |revision| with(with(slot(revision), 4, 2), HEADER_LEN, b'?');
        for (name, slots, expected) in [
            ("nothing written yet", [empty.clone(), empty.clone()], Contents::Blank),
            ("half created", [torn(5), empty.clone()], Contents::Damaged),
            ("both torn", [torn(5), torn(6)], Contents::Damaged),
            ("one revision twice", [slot(5), slot(5)], Contents::Damaged),
            ("no revision left", [slot(u64::MAX), empty.clone()], Contents::Damaged),
            ("a newer format", [newer(5), empty], Contents::Unsupported),
            ("a newer format beside ours", [slot(7), newer(6)], Contents::Unsupported),
        ] {
            assert_eq!(judged([&slots[0], &slots[1]]), expected, "{name}");
        }
    }

    #[test]
    fn a_verified_slot_with_unknown_fields_is_of_a_newer_format() {
        let mut newer = slot(5);
        newer[8] = 1;
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&newer[..16]);
        hasher.update(&newer[32..92]);
        hasher.update(b"payload 5");
        newer[92..96].copy_from_slice(&hasher.finalize().to_le_bytes());
        assert_eq!(judged([&newer, &vec![0; 2048]]), Contents::Unsupported);
    }

    #[test]
    fn headers_alone_tell_the_expiry_of_the_newest() {
        let of = |slots: [Vec<u8>; 2]| {
            let headers = slots.map(|slot| slot[..HEADER_LEN].try_into().unwrap());
            expiry_of_headers(&ID, SlotLen::MIN, &headers).map(Timestamp::as_unix_millis)
        };
        assert_eq!(of([slot(5), slot(6)]), Some(6));
        assert_eq!(of([slot(5), with(slot(6), 16, 0xff)]), Some(5));
        assert_eq!(of([slot(5), with(slot(6), 4, 2)]), None);
        assert_eq!(of([vec![0; 2048], vec![0; 2048]]), None);
    }

    #[test]
    fn slots_are_powers_of_two() {
        for (payload_len, slot_len) in [
            (0, Some(2048)),
            (2048 - 96, Some(2048)),
            (2048 - 95, Some(4096)),
            (256 * 1024, Some(512 * 1024)),
            (SlotLen::MAX.capacity(), Some(SlotLen::MAX.as_usize())),
            (SlotLen::MAX.capacity() + 1, None),
            (usize::MAX, None),
        ] {
            assert_eq!(SlotLen::holding(payload_len).map(SlotLen::as_usize), slot_len, "{payload_len}");
        }
        for (file_len, slot_len) in [
            (4096, Some(2048)),
            (64 * 1024 * 1024, Some(SlotLen::MAX.as_usize())),
            (0, None),
            (2048, None),
            (4095, None),
            (4097, None),
            (6144, None),
            (128 * 1024 * 1024, None),
            (u64::MAX, None),
        ] {
            assert_eq!(SlotLen::of_file(file_len).map(SlotLen::as_usize), slot_len, "{file_len}");
        }
    }
}
