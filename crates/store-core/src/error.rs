use std::error::Error;
use std::fmt;

/// An error of any type, as the cause of a [`StoreError`].
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The result of a store's methods.
///
/// # Examples
///
/// ```
/// use nexios_store_core::{Result, StoreError};
///
/// fn read(bytes: &[u8]) -> Result<&str> {
///     std::str::from_utf8(bytes).map_err(StoreError::corrupt)
/// }
/// ```
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The error of a store that could not answer.
///
/// Its [`kind`](Self::kind) tells the caller what to do. Its [source](Error::source) tells the operator what happened.
/// Neither may contain a session id, a payload, or a path that contains an id.
///
/// # Examples
///
/// ```
/// use nexios_store_core::{StoreError, StoreErrorKind};
/// use std::error::Error;
///
/// let error = StoreError::backend("connection refused");
/// assert_eq!(error.kind(), StoreErrorKind::Backend);
/// assert_eq!(error.to_string(), "session store is unavailable");
/// assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("connection refused"));
/// ```
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    source: BoxError,
}

/// The meaning of a [`StoreError`] for the caller.
///
/// # Examples
///
/// ```
/// use nexios_store_core::{StoreError, StoreErrorKind};
///
/// fn may_retry(error: &StoreError) -> bool {
///     error.kind() == StoreErrorKind::Backend
/// }
///
/// assert!(may_retry(&StoreError::backend("connection refused")));
/// assert!(!may_retry(&StoreError::corrupt("bad checksum")));
/// assert!(!may_retry(&StoreError::unsupported("format 2")));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The backend could not be asked, or did not do what it was asked. Another try may succeed.
    ///
    /// This never means "not found": assume that the record exists.
    Backend,
    /// The record is damaged. Another try will not change that.
    Corrupt,
    /// The record was written in a newer format than this program knows. It must be left as it is.
    Unsupported,
    /// The record is sealed, and no key of this process opens it. Another process may have the key, or it may come
    /// back. It must be left as it is.
    NoKey,
}

impl StoreError {
    /// Makes the error of a backend that could not be asked. See [`StoreErrorKind::Backend`].
    pub fn backend(source: impl Into<BoxError>) -> Self {
        Self { kind: StoreErrorKind::Backend, source: source.into() }
    }

    /// Makes the error of a record that is damaged. See [`StoreErrorKind::Corrupt`].
    pub fn corrupt(source: impl Into<BoxError>) -> Self {
        Self { kind: StoreErrorKind::Corrupt, source: source.into() }
    }

    /// Makes the error of a record whose format is newer than this program. See [`StoreErrorKind::Unsupported`].
    pub fn unsupported(source: impl Into<BoxError>) -> Self {
        Self { kind: StoreErrorKind::Unsupported, source: source.into() }
    }

    /// Makes the error of a record that no key opens. See [`StoreErrorKind::NoKey`].
    pub fn no_key(source: impl Into<BoxError>) -> Self {
        Self { kind: StoreErrorKind::NoKey, source: source.into() }
    }

    /// Returns what the error means for the caller.
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            StoreErrorKind::Backend => "session store is unavailable",
            StoreErrorKind::Corrupt => "session record is corrupt",
            StoreErrorKind::Unsupported => "session record has a newer format than this program supports",
            StoreErrorKind::NoKey => "session record is sealed under a key that this program does not have",
        })
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.source.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_it_means_and_keeps_its_cause() {
        let error = StoreError::backend(std::io::Error::other("disk on fire"));
        assert_eq!(error.kind(), StoreErrorKind::Backend);
        assert_eq!(error.to_string(), "session store is unavailable");
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("disk on fire"));
        assert_eq!(StoreError::corrupt("torn").kind(), StoreErrorKind::Corrupt);
        assert_eq!(StoreError::unsupported("format 2").kind(), StoreErrorKind::Unsupported);
    }
}
