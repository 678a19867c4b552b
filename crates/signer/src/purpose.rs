use ring::{hkdf, hmac};

use crate::Key;

/// What signatures and seals are for: a fixed label that separates one use of a key from every other.
///
/// Each purpose has sub-keys of its own, one to sign and one to seal, so that whoever can have values signed for one
/// purpose gains nothing for another. Declare purposes as constants, with labels that nobody else would choose:
///
/// ```
/// use nexios_signer::Purpose;
///
/// const UNSUBSCRIBE_LINK: Purpose = Purpose::new("example.org unsubscribe link");
/// ```
///
/// A label is part of every signature and seal made for it: changing it makes all of them invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Purpose(&'static str);

impl Purpose {
    /// The purpose of this label. Different labels give independent sub-keys.
    pub const fn new(label: &'static str) -> Self {
        Self(label)
    }

    /// What signs for this purpose.
    pub(crate) fn sub_key(self, key: &Key) -> hmac::Key {
        self.derive(SALT, key, hmac::HMAC_SHA256)
    }

    /// What keys to seal with are derived from. It has nothing in common with the sub-key that signs.
    pub(crate) fn seal_root(self, key: &Key) -> hkdf::Prk {
        self.derive(SEAL_SALT, key, hkdf::HKDF_SHA256)
    }

    fn derive<T: hkdf::KeyType, K: for<'a> From<hkdf::Okm<'a, T>>>(self, salt: &[u8], key: &Key, kind: T) -> K {
        let info = [self.0.as_bytes()];
        let derived = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(key.as_bytes());
        // RFC 5869, section 2.3, limits the output to 255 times the hash's length; this one is the hash's length.
        derived.expand(&info, kind).expect("32 bytes are within the limit of HKDF").into()
    }
}

// Not a secret. It separates this crate's use of a key from whatever else the key may be used for.
const SALT: &[u8] = b"nexios-signer 1";

// Likewise, and sealing from signing, whatever the labels are.
const SEAL_SALT: &[u8] = b"nexios-signer seal 1";
