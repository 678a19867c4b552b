use std::fmt;
use std::sync::Arc;

use nexios_settings::{Setting, SettingError};

use crate::error::Problem;
use crate::{Key, KeyError, Purpose, Sealer, Signer};

/// The keys of an application: one that signs and seals, and retired ones that still verify and open.
///
/// # Replacing a key
///
/// A new key takes three steps. Let all processes have each of them before you begin the next:
///
/// 1. `old, new`: everybody accepts the new key, and nobody uses it yet.
/// 2. `new, old`: everybody signs and seals with it.
/// 3. `new`, once nothing that the old key signed or sealed needs to be accepted any more.
///
/// If you leave out the first, a process that does not have the new key refuses what the others have signed. Keep the
/// ring short: each retired key costs one more HMAC for a signature that no key
/// made, and one more decryption for a seal that no key made.
///
/// A clone is cheap and shares the keys. A ring is never empty.
///
/// # Examples
///
/// ```
/// use nexios_signer::KeyRing;
///
/// # let [new, old] = [(); 2].map(|()| nexios_signer::Key::generate().unwrap().to_text().unwrap());
/// # let setting = format!("{}, {}", *new, *old);
/// let ring = KeyRing::from_text(&setting)?; // two keys, with a comma between them
/// assert_eq!(ring.len(), 2);
/// # Ok::<(), nexios_signer::KeyError>(())
/// ```
#[derive(Clone)]
pub struct KeyRing(Arc<Keys>);

#[derive(Clone)]
struct Keys {
    first: Key,
    retired: Vec<Key>,
    application: Option<String>,
}

impl KeyRing {
    /// Makes a ring of one key.
    pub fn new(first: Key) -> Self {
        Self(Arc::new(Keys { first, retired: Vec::new(), application: None }))
    }

    /// Adds a key behind the others. It verifies and opens, but never signs or seals.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_signer::{Key, KeyRing};
    ///
    /// let (new, old) = (Key::generate()?, Key::generate()?);
    /// let ring = KeyRing::new(new).with_retired(old);
    /// assert_eq!(ring.len(), 2);
    /// # Ok::<(), nexios_signer::KeyError>(())
    /// ```
    #[must_use]
    pub fn with_retired(mut self, key: Key) -> Self {
        Arc::make_mut(&mut self.0).retired.push(key);
        self
    }

    /// Reads keys that are separated by commas, each as [`Key::from_text`] does. The first key signs.
    ///
    /// # Errors
    ///
    /// Fails if [`Key::from_text`] refuses one of the keys. The error gives the number of that key.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_signer::KeyRing;
    ///
    /// let error = KeyRing::from_text("changeme, short").unwrap_err();
    /// assert_eq!(error.to_string(), "key 1 of 2 is shorter than 32 bytes");
    /// ```
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        let count = text.split(',').count();
        let mut keys =
            text.split(',').zip(1..).map(|(key, number)| Key::from_text(key).map_err(|e| e.at(number, count)));
        let first = keys.next().unwrap_or_else(|| Err(Problem::Empty.into()))?;
        Ok(Self(Arc::new(Keys { first, retired: keys.collect::<Result<_, _>>()?, application: None })))
    }

    /// Gives the ring the name of an application. Everything that is derived from its keys depends on the name.
    ///
    /// Two applications that have one key, by choice or because somebody has copied a setting, accept each other's signed
    /// cookies and sealed sessions. With a name each, they accept nothing of each other. Choose the name once: with
    /// another one, all that was signed and sealed before is worth nothing.
    ///
    /// # Errors
    ///
    /// Fails if the name is not 1 to 64 letters, digits, `-`, `_` and `.`.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_signer::{Key, KeyRing, Purpose};
    ///
    /// const COUPON: Purpose = Purpose::new("coupon");
    ///
    /// let keys = KeyRing::new(Key::generate()?);
    /// let (shop, forum) = (keys.clone().for_application("shop")?, keys.for_application("forum")?);
    /// let tag = shop.signer(COUPON).sign(b"percent", b"20").to_text();
    /// assert!(forum.signer(COUPON).verify(b"percent", b"20", &tag).is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn for_application(self, name: &str) -> Result<Self, SettingError> {
        let name =
            Application::parse(name).ok_or_else(|| SettingError::new("application", name, Application::ALLOWED))?;
        Ok(self.of(Some(name)))
    }

    pub(crate) fn of(mut self, application: Option<Application>) -> Self {
        Arc::make_mut(&mut self.0).application = application.map(|name| name.0);
        self
    }

    /// Returns the number of keys, which is at least one.
    #[expect(clippy::len_without_is_empty, reason = "a ring is never empty")]
    pub fn len(&self) -> usize {
        1 + self.0.retired.len()
    }

    /// Prepares the keys to sign and verify for one purpose.
    ///
    /// This derives a sub-key from each key, so call it once and keep the signer.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_signer::{Key, KeyRing, Purpose};
    ///
    /// let keys = KeyRing::new(Key::generate()?);
    /// let (coupons, links) = (keys.signer(Purpose::new("coupon")), keys.signer(Purpose::new("link")));
    /// let tag = coupons.sign(b"percent", b"20").to_text();
    /// assert!(coupons.verify(b"percent", b"20", &tag).is_some());
    /// assert!(links.verify(b"percent", b"20", &tag).is_none());
    /// # Ok::<(), nexios_signer::KeyError>(())
    /// ```
    pub fn signer(&self, purpose: Purpose) -> Signer {
        let Keys { first, retired, application } = &*self.0;
        let sub_key = |key| purpose.sub_key(key, application.as_deref());
        Signer::new(sub_key(first), retired.iter().map(sub_key).collect())
    }

    /// Prepares the keys to seal and open for one purpose.
    ///
    /// This derives a sub-key from each key, so call it once and keep the sealer. The sealer is independent of the
    /// signer for the same purpose.
    pub fn sealer(&self, purpose: Purpose) -> Sealer {
        let Keys { first, retired, application } = &*self.0;
        let seal_root = |key| purpose.seal_root(key, application.as_deref());
        Sealer::new(seal_root(first), retired.iter().map(seal_root).collect())
    }
}

