//! The signatures that are accepted, and everything that is not.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use nexios_signer::{Key, KeyRing, Purpose, SignedBy, Signer, Tag};
use proptest::prelude::*;

const PURPOSE: Purpose = Purpose::new("test");
const NAME: &[u8] = b"sessionid";
const VALUE: &[u8] = b"00ff1234567890abcdef00112233aa55";

const NEW: &str = "0123456789abcdefghijklmnopqrstuv";
const OLD: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
const OLDEST: &str = "the quick brown fox jumps over the lazy dog";

fn signer(keys: &[&str]) -> Signer {
    KeyRing::from_text(&keys.join(",")).unwrap().signer(PURPOSE)
}

#[test]
fn a_signature_is_accepted_for_what_it_was_made_for() {
    let signer = signer(&[NEW]);
    for (name, value) in [(NAME, VALUE), (b"", b""), (&[0; 600], &[0xff; 5000])] {
        let tag = signer.sign(name, value);
        assert_eq!(signer.verify(name, value, tag.to_text()), Some(SignedBy::First));
        assert_eq!(signer.verify_tag(name, value, tag.as_bytes()), Some(SignedBy::First));
        assert_eq!(signer.clone().sign(name, value).as_bytes(), tag.as_bytes());
    }
}

#[test]
fn every_truncation_and_extension_of_a_tag_is_refused() {
    let signer = signer(&[NEW, OLD]);
    let text = signer.sign(NAME, VALUE).to_text();
    for end in 0..text.len() {
        assert_eq!(signer.verify(NAME, VALUE, &text[..end]), None, "first {end} characters");
        assert_eq!(signer.verify(NAME, VALUE, &text[end + 1..]), None, "without the first {end}");
    }
    for more in ["A", "=", "==", " ", "\0", "\n", ".", "ä", &text] {
        assert_eq!(signer.verify(NAME, VALUE, format!("{text}{more}")), None, "{more:?}");
        assert_eq!(signer.verify(NAME, VALUE, format!("{more}{text}")), None, "{more:?}");
    }
}

#[test]
fn every_bit_flip_in_tag_name_and_value_is_refused() {
    let signer = signer(&[NEW, OLD]);
    let tag = signer.sign(NAME, VALUE);
    let flipped = |bytes: &[u8], bit: usize| {
        let mut bytes = bytes.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    };
    for bit in 0..Tag::LEN * 8 {
        let other = flipped(tag.as_bytes(), bit).try_into().unwrap();
        assert_eq!(signer.verify_tag(NAME, VALUE, &other), None, "bit {bit} of the tag");
    }
    for bit in 0..Tag::TEXT_LEN * 8 {
        // Every eighth flip gives a text that is not UTF-8. Such a text cannot be passed as a string.
        if let Ok(text) = String::from_utf8(flipped(tag.to_text().as_bytes(), bit)) {
            assert_eq!(signer.verify(NAME, VALUE, &text), None, "bit {bit} of the text");
        }
    }
    for bit in 0..NAME.len() * 8 {
        assert_eq!(signer.verify_tag(&flipped(NAME, bit), VALUE, tag.as_bytes()), None, "bit {bit} of the name");
    }
    for bit in 0..VALUE.len() * 8 {
        assert_eq!(signer.verify_tag(NAME, &flipped(VALUE, bit), tag.as_bytes()), None, "bit {bit} of the value");
    }
}

#[test]
fn bytes_moved_between_name_and_value_are_refused() {
    let signer = signer(&[NEW]);
    let whole = b"abcd\0\0\0\0\0\0\0\x02ef";
    for signed in 0..=whole.len() {
        let tag = signer.sign(&whole[..signed], &whole[signed..]);
        for read in 0..=whole.len() {
            let verified = signer.verify_tag(&whole[..read], &whole[read..], tag.as_bytes());
            assert_eq!(verified.is_some(), signed == read, "signed at {signed}, read at {read}");
        }
    }
    let swapped = signer.sign(VALUE, NAME);
    assert_eq!(signer.verify_tag(NAME, VALUE, swapped.as_bytes()), None);
}

