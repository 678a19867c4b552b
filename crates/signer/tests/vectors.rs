//! Published vectors, checked against *ring* as this crate uses it, and fixed vectors of the formats of this crate.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use nexios_signer::{Key, KeyRing, Purpose, Sealer};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::{hkdf, hmac};

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn hmac_sha256_gives_the_tags_of_rfc_4231() {
    let text = b"This is a test using a larger than block-size key and a larger than block-size data. The key needs \
                 to be hashed before being used by the HMAC algorithm.";
    for (case, key, message, tag) in [
        (1, vec![0x0b; 20], &b"Hi There"[..], "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (
            2,
            b"Jefe".to_vec(),
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (3, vec![0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (4, (1..=25).collect(), &[0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        (
            6,
            vec![0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (7, vec![0xaa; 131], text, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
    ] {
        let (key, tag) = (hmac::Key::new(hmac::HMAC_SHA256, &key), bytes(tag));
        // Signing takes a message in parts, and verifying takes it whole.
        let mut context = hmac::Context::with_key(&key);
        message.chunks(7).for_each(|part| context.update(part));
        assert_eq!(context.sign().as_ref(), tag, "case {case}");
        assert!(hmac::verify(&key, message, &tag).is_ok(), "case {case}");
    }
}

#[test]
fn hkdf_sha256_gives_the_output_of_rfc_5869() {
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }

    for (case, input, salt, info, output) in [
        (
            "A.1",
            vec![0x0b; 22],
            (0x00..=0x0c).collect(),
            (0xf0..=0xf9).collect(),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        (
            "A.3",
            vec![0x0b; 22],
            vec![],
            vec![],
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        ),
    ] {
        let info: [&[u8]; 1] = [&info];
        let derived = hkdf::Salt::new(hkdf::HKDF_SHA256, &salt).extract(&input);
        let mut out = [0; 42];
        derived.expand(&info, Length(42)).unwrap().fill(&mut out).unwrap();
        assert_eq!(out.as_slice(), bytes(output), "{case}");
    }
}

#[test]
fn hkdf_expand_alone_gives_the_output_of_rfc_5869() {
    // Message keys are made like this: case A.1, from its pseudorandom key on, and the first 32 bytes of its output.
    let prk = bytes("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
    let info: Vec<u8> = (0xf0..=0xf9).collect();
    let mut out = [0; 32];
    let prk = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, &prk);
    prk.expand(&[&info], hkdf::HKDF_SHA256).unwrap().fill(&mut out).unwrap();
    assert_eq!(out.as_slice(), bytes("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"));
}

#[test]
fn aes_256_gcm_gives_the_output_of_its_specification() {
    // Test case 16 of "The Galois/Counter Mode of Operation" by McGrew and Viega.
    let key = bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
    let nonce = bytes("cafebabefacedbaddecaf888").try_into().unwrap();
    let mut text = bytes(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657\
         ba637b39",
    );
    let aad = Aad::from(bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2"));
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).unwrap());
    let tag = key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), aad, &mut text).unwrap();
    assert_eq!(
        text,
        bytes(
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba\
             7a0abcc9f662"
        )
    );
    assert_eq!(tag.as_ref(), bytes("76fc6ece0f4e1768cddf8853bb2d551b"));
}

/// The tags come from another implementation, Python's `hmac` and `hashlib`:
///
/// ```text
/// prk = hmac(b"nexios-signer 1", key)
/// sub_key = hmac(prk, label + b"\x01")
/// tag = hmac(sub_key, b"\x02" + leb128(len(name)) + name + leb128(len(value)) + value)
/// base64.urlsafe_b64encode(tag).rstrip(b"=")
/// ```
#[test]
fn signatures_are_those_of_an_independent_implementation() {
    let key = "0123456789abcdefghijklmnopqrstuv";
    let id = "00ff1234567890abcdef00112233aa55";
    for (key, label, name, value, tag) in [
        (key, "session id", "sessionid", id, "22pNV8mWiXbuKKXDT6JxiRXXQBFtcfJpS7JMb5EyjPk"),
        (key, "signed cookie", "sessionid", id, "wkHyaJLDosVQoys0Ema1HxHvWi5MpOr1jDW43eNT5_Y"),
        (key, "session id", "", "", "cWYYSbHtfFqWMPTGVjhrHM3lx2iMDNl0p_kppube1IA"),
        (&key.repeat(3), "session id", "id", "grüße", "uO_SRDSInTqc-HZLrcaW0U6pOrKekqbExnNL5GbvTew"),
        (key, "session id", &"n".repeat(256), &"v".repeat(4096), "5Y_m_HxNJyA5Zm7SJdL0J85cnmJrvEMjbgf_7I_5RIw"),
    ] {
        let signer = KeyRing::new(Key::from_text(key).unwrap()).signer(Purpose::new(label.to_owned().leak()));
        assert_eq!(signer.sign(name.as_bytes(), value.as_bytes()).to_text(), tag, "{label} {name}");
        assert!(signer.verify(name.as_bytes(), value.as_bytes(), tag).is_some(), "{label} {name}");
    }
}

/// The sealed values come from another implementation, Python's `hmac` and the `AESGCM` of its package `cryptography`:
///
/// ```text
/// prk = hmac(b"nexios-signer seal 1", key)
/// sub_key = hmac(prk, label + b"\x01")
/// message_key = hmac(sub_key, salt + b"\x01")
/// associated_data = b"\x01" + pack(">Q", len(name)) + name
/// b"\x01" + salt + AESGCM(message_key).encrypt(bytes(12), plaintext, associated_data)
/// ```
#[test]
fn sealed_values_are_those_of_an_independent_implementation() {
    let key = "0123456789abcdefghijklmnopqrstuv";
    let counted = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    for (key, label, name, plaintext, salt, ciphertext) in [
        (key, "record seal", "id", "hello", counted, "fdd2d28fe12e13fdd399bf4c7cbddc377243914bb6"),
        (key, "sealed cookie", "id", "hello", counted, "9471ee3207ba16f6d20a6e264ca4114bbe7887a756"),
        (key, "record seal", "", "", &"ff".repeat(32), "275701b5565b9f778798b62249f4b0fb"),
        (
            &key.repeat(3),
            "record seal",
            &"n".repeat(256),
            "grüße",
            counted,
            "204c6b2fa81d0b4da7a903311f77537d79d43f3fd9b8af",
        ),
    ] {
        let sealer = KeyRing::new(Key::from_text(key).unwrap()).sealer(Purpose::new(label.to_owned().leak()));
        let sealed = bytes(&format!("01{salt}{ciphertext}"));
        assert_eq!(sealed.len(), plaintext.len() + Sealer::OVERHEAD);
        let opened = sealer.open(name.as_bytes(), &sealed).unwrap_or_else(|| panic!("{label} {name} does not open"));
        assert_eq!(opened.plaintext, plaintext.as_bytes(), "{label} {name}");
    }
}