/// The name of an application.
pub(crate) struct Application(String);

impl Setting for Application {
    const ALLOWED: &'static str = "1 to 64 letters, digits, `-`, `_` and `.`";

    fn parse(text: &str) -> Option<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        ((1..=64).contains(&text.len()) && text.bytes().all(is_allowed)).then(|| Self(text.to_owned()))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing(number of keys: {})", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "0123456789abcdefghijklmnopqrstuv";
    const TWO: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

    fn keys(ring: &KeyRing) -> Vec<&[u8]> {
        std::iter::once(&ring.0.first).chain(&ring.0.retired).map(Key::as_bytes).collect()
    }

    #[test]
    fn keys_are_separated_by_commas_and_trimmed() {
        for (text, expected) in [
            (ONE.to_owned(), vec![ONE]),
            (format!("{ONE},{TWO}"), vec![ONE, TWO]),
            (format!(" {TWO} ,\n{ONE}\n"), vec![TWO, ONE]),
        ] {
            let ring = KeyRing::from_text(&text).unwrap();
            assert_eq!(keys(&ring), expected.iter().map(|key| key.as_bytes()).collect::<Vec<_>>());
            assert_eq!(ring.len(), expected.len());
        }
    }

    #[test]
    fn a_wrong_key_is_named_by_its_number() {
        for (text, message) in [
            (String::new(), "key is empty"),
            ("short".to_owned(), "key is shorter than 32 bytes"),
            (",".to_owned(), "key 1 of 2 is empty"),
            (format!("{ONE},"), "key 2 of 2 is empty"),
            (format!(",{ONE}"), "key 1 of 2 is empty"),
            (format!("{ONE}, ,{TWO}"), "key 2 of 3 is empty"),
            (format!("{ONE},{TWO},short"), "key 3 of 3 is shorter than 32 bytes"),
            (format!("{ONE},{}", "a".repeat(40)), "key 2 of 2 has fewer than 12 different characters"),
        ] {
            assert_eq!(KeyRing::from_text(&text).unwrap_err().to_string(), message, "{text:?}");
        }
    }

    #[test]
    fn adding_a_retired_key_leaves_clones_as_they_were() {
        let ring = KeyRing::new(Key::from_text(ONE).unwrap());
        let longer = ring.clone().with_retired(Key::from_text(TWO).unwrap());
        assert_eq!(keys(&ring), [ONE.as_bytes()]);
        assert_eq!(keys(&longer), [ONE.as_bytes(), TWO.as_bytes()]);
    }
}