#[test]
fn a_signature_for_another_purpose_is_refused() {
    let ring = KeyRing::new(Key::from_text(NEW).unwrap());
    let labels = ["session id", "signed cookie", "session i", "session id ", "Session id", ""];
    for signed in labels {
        let tag = ring.signer(Purpose::new(signed)).sign(NAME, VALUE);
        for read in labels {
            let verified = ring.signer(Purpose::new(read)).verify_tag(NAME, VALUE, tag.as_bytes());
            assert_eq!(verified.is_some(), signed == read, "signed for {signed:?}, read for {read:?}");
        }
    }
}

#[test]
fn a_retired_key_verifies_and_says_so() {
    let before = signer(&[OLD]).sign(NAME, VALUE);
    let ring = signer(&[NEW, OLDEST, OLD]);
    assert_eq!(ring.verify(NAME, VALUE, before.to_text()), Some(SignedBy::Retired));
    assert!(ring.verify(NAME, VALUE, before.to_text()).unwrap().is_retired());
    let again = ring.sign(NAME, VALUE);
    assert_eq!(ring.verify(NAME, VALUE, again.to_text()), Some(SignedBy::First));
    assert!(!SignedBy::First.is_retired());
    assert_eq!(signer(&[NEW]).verify(NAME, VALUE, again.to_text()), Some(SignedBy::First), "the first key signs");
}

#[test]
fn a_removed_key_no_longer_verifies() {
    let before = signer(&[OLD]).sign(NAME, VALUE);
    assert_eq!(signer(&[NEW]).verify(NAME, VALUE, before.to_text()), None);
    assert_eq!(signer(&[NEW, OLDEST]).verify(NAME, VALUE, before.to_text()), None);
}

#[test]
fn each_key_makes_a_tag_and_the_first_key_comes_first() {
    let ring = signer(&[NEW, OLD, OLDEST]);
    let tags: Vec<Tag> = ring.sign_with_each(NAME, VALUE).collect();
    let expected = [NEW, OLD, OLDEST].map(|key| signer(&[key]).sign(NAME, VALUE));
    assert_eq!(
        tags.iter().map(Tag::as_bytes).collect::<Vec<_>>(),
        expected.iter().map(Tag::as_bytes).collect::<Vec<_>>()
    );
}

#[test]
fn a_key_of_text_and_a_key_of_the_same_bytes_are_one_key() {
    let tag = signer(&[NEW]).sign(NAME, VALUE);
    let ring = KeyRing::new(Key::from_bytes(NEW.as_bytes()).unwrap());
    assert_eq!(ring.signer(PURPOSE).verify(NAME, VALUE, tag.to_text()), Some(SignedBy::First));
}

proptest! {
    #[test]
    fn arbitrary_text_is_never_a_signature(
        tag in "\\PC{0,60}|[A-Za-z0-9_-]{43}|.*",
        name in prop::collection::vec(any::<u8>(), 0..40),
        value in prop::collection::vec(any::<u8>(), 0..700),
    ) {
        prop_assert_eq!(signer(&[NEW, OLD]).verify(&name, &value, &tag), None);
    }

    #[test]
    fn what_was_signed_is_accepted_and_nothing_else(
        name in prop::collection::vec(any::<u8>(), 0..40),
        value in prop::collection::vec(any::<u8>(), 0..700),
        other_name in prop::collection::vec(any::<u8>(), 0..40),
        other_value in prop::collection::vec(any::<u8>(), 0..700),
    ) {
        let signer = signer(&[NEW, OLD]);
        let tag = signer.sign(&name, &value).to_text();
        prop_assert_eq!(signer.verify(&name, &value, &tag), Some(SignedBy::First));
        prop_assume!(name != other_name && value != other_value);
        prop_assert_eq!(signer.verify(&other_name, &value, &tag), None);
        prop_assert_eq!(signer.verify(&name, &other_value, &tag), None);
    }
}
