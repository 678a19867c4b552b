use std::fmt;

use base64::Engine as _;
use base64::display::Base64Display;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A signature: the 32 bytes of an HMAC-SHA256, or 43 characters of base64url.
///
/// [`Signer::sign`](crate::Signer::sign) makes it, and you send it along with the value. It is not a secret. `Debug`
/// does not show it all the same, because a tag together with its value is a credential.
///
/// # Examples
///
/// ```
/// use nexios_signer::{Key, KeyRing, Purpose, Tag};
///
/// let signer = KeyRing::new(Key::generate()?).signer(Purpose::new("example.org cookie"));
/// let tag = signer.sign(b"theme", b"dark");
/// assert_eq!((tag.as_bytes().len(), tag.to_text().len()), (Tag::LEN, Tag::TEXT_LEN));
///
/// let mut cookie = String::from("dark.");
/// tag.push_to(&mut cookie);
/// assert_eq!(cookie, format!("dark.{tag}"));
/// # Ok::<(), nexios_signer::KeyError>(())
/// ```
// No `PartialEq`: `==` stops at the first difference, so the time it takes tells an attacker how much of a guess was
// right. `Signer::verify` compares tags in constant time.
#[derive(Clone, Copy)]
pub struct Tag([u8; Self::LEN]);

impl Tag {
    /// The number of bytes.
    pub const LEN: usize = 32;

    /// The length of the text form, in bytes.
    pub const TEXT_LEN: usize = 43;

    pub(crate) fn from_hmac(tag: ring::hmac::Tag) -> Self {
        // Only `Purpose::sub_key` makes sub-keys, and it makes them for HMAC-SHA256.
        Self(tag.as_ref().try_into().expect("a tag of HMAC-SHA256 has 32 bytes"))
    }

    /// Returns the bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Returns the text form: base64url without padding, always [`TEXT_LEN`](Self::TEXT_LEN) characters.
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(Self::TEXT_LEN);
        self.push_to(&mut text);
        text
    }

    /// Appends the text form to `text`, and allocates only if `text` has no room for it.
    pub fn push_to(&self, text: &mut String) {
        let mut bytes = [0; Self::TEXT_LEN];
        // The text of 32 bytes has exactly `TEXT_LEN` characters, all of them ASCII.
        let written = URL_SAFE_NO_PAD.encode_slice(self.0, &mut bytes);
        debug_assert_eq!(written, Ok(Self::TEXT_LEN));
        text.push_str(std::str::from_utf8(&bytes).unwrap_or_default());
    }

    /// Reads the only text form of a tag. Padding, another alphabet and unused bits that are not zero are refused, so
    /// that a tag has no second spelling.
    pub(crate) fn decode(text: &[u8]) -> Option<[u8; Self::LEN]> {
        if text.len() != Self::TEXT_LEN {
            return None;
        }
        let mut bytes = [0; Self::LEN];
        URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        Some(bytes)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Base64Display::new(&self.0, &URL_SAFE_NO_PAD).fmt(f)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tag(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_other_spelling_of_the_last_character_is_refused() {
        // The last character carries four bits of the tag and two unused bits. So a lenient decoder reads four
        // different characters as the same bytes, and only one of the four is in the text of the tag.
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        for last in 0..16 {
            let mut bytes = [0xa5; 32];
            bytes[31] = 0xa0 | last;
            let text = Tag(bytes).to_text();
            let (stem, end) = text.split_at(42);
            let canonical = ALPHABET.find(end).unwrap();
            assert_eq!(canonical % 4, 0);
            assert_eq!(Tag::decode(text.as_bytes()), Some(bytes));
            for other in canonical + 1..canonical + 4 {
                let spelling = format!("{stem}{}", &ALPHABET[other..=other]);
                assert_eq!(Tag::decode(spelling.as_bytes()), None, "{other}");
            }
        }
    }

    #[test]
    fn padding_blanks_and_the_other_alphabet_are_refused() {
        let text = Tag([0xff; 32]).to_text();
        assert_eq!(text, "_".repeat(42) + "8");
        for other in [
            format!("{text}="),
            format!("{}=", &text[..42]),
            text.replace('_', "/"),
            format!(" {text}"),
            format!("{text}\n"),
            format!(" {}", &text[1..]),
            format!("\0{}", &text[1..]),
            format!("ä{}", &text[2..]),
        ] {
            assert_eq!(Tag::decode(other.as_bytes()), None, "{other:?}");
        }
    }

    #[test]
    fn pushing_into_a_string_with_room_does_not_move_it() {
        let mut text = String::with_capacity(2 + Tag::TEXT_LEN);
        text.push_str("v.");
        let place = text.as_ptr();
        Tag([7; 32]).push_to(&mut text);
        assert_eq!(text, format!("v.{}", Tag([7; 32])));
        assert_eq!(text.as_ptr(), place);
    }

    proptest! {
        #[test]
        fn every_way_to_the_text_gives_one_text_that_is_read_back(bytes in any::<[u8; 32]>()) {
            let tag = Tag(bytes);
            prop_assert_eq!(tag.to_text(), tag.to_string());
            prop_assert_eq!(tag.to_text().len(), Tag::TEXT_LEN);
            prop_assert_eq!(Tag::decode(tag.to_text().as_bytes()), Some(bytes));
        }

        #[test]
        fn an_accepted_text_is_the_text_of_the_tag_it_gives(text in "[A-Za-z0-9_-]{43}|\\PC{0,50}") {
            if let Some(bytes) = Tag::decode(text.as_bytes()) {
                prop_assert_eq!(Tag(bytes).to_text(), text);
            }
        }
    }
}
