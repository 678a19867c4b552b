use std::fmt;
use std::sync::Arc;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce};
use ring::hkdf;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::SignedBy;
use crate::error::{SealError, SealProblem};

/// Seals byte strings for one [`Purpose`](crate::Purpose), and opens them: encryption that nobody can change unnoticed.
///
/// Comes from [`KeyRing::sealer`](crate::KeyRing::sealer) with its keys prepared; make one per purpose and keep it. A
/// clone is cheap and shares the keys. There is no limit to how many values one key may seal.
///
/// The name is not part of what is sealed and must be known to open it: what was sealed under one name does not open
/// under another. The length of the plaintext shows.
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

/// What message keys are derived from, one for each key of the ring.
struct Roots {
    first: hkdf::Prk,
    retired: Vec<hkdf::Prk>,
}

impl Sealer {
    /// By how many bytes a sealed value is longer than its plaintext.
    pub const OVERHEAD: usize = HEADER_LEN + TAG_LEN;

    pub(crate) fn new(first: hkdf::Prk, retired: Vec<hkdf::Prk>) -> Self {
        Self(Arc::new(Roots { first, retired }))
    }

    /// Seals a value under a name, with the first key. No two calls give the same bytes.
    ///
    /// # Errors
    ///
    /// When the system's random generator fails, which a running system's does not, or when the value is longer than
    /// 64 GiB.
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

    /// Opens what was sealed under this name; `None` if no key of the ring did that.
    ///
    /// A key that is not on the ring, another name or purpose, and bytes that were changed or cut look all the same.
    /// Each key of the ring is tried at most once.
    #[must_use]
    pub fn open(&self, name: &[u8], sealed: &[u8]) -> Option<Opened> {
        let (&version, rest) = sealed.split_first()?;
        let (salt, ciphertext) = rest.split_first_chunk::<SALT_LEN>()?;
        if version != VERSION || ciphertext.len() < TAG_LEN {
            return None;
        }
        let associated_data = associated_data(name);
        // One buffer for all keys: the ciphertext is decrypted where it stands, and gone if the key was not the one.
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

    /// Whether these bytes say that they were sealed in a format which only a newer version of this crate knows.
    ///
    /// [`open`](Self::open) does not open them. Nothing vouches for the answer: it is for telling a program that is too old
    /// from damage, so that the value can be left alone.
    #[must_use]
    pub fn is_newer_format(sealed: &[u8]) -> bool {
        sealed.first().is_some_and(|&version| version > VERSION)
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

/// What [`Sealer::open`] found.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opened {
    /// What was sealed.
    pub plaintext: Vec<u8>,
    /// Which key of the ring had sealed it.
    pub sealed_by: SignedBy,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("sealed_by", &self.sealed_by).finish_non_exhaustive()
    }
}

/// The key of one message: HKDF-Expand, of which the salt is the `info`.
///
/// The first half of HKDF is for input that is not uniform (RFC 5869, section 3.3). A root is.
fn message_key(root: &hkdf::Prk, salt: &[u8; SALT_LEN]) -> LessSafeKey {
    let info: [&[u8]; 1] = [salt];
    // RFC 5869, section 2.3, limits the output to 255 times the hash's length; this one is the hash's length.
    let key = root.expand(&info, &AES_256_GCM).expect("32 bytes are within the limit of HKDF");
    LessSafeKey::new(key.into())
}

/// The same for all messages, because each has a key of its own, which seals nothing else.
fn only_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

/// What is authenticated without being part of the message: the format, and the name with its length.
fn associated_data(name: &[u8]) -> Vec<u8> {
    [&[VERSION], &(name.len() as u64).to_be_bytes()[..], name].concat()
}

// The first byte of everything that is sealed; another scheme takes a higher one.
const VERSION: u8 = 1;

// With 256 random bits two messages never have the same key: after 2^64 of them the odds are still 1 to 2^129.
const SALT_LEN: usize = 32;
const HEADER_LEN: usize = 1 + SALT_LEN;
const TAG_LEN: usize = ring::aead::MAX_TAG_LEN;
