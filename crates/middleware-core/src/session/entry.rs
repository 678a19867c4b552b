use std::error::Error;
use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::SessionError;
use crate::session::Session;

/// A key of the session together with the type of its value.
///
/// Choose it over a bare key if a value is read in more than one place: the name is written once, and code that reads
/// it as another type does not compile.
///
/// A session [reads](Session::read) and [writes](Session::write) the value. What goes beyond that is a method of the
/// entry, so that a closure knows its type.
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
///
/// fn count_exactly(session: &Session) -> Result<(), SessionError> {
///     VISITS.update(session, |visits| visits.unwrap_or(0) + 1)
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

    /// Removes the key from the session, and returns whether it had a value. See [`Session::remove`].
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Entry, Session};
    /// const DRAFT: Entry<String> = Entry::new("draft");
    ///
    /// fn throw_away(session: &Session) -> &'static str {
    ///     if DRAFT.remove(session) { "the draft is gone" } else { "there was none" }
    /// }
    /// ```
    pub fn remove(&self, session: &Session) -> bool {
        session.remove(self.key)
    }
}

impl<T: DeserializeOwned> Entry<T> {
    /// Removes the key from the session and returns its value, or `None` if it had none. See [`Session::take`].
    ///
    /// # Errors
    ///
    /// Fails as [`Session::take`] does.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Entry, Session, SessionError};
    /// const NOTICE: Entry<String> = Entry::new("notice");
    ///
    /// fn notice(session: &Session) -> Result<String, SessionError> {
    ///     Ok(NOTICE.take(session)?.unwrap_or_default())
    /// }
    /// ```
    pub fn take(&self, session: &Session) -> Result<Option<T>, SessionError> {
        session.take(self.key)
    }

    /// Removes the key from the session and returns its value, for something that must not be used twice. See
    /// [`Session::take_once`].
    ///
    /// # Errors
    ///
    /// Fails as [`Session::take_once`] does.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Entry, Session, SessionError};
    /// const LOGIN_STATE: Entry<String> = Entry::new("login_state");
    ///
    /// fn comes_back(session: &Session, state: &str) -> Result<bool, SessionError> {
    ///     Ok(LOGIN_STATE.take_once(session)?.is_some_and(|expected| expected == state))
    /// }
    /// ```
    pub fn take_once(&self, session: &Session) -> Result<Option<T>, SessionError> {
        session.take_once(self.key)
    }
}

impl<T: Serialize + DeserializeOwned> Entry<T> {
    /// Replaces the value by the result of `update`, which gets the present one. See [`Session::update`].
    ///
    /// # Errors
    ///
    /// Fails as [`Session::update`] does.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Entry, Session, SessionError};
    /// const CART: Entry<Vec<u64>> = Entry::new("cart");
    ///
    /// fn add(session: &Session, item: u64) -> Result<(), SessionError> {
    ///     CART.update(session, move |cart| {
    ///         let mut cart = cart.unwrap_or_default();
    ///         cart.push(item);
    ///         cart
    ///     })
    /// }
    /// ```
    pub fn update<F>(&self, session: &Session, update: F) -> Result<(), SessionError>
    where
        F: Fn(Option<T>) -> T + Send + Sync + 'static,
    {
        session.update(self.key, update)
    }

    /// Replaces the value by the result of `update`, or removes it if the result is `None`. See
    /// [`Session::update_or_remove`].
    ///
    /// # Errors
    ///
    /// Fails as [`Session::update_or_remove`] does.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Entry, Session, SessionError};
    /// const TRIES_LEFT: Entry<u8> = Entry::new("tries_left");
    ///
    /// fn miss(session: &Session) -> Result<(), SessionError> {
    ///     TRIES_LEFT.update_or_remove(session, |tries| tries?.checked_sub(1))
    /// }
    /// ```
    pub fn update_or_remove<F>(&self, session: &Session, update: F) -> Result<(), SessionError>
    where
        F: Fn(Option<T>) -> Option<T> + Send + Sync + 'static,
    {
        session.update_or_remove(self.key, update)
    }

    /// Replaces the value by the result of `update`, removes it if that is `Ok(None)`, or refuses. See
    /// [`Session::try_update`].
    ///
    /// # Errors
    ///
    /// Fails as [`Session::try_update`] does.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Entry, Session, SessionError};
    /// const CREDIT: Entry<u32> = Entry::new("credit");
    ///
    /// fn pay(session: &Session, price: u32) -> Result<(), SessionError> {
    ///     CREDIT.try_update(session, move |credit| {
    ///         credit.unwrap_or(0).checked_sub(price).map(Some).ok_or("there is not enough credit")
    ///     })
    /// }
    /// ```
    pub fn try_update<E, F>(&self, session: &Session, update: F) -> Result<(), SessionError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
        F: Fn(Option<T>) -> Result<Option<T>, E> + Send + Sync + 'static,
    {
        session.try_update(self.key, update)
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
