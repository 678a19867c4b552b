//! The values of a session.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use smol_str::SmolStr;

use crate::error::SessionError;
#[cfg(doc)]
use crate::error::SessionErrorKind;
use crate::format::value;
use crate::session::Session;
use crate::session::entry::Entry;
use crate::state::key_change::Update;

impl Session {
    /// Returns the value of `key`, or `None` if the key has none.
    ///
    /// # Errors
    ///
    /// Fails with [`InvalidValue`](SessionErrorKind::InvalidValue) if the value is not a `T`.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, SessionError> {
        // The deserializer of `T` is the application's code, which does not run under the lock.
        let values = self.state().view.values.clone();
        values.get(key).map(|bytes| value::decode(key, bytes)).transpose()
    }

    /// Returns the value of `key`, or `default` if the key has none.
    ///
    /// # Errors
    ///
    /// Fails as [`get`](Self::get) does.
    pub fn get_or<T: DeserializeOwned>(&self, key: &str, default: T) -> Result<T, SessionError> {
        Ok(self.get(key)?.unwrap_or(default))
    }

    /// Sets `key` to `value`, whatever was there.
    ///
    /// # Errors
    ///
    /// Fails if the value cannot be encoded, if the session would become too large, or if it takes no changes; see [the
    /// list](Self#errors).
    ///
    /// These cannot be encoded: what is nested more than 127 levels deep, with a list, a map, a struct, a `Some` or a
    /// variant with fields as a level; an `i128` or `u128`; and the `RawValue` of `serde_json`.
    pub fn insert<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<(), SessionError> {
        let bytes = value::encode(key, value)?;
        let mut state = self.open_state()?;
        let insertion = state.view.values.plan_insert(key, &bytes);
        self.check_size(&state, state.parts_len(), insertion.encoded_len())?;
        state.view.values.carry_out(insertion, key, Arc::clone(&bytes));
        state.pending.changes.insert(key.into(), bytes);
        Ok(())
    }

    /// Replaces the value of `key` by the result of `update`, which gets the present value.
    ///
    /// Use it for counters and lists: they stay exact under parallel requests. If another request was faster, `update`
    /// runs again on the value that the other request left. It may run more than once, so it must not have effects of
    /// its own, and must not use the session. Read the result after [`save`](Self::save). To leave the key without a
    /// value, use [`update_or_remove`](Self::update_or_remove), and to refuse, [`try_update`](Self::try_update).
    ///
    /// # Errors
    ///
    /// Fails if the present value is not a `T`, if the new one cannot be encoded, if the session would become too
    /// large, or if it takes no changes; see [the list](Self#errors). If another request puts a value of another type
    /// there in the meantime, the save fails instead.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Session, SessionError};
    /// # async fn example(session: Session) -> Result<(), SessionError> {
    /// session.update("hits", |hits: Option<u64>| hits.unwrap_or(0) + 1)?;
    /// session.save().await?;
    /// let hits: Option<u64> = session.get("hits")?; // no other request was given this number
    /// # Ok(())
    /// # }
    /// ```
    pub fn update<T, F>(&self, key: &str, update: F) -> Result<(), SessionError>
    where
        T: Serialize + DeserializeOwned,
        F: Fn(Option<T>) -> T + Send + Sync + 'static,
    {
        let key = SmolStr::from(key);
        let name = key.clone();
        let update = move |present: Option<&[u8]>| {
            let present = present.map(|bytes| value::decode(&name, bytes)).transpose()?;
            value::encode(&name, &update(present)).map(Some)
        };
        self.change_by(key, Arc::new(update))
    }

    /// Replaces the value of `key` by the result of `update`, or removes it if the result is `None`.
    ///
    /// It is [`update`](Self::update) for a key that may be left without a value. A key that had none may stay so.
    ///
    /// # Errors
    ///
    /// Fails as [`update`](Self::update) does.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Session, SessionError};
    /// fn take_from_cart(session: &Session, item: u64) -> Result<(), SessionError> {
    ///     session.update_or_remove("cart", move |cart: Option<Vec<u64>>| {
    ///         let mut cart = cart?; // where there is no cart, none is made
    ///         cart.retain(|other| *other != item);
    ///         (!cart.is_empty()).then_some(cart)
    ///     })
    /// }
    /// ```
    pub fn update_or_remove<T, F>(&self, key: &str, update: F) -> Result<(), SessionError>
    where
        T: Serialize + DeserializeOwned,
        F: Fn(Option<T>) -> Option<T> + Send + Sync + 'static,
    {
        let key = SmolStr::from(key);
        let name = key.clone();
        let update = move |present: Option<&[u8]>| {
            let present = present.map(|bytes| value::decode(&name, bytes)).transpose()?;
            update(present).map(|value| value::encode(&name, &value)).transpose()
        };
        self.change_by(key, Arc::new(update))
    }

    /// Replaces the value of `key` by the result of `update`, removes it if that is `Ok(None)`, or refuses.
    ///
    /// It is [`update`](Self::update) for a change that is allowed only where the present value admits it. An `Err` is
    /// returned at once, and nothing has changed. If another request was faster, `update` runs again on the value that
    /// the other request left; an `Err` then fails the save, which writes nothing. If it was the save at the end of the
    /// request, the visitor gets a 409 in place of your answer.
    ///
    /// # Errors
    ///
    /// Fails with [`Refused`](SessionErrorKind::Refused) if `update` does. The message is the text of your error, and
    /// the [source](std::error::Error::source) is your error itself. Fails also as [`update`](Self::update) does.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Session, SessionError, SessionErrorKind};
    /// async fn buy(session: &Session) -> Result<&'static str, SessionError> {
    ///     let bought = session.try_update("credit", |credit: Option<u32>| match credit.unwrap_or(0) {
    ///         0 => Err("there is no credit left"),
    ///         credit => Ok(Some(credit - 1)),
    ///     });
    ///     let saved = match bought {
    ///         Ok(()) => session.save().await,
    ///         refused => refused,
    ///     };
    ///     match saved {
    ///         Err(error) if error.kind() == SessionErrorKind::Refused => {
    ///             session.discard();
    ///             Ok("sorry, there is no credit left")
    ///         }
    ///         saved => saved.map(|()| "thank you"),
    ///     }
    /// }
    /// ```
    pub fn try_update<T, E, F>(&self, key: &str, update: F) -> Result<(), SessionError>
    where
        T: Serialize + DeserializeOwned,
        E: Into<Box<dyn Error + Send + Sync>>,
        F: Fn(Option<T>) -> Result<Option<T>, E> + Send + Sync + 'static,
    {
        let key = SmolStr::from(key);
        let name = key.clone();
        let update = move |present: Option<&[u8]>| {
            let present = present.map(|bytes| value::decode(&name, bytes)).transpose()?;
            let value = update(present).map_err(|error| SessionError::refused(error.into()))?;
            value.map(|value| value::encode(&name, &value)).transpose()
        };
        self.change_by(key, Arc::new(update))
    }

    /// Gives `key` the value that `update` computes, now and again when the changes are replayed.
    fn change_by(&self, key: SmolStr, update: Update) -> Result<(), SessionError> {
        loop {
            let before = self.open_state()?.view.values.clone();
            // `update` is the application's code, which does not run under the lock.
            let after = update(before.get(&key))?;
            let mut state = self.open_state()?;
            if state.view.values.get(&key) != before.get(&key) {
                continue; // a clone of this session has changed the value meanwhile
            }
            drop(before); // or the values would be copied to be changed
            match after {
                Some(after) => {
                    let insertion = state.view.values.plan_insert(&key, &after);
                    self.check_size(&state, state.parts_len(), insertion.encoded_len())?;
                    state.view.values.carry_out(insertion, &key, after);
                }
                None => _ = state.view.values.remove(&key),
            }
            state.pending.changes.update(key, update);
            return Ok(());
        }
    }

    /// Removes `key`, and returns whether it had a value.
    pub fn remove(&self, key: &str) -> bool {
        let mut state = self.state();
        let removed = state.view.values.remove(key);
        if removed {
            state.pending.changes.remove(key.into());
        }
        removed
    }

    /// Removes `key` and returns its value, or `None` if the key had none.
    ///
    /// Parallel requests may all get the value, and all succeed: to remove what is no longer there is no error. That is
    /// right for a notice. For a token that must not be used twice, choose [`take_once`](Self::take_once).
    ///
    /// # Errors
    ///
    /// Fails with [`InvalidValue`](SessionErrorKind::InvalidValue) if the value is not a `T`. The key keeps its value
    /// then.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Session, SessionError};
    /// /// A notice that is shown once.
    /// fn notice(session: &Session) -> Result<Option<String>, SessionError> {
    ///     session.take("notice")
    /// }
    /// ```
    pub fn take<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, SessionError> {
        let taken = self.get(key)?;
        // Of two clones that have read the value, one has removed it.
        Ok(taken.filter(|_| self.remove(key)))
    }

    /// Removes `key` and returns its value, or `None` if the key had none, for something that must not be used twice:
    /// the token of a form, or the state of a login elsewhere.
    ///
    /// Parallel requests may all get the value, but only one of them can save: the save of every other one fails,
    /// and writes nothing. If it is the save at the end of the request, the visitor gets a 409 in place of your answer.
    /// So await [`save`](Self::save) before you do something that cannot be undone. The same holds if another request
    /// has given the key another value in the meantime, or has ended the session.
    ///
    /// Nothing is taken if the changes of this request are dropped: by an answer of 5xx or 408, by
    /// [`discard`](Self::discard), or by [`destroy`](Self::destroy). To end the session in the same request, save first.
    ///
    /// # Errors
    ///
    /// Fails
    ///
    /// * with [`InvalidValue`](SessionErrorKind::InvalidValue) if the value is not a `T`. The key keeps its value then.
    /// * with [`Misconfigured`](SessionErrorKind::Misconfigured) if visitors keep their sessions, as with
    ///   [`client_side`](crate::SessionManager::client_side): they can send the same one as often as they like.
    /// * if the session takes no changes; see [the list](Self#errors).
    ///
    /// The save fails with [`AlreadyTaken`](SessionErrorKind::AlreadyTaken), or with
    /// [`Gone`](SessionErrorKind::Gone) if the session has ended.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Session, SessionError};
    /// async fn pay(session: &Session, form_token: &str) -> Result<&'static str, SessionError> {
    ///     let token: Option<String> = session.take_once("form_token")?;
    ///     if token.as_deref() != Some(form_token) {
    ///         return Ok("please fill in the form again");
    ///     }
    ///     session.save().await?; // of two clicks on the button, one fails here
    ///     Ok("paid")
    /// }
    /// ```
    pub fn take_once<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, SessionError> {
        if self.0.place.is_cookie() {
            let message = "a value can be taken once only from a store, because visitors can send their cookie twice";
            return Err(SessionError::misconfigured(message));
        }
        loop {
            let before = self.open_state()?.view.values.clone();
            let Some(bytes) = before.get(key) else { return Ok(None) };
            // The deserializer of `T` is the application's code, which does not run under the lock.
            let taken = value::decode(key, bytes)?;
            let mut state = self.open_state()?;
            if state.view.values.get(key) != Some(bytes) {
                continue; // a clone of this session has changed the value meanwhile
            }
            let bytes = bytes.into();
            drop(before); // or the values would be copied to be changed
            state.view.values.remove(key);
            state.pending.changes.take_once(key.into(), bytes);
            return Ok(Some(taken));
        }
    }

    /// Returns the value of a typed key, or `None` if the key has none.
    ///
    /// # Errors
    ///
    /// Fails as [`get`](Self::get) does.
    pub fn read<T: DeserializeOwned>(&self, entry: &Entry<T>) -> Result<Option<T>, SessionError> {
        self.get(entry.key())
    }

    /// Sets a typed key to `value`.
    ///
    /// # Errors
    ///
    /// Fails as [`insert`](Self::insert) does.
    pub fn write<T: Serialize>(&self, entry: &Entry<T>, value: &T) -> Result<(), SessionError> {
        self.insert(entry.key(), value)
    }

    /// Returns whether `key` has a value.
    pub fn contains_key(&self, key: &str) -> bool {
        self.state().view.values.get(key).is_some()
    }

    /// Returns all keys in ascending order.
    pub fn keys(&self) -> Vec<String> {
        self.state().view.values.keys().map(Cow::into_owned).collect()
    }

    /// Returns all keys with their values, in ascending order of the keys.
    ///
    /// A value that is not a `T` as it is, is read from its plain form. There, a key of a map is text: a number or a
    /// `bool` in its usual spelling, `null` for `None`, and a tuple or another value of several parts as JSON (`[1,2]`).
    /// Bytes, as those of a `CString`, are a list of numbers. So `serde_json::Value` lists whatever
    /// [`insert`](Self::insert) has taken.
    ///
    /// # Errors
    ///
    /// Fails with [`InvalidValue`](SessionErrorKind::InvalidValue) if one of the values is not a `T`. Choose
    /// `serde_json::Value` or a similar type to read values of different types.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Session, SessionError};
    /// fn as_json(session: &Session) -> Result<serde_json::Value, SessionError> {
    ///     let entries = session.entries::<serde_json::Value>()?;
    ///     Ok(entries.into_iter().collect())
    /// }
    /// ```
    pub fn entries<T: DeserializeOwned>(&self) -> Result<Vec<(String, T)>, SessionError> {
        let values = self.state().view.values.clone();
        values
            .keys()
            .zip(values.iter())
            .map(|(key, (_, bytes))| Ok((key.to_string(), value::decode_for_list(&key, bytes)?)))
            .collect()
    }

    /// Returns the number of values.
    pub fn len(&self) -> usize {
        self.state().view.values.len()
    }

    /// Returns whether the session has no values.
    pub fn is_empty(&self) -> bool {
        self.state().view.values.is_empty()
    }

    /// Removes all values. The session stays, and so does its user. To end the session, use [`destroy`](Self::destroy).
    pub fn clear(&self) {
        let mut state = self.state();
        if !state.view.values.is_empty() {
            state.view.values.clear();
            state.pending.changes.clear();
        }
    }
}
