use std::fmt;
use std::sync::Arc;

use ring::hmac;

use crate::Tag;
use crate::message::{Message, STACK_LEN};

/// The means to sign values for one [`Purpose`](crate::Purpose), and to verify them.
///
/// Get one from [`KeyRing::signer`](crate::KeyRing::signer), which prepares the keys, and keep it: one signer per
/// purpose is enough. A clone is cheap and shares the keys.
///
/// # Examples
///
/// ```
/// use nexios_signer::{Key, KeyRing, Purpose, SignedBy};
///
/// let signer = KeyRing::new(Key::generate()?).signer(Purpose::new("example.org cookie"));
/// let tag = signer.sign(b"theme", b"dark");
///
/// assert_eq!(signer.verify(b"theme", b"dark", &tag.to_text()), Some(SignedBy::First));
/// assert_eq!(signer.verify(b"role", b"dark", &tag.to_text()), None);
/// # Ok::<(), nexios_signer::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Signer(Arc<SubKeys>);

struct SubKeys {
    first: hmac::Key,
    retired: Vec<hmac::Key>,
}

impl Signer {
    pub(crate) fn new(first: hmac::Key, retired: Vec<hmac::Key>) -> Self {
        Self(Arc::new(SubKeys { first, retired }))
    }

    /// Makes the tag of a value under a name, with the first key. Does not allocate.
    pub fn sign(&self, name: &[u8], value: &[u8]) -> Tag {
        sign(&self.0.first, &Message::new(name, value))
    }

    /// Makes the tag under each key of the ring, starting with the first key.
    ///
    /// Use it to look something up that was stored under the tag of a key that has since been retired.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_signer::{Key, KeyRing, Purpose};
    ///
    /// let (new, old) = (Key::generate()?, Key::generate()?);
    /// let purpose = Purpose::new("example.org index");
    /// let kept = KeyRing::new(old.clone()).signer(purpose).sign(b"user", b"ada");
    ///
    /// let signer = KeyRing::new(new).with_retired(old).signer(purpose);
    /// let mut tags = signer.sign_with_each(b"user", b"ada");
    /// assert!(tags.any(|tag| tag.as_bytes() == kept.as_bytes()));
    /// # Ok::<(), nexios_signer::KeyError>(())
    /// ```
    pub fn sign_with_each<'a>(&'a self, name: &'a [u8], value: &'a [u8]) -> impl Iterator<Item = Tag> + 'a {
        let message = Message::new(name, value);
        self.keys().map(move |(key, _)| sign(key, &message))
    }

    /// Returns which key made this tag for this name and value, or `None` if no key of the ring did.
    ///
    /// Only the full text that [`Tag::to_text`] gives is accepted. Tags are compared in constant time. Does not
    /// allocate unless name and value together are longer than about 500 bytes.
    #[must_use]
    pub fn verify(&self, name: &[u8], value: &[u8], tag: impl AsRef<[u8]>) -> Option<SignedBy> {
        self.verify_tag(name, value, &Tag::decode(tag.as_ref())?)
    }

    /// Verifies a tag that was kept as bytes, as [`verify`](Self::verify) does with text.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_signer::{Key, KeyRing, Purpose};
    ///
    /// let signer = KeyRing::new(Key::generate()?).signer(Purpose::new("example.org file"));
    /// let tag = *signer.sign(b"name", b"content").as_bytes();
    /// assert!(signer.verify_tag(b"name", b"content", &tag).is_some());
    /// assert!(signer.verify_tag(b"name", b"another", &tag).is_none());
    /// # Ok::<(), nexios_signer::KeyError>(())
    /// ```
    #[must_use]
    pub fn verify_tag(&self, name: &[u8], value: &[u8], tag: &[u8; Tag::LEN]) -> Option<SignedBy> {
        Message::new(name, value).with_bytes(|message| {
            let mut keys = self.keys();
            keys.find(|(key, _)| hmac::verify(key, message, tag).is_ok()).map(|(_, signed_by)| signed_by)
        })
    }

    fn keys(&self) -> impl Iterator<Item = (&hmac::Key, SignedBy)> {
        let retired = self.0.retired.iter().map(|key| (key, SignedBy::Retired));
        std::iter::once((&self.0.first, SignedBy::First)).chain(retired)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(..)")
    }
}

/// The key of the ring that made a signature or a seal.
///
/// # Examples
///
/// ```
/// use nexios_signer::{Key, KeyRing, Purpose};
///
/// let (new, old) = (Key::generate()?, Key::generate()?);
/// let purpose = Purpose::new("example.org cookie");
/// let tag = KeyRing::new(old.clone()).signer(purpose).sign(b"theme", b"dark").to_text();
///
/// let signer = KeyRing::new(new).with_retired(old).signer(purpose);
/// let signed_by = signer.verify(b"theme", b"dark", &tag).expect("one of the keys has signed it");
/// assert!(signed_by.is_retired(), "so sign it again");
/// # Ok::<(), nexios_signer::KeyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignedBy {
    /// The key that signs and seals today.
    First,
    /// A key that only verifies and opens. Sign or seal the value again, so that you can remove the key one day.
    Retired,
}

impl SignedBy {
    /// Returns `true` if the value should be signed or sealed again.
    #[must_use]
    pub const fn is_retired(self) -> bool {
        matches!(self, Self::Retired)
    }
}

fn sign(key: &hmac::Key, message: &Message<'_>) -> Tag {
    if let Some(bytes) = message.in_one_piece(&mut [0; STACK_LEN]) {
        return Tag::from_hmac(hmac::sign(key, bytes));
    }
    let mut context = hmac::Context::with_key(key);
    for part in message.parts() {
        context.update(part);
    }
    Tag::from_hmac(context.sign())
}
