//! The room of the application's signed cookies, which need no store.

pub(crate) mod error;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nexios_cookie_config::CookieConfig;
use nexios_signer::SignedBy;
use nexios_store_core::Timestamp;

use crate::events::Event;
use crate::services::Services;
use crate::signed_cookies::error::SignedCookieError;

/// The signed cookies of one request: text that the visitor keeps for the application, and cannot change.
///
/// Choose them for text that is small, that the visitor may read, and that you need not take back: a theme, a dismissed
/// notice. What must be secret, large or revocable belongs in the [session](crate::Session).
///
/// A cookie is signed together with its name, and with sub-keys that are used for nothing else. So it is worthless
/// under another name, or as the cookie of a session. Cookies that you set or remove go out with the response, and
/// [`get`](Self::get) sees them at once. If the answer is replaced because its session failed, they do not go out. A
/// clone is the same request's cookies.
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
    services: Arc<Services>,
    cookie_header: Vec<u8>,
    jar: Mutex<Jar>,
}

#[derive(Default)]
struct Jar {
    /// The response depends on the request's cookies.
    looked_at: bool,
    changes: BTreeMap<String, Change>,
}

/// The value that the visitor will have under a name, and the line that sets it.
struct Change {
    value: Option<String>,
    set_cookie: String,
}

impl SignedCookies {
    pub(crate) fn new(services: Arc<Services>, cookie_header: Vec<u8>) -> Self {
        Self(Arc::new(Inner { services, cookie_header, jar: Mutex::default() }))
    }

