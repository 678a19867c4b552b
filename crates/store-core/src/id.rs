use std::fmt;
use std::io;

/// The name of a session: 128 random bits.
///
/// The text form is 32 lower-case hex digits, because ids become file names and common file systems fold case. Text
/// becomes an id only through the strict [parser](Self::parse), so no other text ever becomes part of a path, a query
/// or a log.
///
/// OWASP ASVS 5.0, 7.2.3 asks for 128 bits from a cryptographically secure generator; the system's is one. An id alone
/// does not open a session, because the cookie also needs a signature. It is kept out of sight all the same: `Debug`
/// shows no digit of it, and there is no `Display`.
///
/// # Examples
///
/// ```
/// use nexios_store_core::SessionId;
///
/// let id = SessionId::generate()?;
/// assert_eq!(SessionId::parse(id.to_hex()), Ok(id));
/// assert_eq!(SessionId::from_bytes(*id.as_bytes()), id);
/// assert_eq!(format!("{id:?}"), "SessionId(..)");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// The length of the text form, in bytes.
    pub const HEX_LEN: usize = 32;

    /// Makes a new id with the operating system's random generator.
    ///
    /// # Errors
    ///
    /// Fails if the system's generator fails, which does not happen on a running system.
    pub fn generate() -> io::Result<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Reads exactly 32 lower-case hex digits, and nothing else.
    ///
    /// # Errors
    ///
    /// Returns [`InvalidSessionId`] for any other text. The error does not repeat the text, which may come from an
    /// attacker.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_store_core::{InvalidSessionId, SessionId};
    ///
    /// assert!(SessionId::parse("00112233445566778899aabbccddeeff").is_ok());
    /// for other in ["", "../../etc/passwd", "00112233445566778899AABBCCDDEEFF"] {
    ///     assert_eq!(SessionId::parse(other), Err(InvalidSessionId));
    /// }
    /// ```
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, InvalidSessionId> {
        let text: &[u8; Self::HEX_LEN] = text.as_ref().try_into().map_err(|_| InvalidSessionId)?;
        let mut bytes = [0; 16];
        // Checked once, after the loop: a character that is no digit sets a bit that no digit has.
        let mut all = 0;
        for (byte, digits) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            let [high, low] = [digits[0], digits[1]].map(|digit| HEX_VALUES[usize::from(digit)]);
            all |= high | low;
            *byte = high << 4 | low;
        }
        if all & NO_DIGIT == 0 { Ok(Self(bytes)) } else { Err(InvalidSessionId) }
    }

    /// Makes the id with these bytes, for stores that keep ids in binary.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes, for stores that keep ids in binary.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Returns the text form, as ASCII bytes.
    pub fn to_hex(&self) -> [u8; Self::HEX_LEN] {
        let mut text = [0; Self::HEX_LEN];
        for (digits, byte) in text.chunks_exact_mut(2).zip(self.0) {
            digits[0] = HEX_DIGITS[usize::from(byte >> 4)];
            digits[1] = HEX_DIGITS[usize::from(byte & 0xf)];
        }
        text
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(..)")
    }
}

/// The error for a text that is not a session id.
///
/// # Examples
///
/// ```
/// use nexios_store_core::SessionId;
///
/// let error = SessionId::parse("admin").unwrap_err();
/// assert_eq!(error.to_string(), "session id is not 32 lower-case hex digits");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSessionId;

impl fmt::Display for InvalidSessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("session id is not 32 lower-case hex digits")
    }
}

impl std::error::Error for InvalidSessionId {}

const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The value of each byte as a hex digit; [`NO_DIGIT`] for all other bytes.
const HEX_VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value: u8 = 0;
    while (value as usize) < HEX_DIGITS.len() {
        values[HEX_DIGITS[value as usize] as usize] = value;
        value += 1;
    }
    values
};

const NO_DIGIT: u8 = 0x80;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_and_bytes_are_two_forms_of_one_id() {
        let text = "00ff1234567890abcdef00112233aa55";
        let id = SessionId::parse(text).unwrap();
        assert_eq!(id.to_hex(), text.as_bytes());
        assert_eq!(SessionId::from_bytes(*id.as_bytes()), id);
    }

    #[test]
    fn ids_that_look_like_paths_or_other_spellings_are_refused() {
        for text in [
            "",
            "..",
            "../../../../../../etc/passwd00000",
            "/etc/passwd000000000000000000000",
            "00ff1234567890abcdef00112233aa5",
            "00ff1234567890abcdef00112233aa555",
            "00FF1234567890ABCDEF00112233AA55",
            "00ff1234567890abcdef00112233aa5g",
            "00ff1234567890abcdef00112233aa5\0",
            " 0ff1234567890abcdef00112233aa55",
            "00ff1234-5678-90ab-cdef-00112233",
            "%30ff1234567890abcdef00112233aa5",
        ] {
            assert_eq!(SessionId::parse(text), Err(InvalidSessionId), "{text:?}");
        }
        assert_eq!(SessionId::parse("a".repeat(5000)), Err(InvalidSessionId));
    }

    #[test]
    fn debug_shows_no_digit() {
        let id = SessionId::parse("00ff1234567890abcdef00112233aa55").unwrap();
        assert_eq!(format!("{id:?}"), "SessionId(..)");
    }

    #[test]
    fn generated_ids_differ() {
        let ids: std::collections::HashSet<_> = (0..1000).map(|_| SessionId::generate().unwrap()).collect();
        assert_eq!(ids.len(), 1000);
    }

    proptest! {
        #[test]
        fn any_bytes_give_the_id_they_spell_or_none(text in prop::collection::vec(any::<u8>(), 0..64)) {
            match SessionId::parse(&text) {
                Ok(id) => prop_assert_eq!(id.to_hex().to_vec(), text),
                Err(InvalidSessionId) => {
                    let is_hex = |b: &u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
                    prop_assert!(text.len() != 32 || !text.iter().all(is_hex));
                }
            }
        }

        #[test]
        fn every_id_round_trips(bytes in any::<[u8; 16]>()) {
            let id = SessionId::from_bytes(bytes);
            prop_assert_eq!(SessionId::parse(id.to_hex()), Ok(id));
        }
    }
}
