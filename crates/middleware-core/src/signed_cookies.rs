use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nexios_cookie_config::CookieConfig;
use nexios_signer::SignedBy;
use nexios_store_core::Timestamp;

use crate::SessionManager;

/// The signed cookies of one request: text that the visitor keeps for the application, and cannot change.
///
/// For what the visitor may read, is small, and need not be taken back: a theme, a dismissed notice. What must be
/// secret, large or revocable belongs into the [session](crate::Session). A cookie is signed together with its name,
/// under sub-keys of its own: it is worth nothing under another name, nor as a session's cookie.
///
/// What was set or removed goes out with the response, and is what [`get`](Self::get) sees from then on. A clone is the
/// same request's cookies.
///
/// # Examples
///
/// ```
/// use nexios_middleware_core::{SignedCookieError, SignedCookies};
///
/// fn theme(cookies: &SignedCookies) -> Result<String, SignedCookieError> {
///     if let Some(theme) = cookies.get("theme")? {
///         return Ok(theme);
///     }
///     cookies.set("theme", "dark")?;
///     Ok("dark".to_owned())
/// }
/// ```
#[derive(Clone)]
pub struct SignedCookies(Arc<Inner>);

struct Inner {
    manager: SessionManager,
    cookie_header: Vec<u8>,
    jar: Mutex<Jar>,
}

#[derive(Default)]
struct Jar {
    /// The response depends on what the request's cookies say.
    looked_at: bool,
    changes: BTreeMap<String, Change>,
}

/// What the visitor will have under a name, and the line that says so.
struct Change {
    value: Option<String>,
    set_cookie: String,
}

impl SignedCookies {
    pub(crate) fn new(manager: SessionManager, cookie_header: Vec<u8>) -> Self {
        Self(Arc::new(Inner { manager, cookie_header, jar: Mutex::default() }))
    }

