use std::fmt;

/// A session's name in logs: a keyed hash of its id, which connects the events of the session and opens nothing.
///
/// The fingerprint changes when the id does; [`Event::SessionCycled`](crate::Event::SessionCycled) has both. Its text
/// is 12 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; Self::LEN]);

impl Fingerprint {
    const LEN: usize = 6;

    /// Takes the first bytes of a tag that was made with the sub-key for fingerprints.
    pub(crate) fn of_tag(tag: &[u8; 32]) -> Self {
        Self(std::array::from_fn(|nth| tag[nth]))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}
