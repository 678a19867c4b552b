use std::borrow::Cow;
use std::fmt;

/// An error of a signed cookie, which cannot be read or set.
///
/// Return it from a handler: as an answer to a request, it is its [status](Self::status). It names the cookie, and
/// shows nothing of its value.
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
    problem: Cow<'static, str>,
}

/// The meaning of a [`SignedCookieError`] for the caller.
///
/// # Examples
///
/// ```
/// use nexios_middleware_core::{SignedCookieError, SignedCookieErrorKind, SignedCookies};
///
/// /// Returns the visitor's theme. A cookie that was tampered with is as good as none.
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
    pub(super) fn tampered(name: &str) -> Self {
        Self::new(name, SignedCookieErrorKind::Tampered, "was tampered with")
    }

    pub(super) fn too_large(name: &str) -> Self {
        Self::new(name, SignedCookieErrorKind::TooLarge, "would be longer than 4096 bytes")
    }

    /// Makes the error of a bad name. `reason` says why there can be no signed cookie of this name.
    pub(super) fn bad_name(name: &str, reason: impl fmt::Display) -> Self {
        Self::new(name, SignedCookieErrorKind::BadName, format!("cannot have this name: {reason}"))
    }

    fn new(name: &str, kind: SignedCookieErrorKind, problem: impl Into<Cow<'static, str>>) -> Self {
        let name = name.chars().take(64).flat_map(char::escape_debug).collect();
        Self { name, kind, problem: problem.into() }
    }

    /// Returns what the error means for the caller.
    pub const fn kind(&self) -> SignedCookieErrorKind {
        self.kind
    }

    /// Returns the HTTP status for a request that failed for this reason: 400 if the visitor's cookie is to blame, and
    /// 500 otherwise.
    pub const fn status(&self) -> u16 {
        match self.kind {
            SignedCookieErrorKind::Tampered => 400,
            SignedCookieErrorKind::BadName | SignedCookieErrorKind::TooLarge => 500,
        }
    }
}

impl fmt::Display for SignedCookieError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "signed cookie `{}` {}", self.name, self.problem)
    }
}

impl std::error::Error for SignedCookieError {}
