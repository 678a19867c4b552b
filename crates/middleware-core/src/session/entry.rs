use std::fmt;
use std::marker::PhantomData;

/// A key of the session together with the type of its value.
///
/// Choose it over a bare key if a value is read in more than one place: the name is written once, and code that reads
/// it as another type does not compile.
///
/// # Examples
///
/// ```
/// use nexios_middleware_core::{Entry, Session, SessionError};
///
/// const VISITS: Entry<u32> = Entry::new("visits");
///
/// fn count(session: &Session) -> Result<u32, SessionError> {
///     let visits = session.read(&VISITS)?.unwrap_or(0) + 1;
///     session.write(&VISITS, &visits)?;
///     Ok(visits)
/// }
/// ```
pub struct Entry<T> {
    key: &'static str,
    value: PhantomData<fn(T) -> T>,
}

impl<T> Entry<T> {
    /// Makes a typed key from the name `key`.
    pub const fn new(key: &'static str) -> Self {
        Self { key, value: PhantomData }
    }

    /// Returns the name of the key.
    pub const fn key(&self) -> &'static str {
        self.key
    }
}

impl<T> Clone for Entry<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Entry<T> {}

impl<T> fmt::Debug for Entry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Entry").field(&self.key).finish()
    }
}
