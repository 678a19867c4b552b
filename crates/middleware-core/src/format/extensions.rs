//! Room in the envelope for what later versions of this library keep there.
//!
//! An area consists of entries, one after the other: a tag (`u16`), a length (`u32`), and as many bytes. All numbers
//! are little-endian. The highest bit of a tag says what a version does that does not know the tag. If the bit is
//! clear, the entry may be ignored, and is carried over unchanged when the record is written again. If it is set, the
//! entry must be understood, and the record is unsupported. `docs/changing-the-payload.md` says how to use it.

use bytes::{Buf, Bytes};

/// The extensions of a session's envelope. This version knows none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extensions(
    /// `None` if there are none, which is cheaper to make and to drop than empty `Bytes`.
    Option<Bytes>,
);

/// The reason why an area of extensions cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExtensionError {
    /// The area does not consist of whole entries.
    Malformed,
    /// The entry with this tag must be understood, and is not known.
    Unknown(u16),
}

impl Extensions {
    /// Takes over an area, and checks that nothing in it must be understood.
    pub(crate) fn open(area: Bytes) -> Result<Self, ExtensionError> {
        let mut rest = &*area;
        while !rest.is_empty() {
            let tag = rest.try_get_u16_le().map_err(|_| ExtensionError::Malformed)?;
            let len = rest.try_get_u32_le().map_err(|_| ExtensionError::Malformed)?;
            if rest.len() < len as usize {
                return Err(ExtensionError::Malformed);
            }
            rest.advance(len as usize);
            if tag & MUST_BE_UNDERSTOOD != 0 {
                return Err(ExtensionError::Unknown(tag));
            }
        }
        Ok(Self(Some(area).filter(|area| !area.is_empty())))
    }

    /// Returns the area as it was taken over.
    pub(crate) fn area(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

const MUST_BE_UNDERSTOOD: u16 = 1 << 15;

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(tag: u16, bytes: &[u8]) -> Vec<u8> {
        let len = u32::try_from(bytes.len()).unwrap();
        [&tag.to_le_bytes()[..], &len.to_le_bytes(), bytes].concat()
    }

    #[test]
    fn what_may_be_ignored_is_kept_as_it_is() {
        let area: Bytes = [entry(7, b"seven"), entry(1, b""), entry(0x7fff, &[0; 300])].concat().into();
        assert_eq!(Extensions::open(area.clone()).unwrap().area(), area);
        assert_eq!(Extensions::open(Bytes::new()), Ok(Extensions::default()));
    }

    #[test]
    fn what_must_be_understood_is_not_passed_over() {
        let area = [entry(7, b"seven"), entry(0x8001, b"new rules")].concat();
        assert_eq!(Extensions::open(area.into()), Err(ExtensionError::Unknown(0x8001)));
    }

    #[test]
    fn an_area_that_is_cut_is_malformed() {
        let area = entry(7, b"seven");
        for length in 1..area.len() {
            let cut = Bytes::copy_from_slice(&area[..length]);
            assert_eq!(Extensions::open(cut), Err(ExtensionError::Malformed), "{length}");
        }
    }
}