    /// Returns the text of the cookie `name`, or `None` if the visitor has none, or one that has expired.
    ///
    /// If there are several cookies of this name (for other paths or domains), the first that verifies counts. If an
    /// old key has signed it, the response carries it signed anew.
    ///
    /// # Errors
    ///
    /// * [`Tampered`](crate::SignedCookieErrorKind::Tampered): there is a cookie of this name, but it is not as we have
    ///   signed it.
    /// * [`BadName`](crate::SignedCookieErrorKind::BadName): there can be no signed cookie of this name; see
    ///   [`set`](Self::set).
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
        let found = self.find(name, &self.config(name)?)?;
        // Observers are the application's, and hear of it without the lock.
        match found {
            Found::Nothing => Ok(None),
            Found::Value { value, by_retired_key } => {
                if by_retired_key {
                    self.0.services.note(Event::RetiredKeyUsed);
                }
                Ok(Some(value))
            }
            Found::Tampered => {
                self.0.services.note(Event::SignedCookieRefused);
                Err(SignedCookieError::tampered(name))
            }
        }
    }

    /// Sets the cookie `name` to `value`, until the browser is closed.
    ///
    /// # Errors
    ///
    /// * [`BadName`](crate::SignedCookieErrorKind::BadName): the name is no RFC 6265 token, or has a prefix that the
    ///   attributes do not live up to, or is the name of a session's cookie: of this manager, or of another one of the
    ///   [same application](crate::SessionManagerBuilder::same_application).
    /// * [`TooLarge`](crate::SignedCookieErrorKind::TooLarge): the name and the signed value are longer than the 4096
    ///   bytes that browsers accept. The signed value is a third longer than `value`, plus 44 bytes for the signature.
    pub fn set(&self, name: &str, value: &str) -> Result<(), SignedCookieError> {
        self.put(name, value, None)
    }

    /// Sets the cookie `name` to `value`, for the time `lifetime`. The end is signed too, and enforced by the server.
    ///
    /// # Errors
    ///
    /// Fails as [`set`](Self::set) does.
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
        self.put(name, value, Some(self.0.services.now().saturating_add(lifetime)))
    }

    /// Removes the cookie `name`, whether or not the visitor has one.
    ///
    /// # Errors
    ///
    /// Fails with [`BadName`](crate::SignedCookieErrorKind::BadName) as [`set`](Self::set) does.
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

    /// Returns the `Set-Cookie` lines of all changes.
    pub(crate) fn set_cookies(&self) -> Vec<String> {
        self.jar().changes.values().map(|change| change.set_cookie.clone()).collect()
    }

    pub(crate) fn looked_at(&self) -> bool {
        self.jar().looked_at
    }

    fn find(&self, name: &str, config: &CookieConfig) -> Result<Found, SignedCookieError> {
        let now = self.0.services.now();
        let mut jar = self.jar();
        jar.looked_at = true;
        if let Some(change) = jar.changes.get(name) {
            let value = change.value.clone();
            return Ok(value.map_or(Found::Nothing, |value| Found::Value { value, by_retired_key: false }));
        }
        let mut found = Found::Nothing;
        for candidate in config.candidates(&self.0.cookie_header).take(MAX_VERIFICATIONS) {
            let Some(opened) = self.open(name, candidate) else {
                found = Found::Tampered;
                continue;
            };
            if opened.expires_at.is_some_and(|expires_at| expires_at <= now) {
                return Ok(Found::Nothing);
            }
            let by_retired_key = opened.signed_by.is_retired();
            if by_retired_key {
                let set_cookie = self.set_cookie(config, &opened.value, opened.expires_at, now)?;
                jar.changes.insert(name.to_owned(), Change { value: Some(opened.value.clone()), set_cookie });
            }
            return Ok(Found::Value { value: opened.value, by_retired_key });
        }
        Ok(found)
    }

    fn put(&self, name: &str, value: &str, expires_at: Option<Timestamp>) -> Result<(), SignedCookieError> {
        let set_cookie = self.set_cookie(&self.config(name)?, value, expires_at, self.0.services.now())?;
        self.jar().changes.insert(name.to_owned(), Change { value: Some(value.to_owned()), set_cookie });
        Ok(())
    }

    fn set_cookie(
        &self,
        config: &CookieConfig,
        value: &str,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<String, SignedCookieError> {
        let services = &self.0.services;
        let mut signed = URL_SAFE_NO_PAD.encode(value);
        if let Some(expires_at) = expires_at {
            signed.push('.');
            signed.push_str(&expires_at.as_unix_millis().to_string());
        }
        signed.push('.');
        services.signers.sign_cookie(config.name(), value, expires_at).push_to(&mut signed);
        let lifetime = expires_at.map(|expires_at| services.cookie_lifetime(expires_at, now));
        config.set_cookie(&signed, lifetime).map_err(|_| SignedCookieError::too_large(config.name()))
    }

    /// Opens a cookie's value, if we have signed it under this name.
    fn open(&self, name: &str, signed: &[u8]) -> Option<Opened> {
        let (encoded, rest) = std::str::from_utf8(signed).ok()?.split_once('.')?;
        let (expires_at, tag) = match rest.split_once('.') {
            None => (None, rest),
            Some((millis, tag)) => (Some(Timestamp::from_unix_millis(canonical_number(millis)?)), tag),
        };
        let value = String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()?;
        let signed_by = self.0.services.signers.verify_cookie(name, &value, expires_at, tag)?;
        Some(Opened { value, expires_at, signed_by })
    }

    fn config(&self, name: &str) -> Result<CookieConfig, SignedCookieError> {
        let services = &self.0.services;
        if services.cookie_names.is_taken(name) {
            return Err(SignedCookieError::bad_name(name, "it is the name of a session cookie"));
        }
        let config = services.signed_cookies.to_builder().name(name).build();
        config.map_err(|error| SignedCookieError::bad_name(name, error.to_string()))
    }

    fn jar(&self) -> MutexGuard<'_, Jar> {
        self.0.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer for one name, from the request's cookies and this request's changes to them.
enum Found {
    Nothing,
    Value { value: String, by_retired_key: bool },
    Tampered,
}

struct Opened {
    value: String,
    expires_at: Option<Timestamp>,
    signed_by: SignedBy,
}

/// Reads a number, but only in the spelling that we write: a cookie must have no second one.
fn canonical_number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

impl fmt::Debug for SignedCookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedCookies").field("changed", &self.jar().changes.len()).finish_non_exhaustive()
    }
}

/// The largest number of cookies of one name that are verified.
const MAX_VERIFICATIONS: usize = 64;
