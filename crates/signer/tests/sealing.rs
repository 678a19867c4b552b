//! The sealed values that open, and all those that do not.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::HashSet;

use nexios_signer::{Key, KeyRing, Purpose, Sealer, SignedBy};
use proptest::prelude::*;

const PURPOSE: Purpose = Purpose::new("test");
const NAME: &[u8] = b"00ff1234567890abcdef00112233aa55";
const PLAINTEXT: &[u8] = b"what nobody else is to read";

const NEW: &str = "0123456789abcdefghijklmnopqrstuv";
const OLD: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
const OLDEST: &str = "the quick brown fox jumps over the lazy dog";

fn sealer(keys: &[&str]) -> Sealer {
    KeyRing::from_text(&keys.join(",")).unwrap().sealer(PURPOSE)
}

fn opened(sealer: &Sealer, name: &[u8], sealed: &[u8]) -> Option<(Vec<u8>, SignedBy)> {
    sealer.open(name, sealed).map(|opened| (opened.plaintext, opened.sealed_by))
}

#[test]
fn what_was_sealed_opens_at_every_length() {
    let sealer = sealer(&[NEW]);
    for len in [0, 1, 15, 16, 17, 255, 256, 4_096, 300_000] {
        let plaintext: Vec<u8> = (0..=255).cycle().take(len).collect();
        for name in [NAME, b"", &[0; 600]] {
            let sealed = sealer.seal(name, &plaintext).unwrap();
            assert_eq!(sealed.len(), len + Sealer::OVERHEAD);
            assert_eq!(opened(&sealer, name, &sealed), Some((plaintext.clone(), SignedBy::First)));
            assert_eq!(opened(&sealer.clone(), name, &sealed), Some((plaintext.clone(), SignedBy::First)));
        }
    }
}

#[test]
fn the_plaintext_does_not_show() {
    let sealed = sealer(&[NEW]).seal(NAME, PLAINTEXT).unwrap();
    for part in PLAINTEXT.windows(4).chain(NAME.windows(4)) {
        assert!(!sealed.windows(4).any(|window| window == part));
    }
}

