use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::{Zeroize, Zeroizing};

use crate::KeyError;
use crate::error::Problem;

/// A secret to sign and seal with: random, and at least 32 bytes long.
///
/// A key is not a passphrase: nothing here slows down somebody who guesses. Make one with [`generate`](Self::generate).
/// The constructors reject placeholders, but they cannot detect every weak key.
///
/// The bytes are wiped when the key is dropped. There is no `Display` and no `Serialize`, and `Debug` shows nothing.
/// The only way to get the key out is [`to_text`](Self::to_text).
///
/// # Examples
///
/// ```
/// use nexios_signer::Key;
///
/// let key = Key::generate()?;
/// assert_eq!(format!("{key:?}"), "Key(..)");
/// assert!(Key::from_text("changeme").is_err());
/// # Ok::<(), nexios_signer::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Key(Zeroizing<Vec<u8>>);

impl Key {
    /// Makes a key from bytes, for keys that are not text.
    ///
    /// # Errors
    ///
    /// Fails if there are fewer than 32 bytes, or fewer than 12 different byte values, or if our documentation prints
    /// the key.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_signer::Key;
    /// use std::fs::File;
    /// use std::io::Read;
    ///
    /// let mut bytes = [0; 32];
    /// File::open("/dev/urandom")?.read_exact(&mut bytes)?; // in production, read them from a vault
    /// assert!(Key::from_bytes(&bytes).is_ok());
    /// assert!(Key::from_bytes(&[0; 32]).is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        check_length(bytes)?;
        if !has_variety(bytes.iter().copied()) {
            return Err(Problem::FewBytes.into());
        }
        check_secrecy(bytes)?;
        Ok(Self(Zeroizing::new(bytes.to_vec())))
    }

    /// Makes a key from the UTF-8 bytes of a text, without the white space around it.
    ///
    /// The text is never decoded, even if it looks like hex or base64: 64 hex digits make a key of 64 bytes.
    ///
    /// # Errors
    ///
    /// Fails if the text is shorter than 32 bytes, or has fewer than 12 different characters, or if our documentation
    /// prints it.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_signer::Key;
    ///
    /// let error = Key::from_text(&"secret".repeat(10)).unwrap_err();
    /// assert_eq!(error.to_string(), "key has fewer than 12 different characters");
    ///
    /// let error = Key::from_text(" aLJ5oZ0i4sK3kz7WqVtYxBn2cRdEfGhU\n").unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "key is printed in the documentation of this library, so everybody knows it",
    /// );
    /// ```
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        check_length(text.as_bytes())?;
        if !has_variety(text.chars()) {
            return Err(Problem::FewCharacters.into());
        }
        check_secrecy(text.as_bytes())?;
        Ok(Self(Zeroizing::new(text.as_bytes().to_vec())))
    }

    /// Makes a new key: 32 bytes of the system's random generator, in base64url.
    ///
    /// The key is text, so that you can write it into the settings with [`to_text`](Self::to_text).
    ///
    /// # Errors
    ///
    /// Fails if the system's generator fails, which does not happen on a running system.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_signer::{Key, KeyRing};
    ///
    /// let keys = KeyRing::new(Key::generate()?);
    /// # Ok::<(), nexios_signer::KeyError>(())
    /// ```
    pub fn generate() -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0; MIN_LEN]);
        SystemRandom::new().fill(bytes.as_mut_slice()).map_err(|_| Problem::Random)?;
        Self::from_text(&Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice())))
    }

    /// Returns the text that [`KeyRing::from_text`](crate::KeyRing::from_text) reads back as this one key.
    ///
    /// Returns `None` if there is no such text, because the bytes of the key are not UTF-8, contain a comma, begin or
    /// end with white space, or have fewer than 12 different characters. A [generated](Self::generate) key always has a
    /// text.
    ///
    /// The text is the secret itself. Print it only in the command that makes a new key.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_signer::{Key, KeyRing};
    ///
    /// let text = Key::generate()?.to_text().expect("a generated key is text");
    /// assert_eq!(KeyRing::from_text(&text)?.len(), 1);
    /// # Ok::<(), nexios_signer::KeyError>(())
    /// ```
    pub fn to_text(&self) -> Option<Zeroizing<String>> {
        let text = std::str::from_utf8(&self.0).ok()?;
        let is_read_back = !text.contains(',') && text.trim().len() == text.len() && has_variety(text.chars());
        is_read_back.then(|| Zeroizing::new(text.to_owned()))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

fn check_length(bytes: &[u8]) -> Result<(), KeyError> {
    match bytes.len() {
        0 => Err(Problem::Empty.into()),
        1..MIN_LEN => Err(Problem::Short.into()),
        _ => Ok(()),
    }
}

/// Refuses the keys of our examples, which are copied more often than one would think.
fn check_secrecy(bytes: &[u8]) -> Result<(), KeyError> {
    if PRINTED.iter().any(|printed| printed.as_bytes() == bytes) { Err(Problem::Printed.into()) } else { Ok(()) }
}

fn has_variety<T: PartialEq + Zeroize>(items: impl Iterator<Item = T>) -> bool {
    let mut seen = Zeroizing::new(Vec::with_capacity(MIN_DIFFERENT));
    for item in items {
        if !seen.contains(&item) {
            seen.push(item);
        }
        if seen.len() == MIN_DIFFERENT {
            return true;
        }
    }
    false
}

// A test of `tests/tests/docs.rs` looks for others in the documentation.
const PRINTED: [&str; 2] = ["aLJ5oZ0i4sK3kz7WqVtYxBn2cRdEfGhU", "0kQwErTyUiOpAsDfGhJkLzXcVbNm1234"];

// The length of the output of SHA-256: RFC 2104, section 3, discourages shorter keys.
const MIN_LEN: usize = 32;

// A text that a person types has fewer. A random key of 32 bytes, written as 64 hex digits, has fewer only once in six
// million keys.
const MIN_DIFFERENT: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "0123456789abcdefghijklmnopqrstuv";

    #[test]
    fn keys_that_are_too_short_or_too_uniform_are_refused() {
        for (text, message) in [
            ("", "key is empty"),
            (" \t\r\n ", "key is empty"),
            ("changeme", "key is shorter than 32 bytes"),
            (&TEXT[1..], "key is shorter than 32 bytes"),
            (&format!("   {}   ", &TEXT[1..]), "key is shorter than 32 bytes"),
            (&"a".repeat(32), "key has fewer than 12 different characters"),
            (&"0123456789a".repeat(6), "key has fewer than 12 different characters"),
            (PRINTED[0], "key is printed in the documentation of this library, so everybody knows it"),
            (
                &format!(" {}\n", PRINTED[1]),
                "key is printed in the documentation of this library, so everybody knows it",
            ),
        ] {
            assert_eq!(Key::from_text(text).unwrap_err().to_string(), message, "{text:?}");
        }
        for (bytes, message) in [
            (&[][..], "key is empty"),
            (&[7; 31], "key is shorter than 32 bytes"),
            (PRINTED[0].as_bytes(), "key is printed in the documentation of this library, so everybody knows it"),
            (&[7; 64], "key has fewer than 12 different byte values"),
            (&b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a".repeat(3), "key has fewer than 12 different byte values"),
        ] {
            assert_eq!(Key::from_bytes(bytes).unwrap_err().to_string(), message, "{bytes:?}");
        }
    }

    #[test]
    fn keys_just_above_the_limits_are_accepted() {
        for text in [TEXT, &"0123456789ab".repeat(3), "grüße aus zürich, männedorf ...", &"äöüéèàçñõœæß".repeat(2)]
        {
            assert_eq!(Key::from_text(text).unwrap().as_bytes(), text.as_bytes(), "{text}");
        }
        assert!(Key::from_bytes(TEXT.as_bytes()).is_ok());
    }

    #[test]
    fn a_text_is_trimmed_and_never_decoded() {
        let hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        assert_eq!(Key::from_text(&format!("\t {hex} \r\n")).unwrap().as_bytes(), hex.as_bytes());
        let inner = "two lines of a key file\nare one key of it";
        assert_eq!(Key::from_text(inner).unwrap().as_bytes(), inner.as_bytes());
    }

    #[test]
    fn a_generated_key_is_text_of_32_random_bytes() {
        let (one, other) = (Key::generate().unwrap(), Key::generate().unwrap());
        assert_ne!(one.as_bytes(), other.as_bytes());
        let text = one.to_text().unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(text.as_bytes()).unwrap().len(), 32);
        assert_eq!(Key::from_text(&text).unwrap().as_bytes(), one.as_bytes());
    }

    #[test]
    fn a_key_that_would_be_read_back_differently_has_no_text() {
        for bytes in [
            &b"0123456789abcdef,hijklmnopqrstuv"[..],
            b" 0123456789abcdefghijklmnopqrstuv",
            b"0123456789abcdefghijklmnopqrstuv\n",
            b"0123456789abcdefghijklmnopqrstu\xff",
        ] {
            assert!(Key::from_bytes(bytes).unwrap().to_text().is_none(), "{bytes:?}");
        }
        // Twelve different bytes, but fewer characters: `from_bytes` accepts this key, and `from_text` would not.
        let few = "\u{80}\u{81}\u{82}\u{83}\u{84}\u{85}\u{86}\u{87}\u{88}\u{89}\u{8a}".repeat(2);
        assert!(Key::from_bytes(few.as_bytes()).unwrap().to_text().is_none());
    }

    proptest! {
        #[test]
        fn a_key_with_a_text_is_read_back_from_it(bytes in prop::collection::vec(b' '..=b'~', 32..80)) {
            if let Ok(key) = Key::from_bytes(&bytes) && let Some(text) = key.to_text() {
                let read = Key::from_text(&text).unwrap();
                prop_assert_eq!(read.as_bytes(), key.as_bytes());
            }
        }
    }
}