    /// The text of the cookie `name`; `None` if the visitor has none, or one whose time is over.
    ///
    /// Of several cookies of this name (for other paths or domains) the first that verifies counts. One that an old key
    /// has signed is signed anew with the response.
    ///
    /// # Errors
    ///
    /// * [`Tampered`](SignedCookieErrorKind::Tampered): there is one, but not as we have signed it.
    /// * [`BadName`](SignedCookieErrorKind::BadName): as [`set`](Self::set).
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{SessionManager, SignedCookieErrorKind};
    /// # use nexios_signer::{Key, KeyRing};
    /// # use nexios_store_memory::MemoryStore;
    /// # let manager = SessionManager::builder(MemoryStore::new()).keys(KeyRing::new(Key::generate()?)).build()?;
    /// let cookies = manager.request([b"theme=dark"]).signed_cookies();
    /// assert_eq!(cookies.get("font")?, None);
    /// let error = cookies.get("theme").unwrap_err();
    /// assert_eq!(error.kind(), SignedCookieErrorKind::Tampered, "nobody has signed it");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get(&self, name: &str) -> Result<Option<String>, SignedCookieError> {
        let config = self.config(name)?;
        let mut jar = self.jar();
        jar.looked_at = true;
        if let Some(change) = jar.changes.get(name) {
            return Ok(change.value.clone());
        }
        let mut is_tampered = false;
        for candidate in config.candidates(&self.0.cookie_header).take(MAX_VERIFICATIONS) {
            let Some(opened) = self.open(name, candidate) else {
                is_tampered = true;
                continue;
            };
            if opened.expires_at.is_some_and(|expires_at| expires_at <= self.0.manager.now()) {
                is_tampered = false;
                break;
            }
            if opened.signed_by.is_retired() {
                self.0.manager.note_retired_key();
                let set_cookie = self.set_cookie(&config, &opened.value, opened.expires_at)?;
                jar.changes.insert(name.to_owned(), Change { value: Some(opened.value.clone()), set_cookie });
            }
            return Ok(Some(opened.value));
        }
        if is_tampered { Err(SignedCookieError::new(name, SignedCookieErrorKind::Tampered)) } else { Ok(None) }
    }

    /// Sets the cookie `name` to `value`, until the browser is closed.
    ///
    /// # Errors
    ///
    /// * [`BadName`](SignedCookieErrorKind::BadName): the name is that of the cookie of a session, this one or one
    ///   [beside](crate::SessionManagerBuilder::beside) it, is no RFC 6265 token, or has a prefix that the attributes do
    ///   not live up to.
    /// * [`TooLarge`](SignedCookieErrorKind::TooLarge): name and signed value are longer than the 4096 bytes that
    ///   browsers accept. The signed value is a third longer than `value`, and 44 bytes for the signature.
    pub fn set(&self, name: &str, value: &str) -> Result<(), SignedCookieError> {
        self.put(name, value, None)
    }

    /// Sets the cookie `name` to `value` for so long. The end is signed too, and the server keeps to it.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_middleware_core::{SignedCookieError, SignedCookies};
    /// use std::time::Duration;
    ///
    /// fn dismiss_notice(cookies: &SignedCookies) -> Result<(), SignedCookieError> {
    ///     cookies.set_for("notice", "dismissed", Duration::from_secs(24 * 60 * 60))
    /// }
    /// ```
    pub fn set_for(&self, name: &str, value: &str, lifetime: Duration) -> Result<(), SignedCookieError> {
        self.put(name, value, Some(self.0.manager.now().saturating_add(lifetime)))
    }

    /// Removes the cookie `name`, whether or not the visitor has one.
    ///
    /// # Errors
    ///
    /// [`BadName`](SignedCookieErrorKind::BadName): as [`set`](Self::set).
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::SessionManager;
    /// # use nexios_signer::{Key, KeyRing};
    /// # use nexios_store_memory::MemoryStore;
    /// # let manager = SessionManager::builder(MemoryStore::new()).keys(KeyRing::new(Key::generate()?)).build()?;
    /// let cookies = manager.request([b""]).signed_cookies();
    /// cookies.set("theme", "dark")?;
    /// assert_eq!(cookies.get("theme")?.as_deref(), Some("dark"));
    /// cookies.remove("theme")?;
    /// assert_eq!(cookies.get("theme")?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn remove(&self, name: &str) -> Result<(), SignedCookieError> {
        let set_cookie = self.config(name)?.removal_cookie();
        self.jar().changes.insert(name.to_owned(), Change { value: None, set_cookie });
        Ok(())
    }

    /// The `Set-Cookie` lines of what was changed.
    pub(crate) fn set_cookies(&self) -> Vec<String> {
        self.jar().changes.values().map(|change| change.set_cookie.clone()).collect()
    }

    pub(crate) fn looked_at(&self) -> bool {
        self.jar().looked_at
    }

    fn put(&self, name: &str, value: &str, expires_at: Option<Timestamp>) -> Result<(), SignedCookieError> {
        let set_cookie = self.set_cookie(&self.config(name)?, value, expires_at)?;
        self.jar().changes.insert(name.to_owned(), Change { value: Some(value.to_owned()), set_cookie });
        Ok(())
    }

    fn set_cookie(
        &self,
        config: &CookieConfig,
        value: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<String, SignedCookieError> {
        let manager = &self.0.manager;
        let mut signed = URL_SAFE_NO_PAD.encode(value);
        if let Some(expires_at) = expires_at {
            signed.push('.');
            signed.push_str(&expires_at.as_unix_millis().to_string());
        }
        signed.push('.');
        manager.signers().sign_cookie(config.name(), value, expires_at).push_to(&mut signed);
        let lifetime = expires_at.map(|expires_at| manager.cookie_lifetime(expires_at));
        let too_large = |_| SignedCookieError::new(config.name(), SignedCookieErrorKind::TooLarge);
        config.set_cookie(&signed, lifetime).map_err(too_large)
    }

    /// What a cookie's value says, if we have signed it under this name.
    fn open(&self, name: &str, signed: &[u8]) -> Option<Opened> {
        let (encoded, rest) = std::str::from_utf8(signed).ok()?.split_once('.')?;
        let (expires_at, tag) = match rest.split_once('.') {
            None => (None, rest),
            Some((millis, tag)) => (Some(Timestamp::from_unix_millis(canonical_number(millis)?)), tag),
        };
        let value = String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()?;
        let signed_by = self.0.manager.signers().verify_cookie(name, &value, expires_at, tag)?;
        Some(Opened { value, expires_at, signed_by })
    }

    fn config(&self, name: &str) -> Result<CookieConfig, SignedCookieError> {
        let config = self.0.manager.signed_cookie(name);
        config.ok_or_else(|| SignedCookieError::new(name, SignedCookieErrorKind::BadName))
    }

    fn jar(&self) -> MutexGuard<'_, Jar> {
        self.0.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Opened {
    value: String,
    expires_at: Option<Timestamp>,
    signed_by: SignedBy,
}

/// A number in the only spelling that we write: a cookie must have no second one.
fn canonical_number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

impl fmt::Debug for SignedCookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedCookies").field("changed", &self.jar().changes.len()).finish_non_exhaustive()
    }
}

