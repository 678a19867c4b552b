//! Values in the form that they have in a payload. In this form, one value is found without a look at the others.
//!
//! First comes the number of values, then a table of where each key and each value ends, then the keys and values
//! themselves: key, value, key, value, in ascending order of the keys. All numbers are `u32`, little-endian. The ends
//! count from the first key.

use std::cmp::Ordering;
use std::ops::Range;

use bytes::Bytes;

/// The keys and values at the end of a payload.
///
/// The entries of the table are not checked when it is opened, because a reader of one key would pay for all others.
/// The store makes sure, by a checksum or a seal, that they are as they were written. If they are not, a part may be
/// empty or not the one that was meant, but no part is out of bounds. Ends that do not ascend are not taken over into
/// another payload, so that the rest of such a record is not written over.
#[derive(Clone, Default)]
pub(crate) struct Packed(
    /// `None` without a payload, which is cheaper to make and to drop than empty `Bytes`.
    Option<Bytes>,
);

/// A key, which is UTF-8, and its encoded value.
pub(crate) type Pair<'a> = (&'a [u8], &'a [u8]);

/// The number of values, and the length of all keys and values together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) len: usize,
    pub(crate) parts_len: usize,
}

/// The bytes are not what a [`Packer`] has written, or there are too many values for one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl Packed {
    pub(crate) fn open(bytes: Bytes) -> Result<Self, Malformed> {
        let (len, rest) = bytes.split_first_chunk().ok_or(Malformed)?;
        let table_len = (u32::from_le_bytes(*len) as usize).checked_mul(ENTRY_LEN).ok_or(Malformed)?;
        let (table, parts) = rest.split_at_checked(table_len).ok_or(Malformed)?;
        let last_end = table.last_chunk().map_or(0, |end| u32::from_le_bytes(*end));
        if last_end as usize == parts.len() { Ok(Self(Some(bytes))) } else { Err(Malformed) }
    }

    /// Returns what a [`Packer`] has put at the end of `payload`.
    pub(crate) fn at_end_of(payload: &Bytes, size: Size) -> Self {
        Self(Some(payload.slice(payload.len() - size.encoded_len()..)))
    }

    pub(crate) fn size(&self) -> Size {
        let (ends, parts) = self.split();
        Size { len: ends.len() / 2, parts_len: parts.len() }
    }

    /// Returns the place of a key, or as an error the place that it would have.
    pub(crate) fn find(&self, key: &[u8]) -> Result<usize, usize> {
        let (ends, parts) = self.split();
        let mut range = 0..ends.len() / 2;
        while !range.is_empty() {
            let middle = range.start + range.len() / 2;
            match part(ends, parts, 2 * middle).cmp(key) {
                Ordering::Less => range.start = middle + 1,
                Ordering::Equal => return Ok(middle),
                Ordering::Greater => range.end = middle,
            }
        }
        Err(range.start)
    }

    pub(crate) fn pair(&self, nth: usize) -> Pair<'_> {
        let (ends, parts) = self.split();
        (part(ends, parts, 2 * nth), part(ends, parts, 2 * nth + 1))
    }

    pub(crate) fn value(&self, nth: usize) -> &[u8] {
        self.pair(nth).1
    }

    fn split(&self) -> (&[Number], &[u8]) {
        let Some((len, rest)) = self.0.as_deref().and_then(<[u8]>::split_first_chunk) else {
            return Default::default();
        };
        let (table, parts) = rest.split_at(u32::from_le_bytes(*len) as usize * ENTRY_LEN);
        (table.as_chunks().0, parts)
    }
}

impl Size {
    pub(crate) const fn with(self, key: &str, value: &[u8]) -> Self {
        Self { len: self.len + 1, parts_len: self.parts_len + key.len() + value.len() }
    }

    /// Returns the size without the value of `key`, if it has one.
    pub(crate) const fn without(self, key: &str, value: Option<&[u8]>) -> Self {
        match value {
            // In a damaged table, parts may overlap, and two may be longer than all together.
            Some(value) => {
                Self { len: self.len - 1, parts_len: self.parts_len.saturating_sub(key.len() + value.len()) }
            }
            None => self,
        }
    }

    /// Returns the number of bytes that such values take in a payload.
    pub(crate) const fn encoded_len(self) -> usize {
        NUMBER_LEN + self.table_len() + self.parts_len
    }

