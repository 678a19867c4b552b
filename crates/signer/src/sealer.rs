use std::fmt;
use std::sync::Arc;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce};
use ring::hkdf;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::SignedBy;
use crate::error::{SealError, SealProblem};

/// The means to seal byte strings for one [`Purpose`](crate::Purpose), and to open them again. A seal is encryption
/// that nobody can change unnoticed.
///
/// Get one from [`KeyRing::sealer`](crate::KeyRing::sealer), which prepares the keys, and keep it: one sealer per
/// purpose is enough. A clone is cheap and shares the keys. There is no limit to how many values one key may seal.
///
/// The name is not stored in the sealed value, and you need it to open the value: a value that was sealed under one
/// name does not open under another. The length of the plaintext is not hidden.
///
/// # Examples
///
/// ```
/// use nexios_signer::{Key, KeyRing, Purpose, SignedBy};
///
/// let sealer = KeyRing::new(Key::generate()?).sealer(Purpose::new("example.org draft"));
/// let sealed = sealer.seal(b"letter 7", b"Dear Ada")?;
///
/// let opened = sealer.open(b"letter 7", &sealed).expect("it was sealed under this name");
/// assert_eq!((&*opened.plaintext, opened.sealed_by), (&b"Dear Ada"[..], SignedBy::First));
/// assert!(sealer.open(b"letter 8", &sealed).is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Sealer(Arc<Roots>);

/// The roots from which message keys are derived, one for each key of the ring.
struct Roots {
    first: hkdf::Prk,
    retired: Vec<hkdf::Prk>,
}

impl Sealer {
    /// The number of bytes by which a sealed value is longer than its plaintext.
    pub const OVERHEAD: usize = HEADER_LEN + TAG_LEN;

    pub(crate) fn new(first: hkdf::Prk, retired: Vec<hkdf::Prk>) -> Self {
        Self(Arc::new(Roots { first, retired }))
    }

    /// Seals a value under a name, with the first key. No two calls give the same bytes.
    ///
    /// # Errors
    ///
    /// Fails if the value is longer than 64 GiB, or if the system's random generator fails, which does not happen on a
    /// running system.
    pub fn seal(&self, name: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut salt = [0; SALT_LEN];
        SystemRandom::new().fill(&mut salt).map_err(|_| SealProblem::Random)?;
        let mut sealed = Vec::with_capacity(Self::OVERHEAD + plaintext.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&salt);
        sealed.extend_from_slice(plaintext);
        let tag = message_key(&self.0.first, &salt)
            .seal_in_place_separate_tag(only_nonce(), Aad::from(associated_data(name)), &mut sealed[HEADER_LEN..])
            .map_err(|_| SealProblem::TooLong)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens a value that was sealed under this name, or returns `None` if no key of the ring opens it.
    ///
    /// The answer is the same for a key that is not on the ring, for another name or purpose, and for bytes that were
    /// changed or cut. Each key of the ring is tried at most once.
    #[must_use]
    pub fn open(&self, name: &[u8], sealed: &[u8]) -> Option<Opened> {
        let (&version, rest) = sealed.split_first()?;
        let (salt, ciphertext) = rest.split_first_chunk::<SALT_LEN>()?;
        if version != VERSION || ciphertext.len() < TAG_LEN {
            return None;
        }
        let associated_data = associated_data(name);
        // One buffer for all keys. Decryption happens in place and destroys the ciphertext, so it is copied for each
        // key.
        let mut buffer = Vec::with_capacity(ciphertext.len());
        self.roots().find_map(|(root, sealed_by)| {
            buffer.clear();
            buffer.extend_from_slice(ciphertext);
            let key = message_key(root, salt);
            let len = key.open_in_place(only_nonce(), Aad::from(&associated_data), &mut buffer).ok()?.len();
            buffer.truncate(len);
            Some(Opened { plaintext: std::mem::take(&mut buffer), sealed_by })
        })
    }

    /// Returns `true` if these bytes say that they were sealed in a format that only a newer version of this crate
    /// knows.
    ///
    /// [`open`](Self::open) does not open such bytes. Use this to tell a program that is too old from a value that is
    /// damaged, and leave the value alone in the first case. Nothing vouches for the answer.
    ///
    /// Formats have first bytes up to 0x7f. Let what you may keep in the clear begin with a higher one, and neither is
    /// taken for the other.
    #[must_use]
    pub fn is_newer_format(sealed: &[u8]) -> bool {
        sealed.first().is_some_and(|version| (VERSION + 1..=LAST_VERSION).contains(version))
    }

    fn roots(&self) -> impl Iterator<Item = (&hkdf::Prk, SignedBy)> {
        let retired = self.0.retired.iter().map(|root| (root, SignedBy::Retired));
        std::iter::once((&self.0.first, SignedBy::First)).chain(retired)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(..)")
    }
}

/// A value that [`Sealer::open`] has opened.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opened {
    /// The value as it was before it was sealed.
    pub plaintext: Vec<u8>,
    /// The key of the ring that sealed it.
    pub sealed_by: SignedBy,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("sealed_by", &self.sealed_by).finish_non_exhaustive()
    }
}

/// The key of one message: HKDF-Expand with the salt as its `info`.
///
/// HKDF-Extract, the first half of HKDF, is for input that is not uniform (RFC 5869, section 3.3). A root is uniform.
fn message_key(root: &hkdf::Prk, salt: &[u8; SALT_LEN]) -> LessSafeKey {
    let info: [&[u8]; 1] = [salt];
    // RFC 5869, section 2.3, limits the output to 255 times the length of the hash; this output is as long as one.
    let key = root.expand(&info, &AES_256_GCM).expect("32 bytes are within the limit of HKDF");
    LessSafeKey::new(key.into())
}

/// The same nonce for all messages: each message has a key of its own, which seals nothing else.
fn only_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

/// The data that is authenticated without being part of the message: the format, and the name with its length.
fn associated_data(name: &[u8]) -> Vec<u8> {
    [&[VERSION], &(name.len() as u64).to_be_bytes()[..], name].concat()
}

// The first byte of every sealed value. Another scheme must use a higher byte.
const VERSION: u8 = 1;

/// Higher bytes are left to what is sealed, so that bytes in the clear can be told from a newer seal.
const LAST_VERSION: u8 = 0x7f;

// With 256 random bits, two messages never have the same key: after 2^64 messages the odds are still 1 to 2^129.
const SALT_LEN: usize = 32;
const HEADER_LEN: usize = 1 + SALT_LEN;
const TAG_LEN: usize = ring::aead::MAX_TAG_LEN;