#[test]
fn equal_values_sealed_twice_share_only_the_version_byte() {
    let sealer = sealer(&[NEW]);
    let sealed: Vec<Vec<u8>> = (0..100).map(|_| sealer.seal(NAME, PLAINTEXT).unwrap()).collect();
    assert!(sealed.iter().all(|sealed| sealed[0] == 1));
    // The salts and the ciphertexts. Two equal ciphertexts would mean two equal message keys.
    for part in [1..33, 33..33 + PLAINTEXT.len()] {
        let different: HashSet<&[u8]> = sealed.iter().map(|sealed| &sealed[part.clone()]).collect();
        assert_eq!(different.len(), sealed.len(), "bytes {part:?}");
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let sealer = sealer(&[NEW, OLD]);
    let sealed = sealer.seal(NAME, PLAINTEXT).unwrap();
    for bit in 0..sealed.len() * 8 {
        assert_eq!(opened(&sealer, NAME, &flipped(&sealed, bit)), None, "bit {bit}");
    }
    for bit in 0..NAME.len() * 8 {
        assert_eq!(opened(&sealer, &flipped(NAME, bit), &sealed), None, "bit {bit} of the name");
    }
}

fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

#[test]
fn every_cut_and_every_extension_is_refused() {
    let sealer = sealer(&[NEW, OLD]);
    for plaintext in [PLAINTEXT, b""] {
        let sealed = sealer.seal(NAME, plaintext).unwrap();
        for at in 0..sealed.len() {
            assert_eq!(opened(&sealer, NAME, &sealed[..at]), None, "the first {at} bytes");
            assert_eq!(opened(&sealer, NAME, &sealed[at + 1..]), None, "without the first {}", at + 1);
            assert_eq!(opened(&sealer, NAME, &[&sealed[..at], &sealed[at + 1..]].concat()), None, "without byte {at}");
        }
        for more in [&b"\0"[..], b"\x01", &sealed] {
            assert_eq!(opened(&sealer, NAME, &[&sealed, more].concat()), None);
            assert_eq!(opened(&sealer, NAME, &[more, &sealed].concat()), None);
        }
    }
}

#[test]
fn parts_of_two_values_do_not_make_a_third() {
    let sealer = sealer(&[NEW]);
    let [one, other] = [(); 2].map(|()| sealer.seal(NAME, PLAINTEXT).unwrap());
    let (salt, ciphertext, tag) = (1..33, 33..33 + PLAINTEXT.len(), 33 + PLAINTEXT.len()..one.len());
    for part in [salt, ciphertext, tag] {
        let mut mixed = one.clone();
        mixed[part.clone()].copy_from_slice(&other[part.clone()]);
        assert_eq!(opened(&sealer, NAME, &mixed), None, "bytes {part:?}");
    }
}

#[test]
fn another_name_does_not_open_it() {
    let sealer = sealer(&[NEW]);
    let names = [NAME, b"", b"0", &NAME[1..], &NAME[..31], b"00ff1234567890abcdef00112233aa55\0"];
    for sealed_under in names {
        let sealed = sealer.seal(sealed_under, PLAINTEXT).unwrap();
        for read_under in names {
            let is_opened = opened(&sealer, read_under, &sealed).is_some();
            assert_eq!(is_opened, sealed_under == read_under, "{sealed_under:?} as {read_under:?}");
        }
    }
}

#[test]
fn another_purpose_does_not_open_it() {
    let ring = KeyRing::new(Key::from_text(NEW).unwrap());
    let labels = ["record seal", "sealed cookie", "record sea", "record seal ", "Record seal", ""];
    for sealed_for in labels {
        let sealed = ring.sealer(Purpose::new(sealed_for)).seal(NAME, PLAINTEXT).unwrap();
        for read_for in labels {
            let is_opened = opened(&ring.sealer(Purpose::new(read_for)), NAME, &sealed).is_some();
            assert_eq!(is_opened, sealed_for == read_for, "sealed for {sealed_for:?}, read for {read_for:?}");
        }
    }
}

#[test]
fn a_retired_key_opens_and_says_so() {
    let before = sealer(&[OLD]).seal(NAME, PLAINTEXT).unwrap();
    let rotated = sealer(&[NEW, OLDEST, OLD]);
    assert_eq!(opened(&rotated, NAME, &before), Some((PLAINTEXT.to_vec(), SignedBy::Retired)));
    let again = rotated.seal(NAME, PLAINTEXT).unwrap();
    assert_eq!(opened(&rotated, NAME, &again), Some((PLAINTEXT.to_vec(), SignedBy::First)));
    let only_the_first = sealer(&[NEW]);
    assert_eq!(
        opened(&only_the_first, NAME, &again),
        Some((PLAINTEXT.to_vec(), SignedBy::First)),
        "the first key seals"
    );
}

#[test]
fn a_ring_without_the_key_opens_nothing() {
    let before = sealer(&[OLD]).seal(NAME, PLAINTEXT).unwrap();
    assert_eq!(opened(&sealer(&[NEW]), NAME, &before), None);
    assert_eq!(opened(&sealer(&[NEW, OLDEST]), NAME, &before), None);
}

#[test]
fn a_newer_format_does_not_open_and_says_so() {
    let sealer = sealer(&[NEW]);
    let mut sealed = sealer.seal(NAME, PLAINTEXT).unwrap();
    for version in 0..=255 {
        sealed[0] = version;
        assert_eq!(opened(&sealer, NAME, &sealed).is_some(), version == 1, "version {version}");
        let is_newer = (2..=0x7f).contains(&version);
        assert_eq!(Sealer::is_newer_format(&sealed), is_newer, "version {version}");
    }
    assert!(!Sealer::is_newer_format(b""));
    assert!(Sealer::is_newer_format(b"\x02"));
}

proptest! {
    #[test]
    fn what_was_sealed_opens_under_its_name_and_no_other(
        name in prop::collection::vec(any::<u8>(), 0..60),
        other_name in prop::collection::vec(any::<u8>(), 0..60),
        plaintext in prop::collection::vec(any::<u8>(), 0..2_000),
    ) {
        let sealed = sealer(&[OLD]).seal(&name, &plaintext).unwrap();
        let rotated = sealer(&[NEW, OLD]);
        prop_assert_eq!(opened(&rotated, &name, &sealed), Some((plaintext, SignedBy::Retired)));
        prop_assume!(name != other_name);
        prop_assert_eq!(opened(&rotated, &other_name, &sealed), None);
    }

    #[test]
    fn arbitrary_bytes_do_not_open(
        name in prop::collection::vec(any::<u8>(), 0..60),
        mut bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        prop_assert_eq!(opened(&sealer(&[NEW, OLD]), &name, &bytes), None);
        if let Some(version) = bytes.first_mut() {
            *version = 1;
        }
        prop_assert_eq!(opened(&sealer(&[NEW, OLD]), &name, &bytes), None);
    }
}