    const fn table_len(self) -> usize {
        self.len * ENTRY_LEN
    }
}

/// Writes values into a payload, in the order of their keys.
pub(crate) struct Packer<'a> {
    payload: &'a mut Vec<u8>,
    /// The place in the payload where the next end is to be written.
    table_at: usize,
    parts_at: usize,
    parts_len: usize,
}

impl<'a> Packer<'a> {
    /// Begins to write values of exactly this size.
    pub(crate) fn begin(payload: &'a mut Vec<u8>, size: Size) -> Result<Self, Malformed> {
        let len = u32::try_from(size.len).map_err(|_| Malformed)?;
        u32::try_from(size.parts_len).map_err(|_| Malformed)?; // then no end is larger
        payload.extend(len.to_le_bytes());
        let table_at = payload.len();
        payload.resize(table_at + size.table_len(), 0);
        Ok(Self { table_at, parts_at: payload.len(), parts_len: size.parts_len, payload })
    }

    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) {
        for part in [key, value] {
            self.payload.extend_from_slice(part);
            let end = self.end().to_le_bytes();
            self.payload[self.table_at..][..NUMBER_LEN].copy_from_slice(&end);
            self.table_at += NUMBER_LEN;
        }
    }

    /// Takes over several values that are packed already, all at once.
    pub(crate) fn copy(&mut self, from: &Packed, entries: Range<usize>) -> Result<(), Malformed> {
        let (ends, parts) = from.split();
        let start = start(ends, 2 * entries.start);
        let ends = &ends[2 * entries.start..2 * entries.end];
        let moved_by = self.end().wrapping_sub(start);
        let (table, _) = self.payload[self.table_at..].as_chunks_mut();
        // Goes on to the end, even after a wrong one: without a way out, several ends are compared and moved in one
        // instruction.
        let (mut last, mut ascending) = (start, true);
        for (moved, end) in table.iter_mut().zip(ends) {
            let end = u32::from_le_bytes(*end);
            ascending &= last <= end;
            last = end;
            *moved = end.wrapping_add(moved_by).to_le_bytes();
        }
        let run = parts.get(start as usize..last as usize).filter(|_| ascending).ok_or(Malformed)?;
        self.payload.extend_from_slice(run);
        self.table_at += ends.as_flattened().len();
        Ok(())
    }

    /// Checks that the values had the size that was announced.
    pub(crate) fn finish(self) -> Result<(), Malformed> {
        let is_complete = self.table_at == self.parts_at && self.payload.len() == self.parts_at + self.parts_len;
        if is_complete { Ok(()) } else { Err(Malformed) }
    }

    /// Returns the end of the last part.
    #[expect(clippy::cast_possible_truncation, reason = "all parts together are no longer than that")]
    fn end(&self) -> u32 {
        (self.payload.len() - self.parts_at) as u32
    }
}

/// Returns the key or the value whose end is the `nth` one. It starts at the end of the one before it.
fn part<'a>(ends: &[Number], parts: &'a [u8], nth: usize) -> &'a [u8] {
    parts.get(start(ends, nth) as usize..u32::from_le_bytes(ends[nth]) as usize).unwrap_or_default()
}

fn start(ends: &[Number], nth: usize) -> u32 {
    nth.checked_sub(1).map_or(0, |before| u32::from_le_bytes(ends[before]))
}

type Number = [u8; NUMBER_LEN];

const NUMBER_LEN: usize = size_of::<u32>();