/// A signed cookie cannot be read or set. Names the cookie, and shows nothing of its value.
///
/// # Examples
///
/// ```
/// # use nexios_middleware_core::SessionManager;
/// # use nexios_signer::{Key, KeyRing};
/// # use nexios_store_memory::MemoryStore;
/// # let manager = SessionManager::builder(MemoryStore::new()).keys(KeyRing::new(Key::generate()?)).build()?;
/// let cookies = manager.request([b"theme=forged"]).signed_cookies();
/// assert_eq!(cookies.get("theme").unwrap_err().status(), 400);
/// assert_eq!(cookies.set("sessionid", "mine").unwrap_err().status(), 500);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCookieError {
    name: String,
    kind: SignedCookieErrorKind,
}

/// What a [`SignedCookieError`] means for the caller.
///
/// # Examples
///
/// ```
/// use nexios_middleware_core::{SignedCookieError, SignedCookieErrorKind, SignedCookies};
///
/// /// The visitor's theme; a cookie that was tampered with is as good as none.
/// fn theme(cookies: &SignedCookies) -> Result<Option<String>, SignedCookieError> {
///     match cookies.get("theme") {
///         Err(error) if error.kind() == SignedCookieErrorKind::Tampered => Ok(None),
///         other => other,
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignedCookieErrorKind {
    /// The visitor's cookie is not as we have signed it, or we have not signed it at all.
    Tampered,
    /// There can be no signed cookie of this name.
    BadName,
    /// The value is too long for a cookie.
    TooLarge,
}

impl SignedCookieError {
    fn new(name: &str, kind: SignedCookieErrorKind) -> Self {
        let name = name.chars().take(64).flat_map(char::escape_debug).collect();
        Self { name, kind }
    }

    /// What the error means for the caller.
    pub const fn kind(&self) -> SignedCookieErrorKind {
        self.kind
    }

    /// The HTTP status for a request that fails for this reason: 400 if the visitor's cookie is to blame, otherwise 500.
    pub const fn status(&self) -> u16 {
        match self.kind {
            SignedCookieErrorKind::Tampered => 400,
            SignedCookieErrorKind::BadName | SignedCookieErrorKind::TooLarge => 500,
        }
    }

    /// Writes the error to the log, unless the visitor's cookie is to blame. For adapters, where an error becomes an answer.
    pub fn log(&self) {
        if self.status() >= 500 {
            tracing::error!(error = self as &dyn std::error::Error, "signed cookie failed");
        }
    }
}

impl fmt::Display for SignedCookieError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "signed cookie `{}` ", self.name)?;
        f.write_str(match self.kind {
            SignedCookieErrorKind::Tampered => "was tampered with",
            SignedCookieErrorKind::BadName => {
                "cannot have this name: it must be an RFC 6265 token, other than a session cookie's"
            }
            SignedCookieErrorKind::TooLarge => "would be longer than 4096 bytes",
        })
    }
}

impl std::error::Error for SignedCookieError {}

/// How many cookies of one name are verified.
const MAX_VERIFICATIONS: usize = 64;
