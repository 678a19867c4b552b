use ring::{hkdf, hmac};

use crate::Key;

/// The purpose of signatures and seals: a fixed label that separates one use of a key from every other.
///
/// Each purpose has sub-keys of its own, one to sign and one to seal. Somebody who can have values signed for one
/// purpose gains nothing for another. Declare purposes as constants, with labels that nobody else would choose:
///
/// ```
/// use nexios_signer::Purpose;
///
/// const UNSUBSCRIBE_LINK: Purpose = Purpose::new("example.org unsubscribe link");
/// ```
///
/// The label goes into every signature and seal. If you change it, all of them become invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Purpose(&'static str);

impl Purpose {
    /// Makes the purpose with this label. Different labels give independent sub-keys.
    pub const fn new(label: &'static str) -> Self {
        Self(label)
    }

    /// The sub-key that signs for this purpose.
    pub(crate) fn sub_key(self, key: &Key, application: Option<&str>) -> hmac::Key {
        self.derive(SALT, key, application, hmac::HMAC_SHA256)
    }

    /// The root from which the keys that seal are derived. It has nothing in common with the sub-key that signs.
    pub(crate) fn seal_root(self, key: &Key, application: Option<&str>) -> hkdf::Prk {
        self.derive(SEAL_SALT, key, application, hkdf::HKDF_SHA256)
    }

    fn derive<T: hkdf::KeyType, K: for<'a> From<hkdf::Okm<'a, T>>>(
        self,
        salt: &[u8],
        key: &Key,
        application: Option<&str>,
        kind: T,
    ) -> K {
        let info = [self.0.as_bytes()];
        // A name goes into the salt, so that no label gives the same sub-key as another label under a name.
        let named = application.map(|name| [salt, APPLICATION, name.as_bytes()].concat());
        let salt = named.as_deref().unwrap_or(salt);
        let derived = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(key.as_bytes());
        // RFC 5869, section 2.3, limits the output to 255 times the length of the hash; this output is as long as one.
        derived.expand(&info, kind).expect("32 bytes are within the limit of HKDF").into()
    }
}

// Not a secret. It separates this crate's use of a key from any other use of the same key.
const SALT: &[u8] = b"nexios-signer 1";

// Between a salt and the name of an application. A name has no blanks, so no two names give the same salt.
const APPLICATION: &[u8] = b" application ";

// Not a secret either. It separates sealing from signing, whatever the labels are.
const SEAL_SALT: &[u8] = b"nexios-signer seal 1";
