use std::error::Error;
use std::fmt;

/// Any error, as the cause of a [`StoreError`].
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

/// A store could not answer.
///
/// What the caller can do about it is its [`kind`](Self::kind); what happened is its [source](Error::source), for
/// the operator. Neither may contain a session id, a payload, or a path that contains an id.
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

/// What a [`StoreError`] means for the caller.
///
/// # Examples
///
/// ```
/// use nexios_store_core::{StoreError, StoreErrorKind};
///
/// fn may_help_to_try_again(error: &StoreError) -> bool {
///     error.kind() == StoreErrorKind::Backend
/// }
///
/// assert!(may_help_to_try_again(&StoreError::backend("connection refused")));
/// assert!(!may_help_to_try_again(&StoreError::corrupt("bad checksum")));
/// assert!(!may_help_to_try_again(&StoreError::unsupported("format 2")));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The backend could not be asked, or did not do what it was asked. Another try may succeed.
    ///
    /// The record, if there is one, must be taken to exist: this never means "not found".
    Backend,
    /// The record is damaged, and no other try will change that.
    Corrupt,
    /// The record was written in a format newer than this program knows. It must be left as it is.
    Unsupported,
}

impl StoreError {
    /// The backend could not be asked. See [`StoreErrorKind::Backend`].
    pub fn backend(source: impl Into<BoxError>) -> Self {
        Self { kind: StoreErrorKind::Backend, source: source.into() }
    }

    /// The record is damaged. See [`StoreErrorKind::Corrupt`].
    pub fn corrupt(source: impl Into<BoxError>) -> Self {
        Self { kind: StoreErrorKind::Corrupt, source: source.into() }
    }

    /// The record's format is newer than this program. See [`StoreErrorKind::Unsupported`].
    pub fn unsupported(source: impl Into<BoxError>) -> Self {
        Self { kind: StoreErrorKind::Unsupported, source: source.into() }
    }

    /// What the error means for the caller.
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