/// The length of the ends of a key and of its value.
const ENTRY_LEN: usize = 2 * NUMBER_LEN;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn pack<'a>(entries: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Bytes {
        let entries: BTreeMap<_, _> = entries.into_iter().collect();
        let size = entries.iter().fold(Size::default(), |size, (key, value)| size.with(key, value));
        let mut payload = Vec::new();
        let mut packer = Packer::begin(&mut payload, size).unwrap();
        entries.iter().for_each(|(key, value)| packer.add(key.as_bytes(), value));
        packer.finish().unwrap();
        assert_eq!(payload.len(), size.encoded_len());
        payload.into()
    }

    fn example() -> Bytes {
        pack([("cart", &b"123"[..]), ("name", b"Ada"), ("none", b"")])
    }

    #[test]
    fn present_keys_are_found_and_absent_ones_have_a_place() {
        for len in [0, 1, 2, 3, 8, 9, 100] {
            // Every second name is a key.
            let names: Vec<String> = (0..=2 * len).map(|number| format!("{number:03}")).collect();
            let present = names.iter().skip(1).step_by(2);
            let packed = Packed::open(pack(present.map(|name| (&**name, name.as_bytes())))).unwrap();
            assert_eq!(packed.size(), Size { len, parts_len: 6 * len });
            for (number, name) in names.iter().enumerate() {
                let found = packed.find(name.as_bytes());
                assert_eq!(found, if number % 2 == 1 { Ok(number / 2) } else { Err(number / 2) }, "{name} of {len}");
                if let Ok(nth) = found {
                    assert_eq!(packed.pair(nth), (name.as_bytes(), name.as_bytes()));
                }
            }
        }
    }

    #[test]
    fn a_run_of_packed_values_is_copied_unchanged() {
        let packed = Packed::open(example()).unwrap();
        let expected = pack([("before", &b"it"[..]), ("name", b"Ada"), ("none", b""), ("then", b"that")]);
        let mut payload = Vec::new();
        let size = Size::default().with("before", b"it").with("name", b"Ada").with("none", b"").with("then", b"that");
        let mut packer = Packer::begin(&mut payload, size).unwrap();
        packer.copy(&packed, 0..0).unwrap();
        packer.add(b"before", b"it");
        packer.copy(&packed, 1..3).unwrap();
        packer.add(b"then", b"that");
        packer.copy(&packed, 3..3).unwrap();
        packer.finish().unwrap();
        assert_eq!(payload, expected);
    }

    #[test]
    fn values_cut_short_or_with_bytes_after_them_are_malformed() {
        let payload = example();
        for length in 0..payload.len() {
            assert_eq!(Packed::open(payload.slice(..length)).err(), Some(Malformed), "{length}");
        }
        assert_eq!(Packed::open([&payload[..], b"\0"].concat().into()).err(), Some(Malformed));
        assert_eq!(Packed::open(Bytes::from_static(b"\0\0\0\0\0")).err(), Some(Malformed), "none, and a byte");
    }

    #[test]
    fn a_table_with_a_wrong_end_is_not_packed_again() {
        let payload = example();
        let ends = NUMBER_LEN..NUMBER_LEN + 3 * ENTRY_LEN - NUMBER_LEN; // but for the last, which is looked at sooner
        for (at, wrong) in ends.step_by(NUMBER_LEN).flat_map(|at| [(at, 100_u32), (at, u32::MAX)]) {
            let mut changed = payload.to_vec();
            changed[at..at + NUMBER_LEN].copy_from_slice(&wrong.to_le_bytes());
            let packed = Packed::open(changed.into()).unwrap();
            let mut copy = Vec::new();
            let mut packer = Packer::begin(&mut copy, packed.size()).unwrap();
            assert_eq!(packer.copy(&packed, 0..3), Err(Malformed), "{wrong} at {at}");
        }
    }

    #[test]
    fn values_of_another_size_than_announced_are_refused() {
        for size in [Size { len: 1, parts_len: 2 }, Size { len: 1, parts_len: 4 }, Size { len: 2, parts_len: 3 }] {
            let mut payload = Vec::new();
            let mut packer = Packer::begin(&mut payload, size).unwrap();
            packer.add(b"a", b"12");
            assert_eq!(packer.finish(), Err(Malformed), "{size:?}");
        }
    }

    #[test]
    fn an_impossible_number_of_values_claims_no_memory() {
        for len in [4, u32::MAX / 8, u32::MAX] {
            let mut payload = example().to_vec();
            payload[..NUMBER_LEN].copy_from_slice(&len.to_le_bytes());
            assert_eq!(Packed::open(payload.into()).err(), Some(Malformed), "{len}");
        }
    }

    #[test]
    fn more_values_than_a_u32_counts_are_refused() {
        let too_many = u32::MAX as usize + 1;
        for size in [Size { len: too_many, parts_len: 0 }, Size { len: 1, parts_len: too_many }] {
            assert_eq!(Packer::begin(&mut Vec::new(), size).err(), Some(Malformed));
        }
    }
}
