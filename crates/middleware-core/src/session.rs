//! The room of what a handler holds: the session and its typed keys.
//!
//! Invariant: no code of the application runs while the state of the session is locked.

pub(crate) mod entry;

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use bytestring::ByteString;
use nexios_store_core::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use smol_str::SmolStr;

use crate::commit;
use crate::error::{SessionError, SessionErrorKind};
use crate::format::handle::SessionHandle;
use crate::format::{payload, value};
use crate::services::settings::check_duration;
use crate::session::entry::Entry;
use crate::state::changes::{Changes, Update};
use crate::state::decisions::Fate;
use crate::state::exchange::Exchange;
use crate::state::pending::Pending;
use crate::state::progress::Progress;
use crate::state::{State, View};
use crate::users::UserSession;

/// A visitor's session, within one request.
///
/// An extractor of the adapter loads it and hands it to your handler. From then on it is a value: you read and change
/// it without awaiting. Your changes are saved when the handler has returned with a status below 500, or earlier if you
/// await [`save`](Self::save). A clone is cheap and is the same session: all extractors of one request share it.
///
/// A visitor without a session gets an empty one. Nothing is stored and no cookie is sent until it holds a value or a
/// user has [logged in](Self::login).
///
/// # Parallel requests
///
/// The changes of parallel requests to one session are merged, key by key:
///
/// * [`insert`](Self::insert) means "this value for this key, whatever was there".
/// * [`update`](Self::update) computes the new value from the one that is there when the session is saved.
/// * A key that you do not change keeps what other requests have written.
///
/// Until it is saved, your session shows the values as they were loaded, with your own changes. After
/// [`save`](Self::save) it shows the values that were committed.
///
/// # Errors
///
/// A method that changes the session fails, and changes nothing,
///
/// * with [`Ended`](SessionErrorKind::Ended) once a save has found that another request had ended
///   the session,
/// * with [`TooLarge`](SessionErrorKind::TooLarge) if the session would exceed its maximum size,
/// * with [`Unavailable`](SessionErrorKind::Unavailable) if the session is [read-only](Self::is_read_only).
///
/// A method that reads or writes a value fails with [`InvalidValue`](SessionErrorKind::InvalidValue) if the value
/// cannot be encoded, or is of another type. Methods without a `Result`, such as [`remove`](Self::remove) and
/// [`clear`](Self::clear), have no effect on a session that takes no changes.
///
/// # Examples
///
/// ```
/// use nexios_middleware_core::{Session, SessionError};
///
/// fn visit(session: &Session) -> Result<u64, SessionError> {
///     let visits: u64 = session.get_or("visits", 0)? + 1;
///     session.insert("visits", &visits)?;
///     Ok(visits)
/// }
/// ```
#[derive(Clone)]
pub struct Session(pub(crate) Arc<Exchange>);

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
    /// its own, and must not use the session. Read the result after [`save`](Self::save).
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
        let update: Update = Arc::new(move |present| {
            let present = present.map(|bytes| value::decode::<T>(&name, bytes)).transpose()?;
            value::encode(&name, &update(present))
        });
        loop {
            let before = self.open_state()?.view.values.clone();
            // `update` is the application's code, which does not run under the lock.
            let after = update(before.get(&key))?;
            let mut state = self.open_state()?;
            if state.view.values.get(&key) != before.get(&key) {
                continue; // a clone of this session has changed the value meanwhile
            }
            drop(before); // or the values would be copied to be changed
            let insertion = state.view.values.plan_insert(&key, &after);
            self.check_size(&state, state.parts_len(), insertion.encoded_len())?;
            state.view.values.carry_out(insertion, &key, after);
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
        if taken.is_some() {
            self.remove(key);
        }
        Ok(taken)
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
            .map(|(key, (_, bytes))| Ok((key.to_string(), value::decode(&key, bytes)?)))
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

    /// Returns whether anything waits to be saved: a changed value, a login, a new id, a setting of the session's own,
    /// or its end.
    pub fn is_modified(&self) -> bool {
        !self.state().pending.is_empty()
    }

    /// Returns whether this is an empty stand-in for a session that the store could not be asked for. It takes no
    /// changes.
    ///
    /// There is one only if the manager was built with [`OnOutage::EmptyReadOnly`](crate::OnOutage::EmptyReadOnly).
    pub fn is_read_only(&self) -> bool {
        self.state().known.is_outage
    }

    /// Removes all values. The session stays, and so does its user. To end the session, use [`destroy`](Self::destroy).
    pub fn clear(&self) {
        let mut state = self.state();
        if !state.view.values.is_empty() {
            state.view.values.clear();
            state.pending.changes.clear();
        }
    }

    /// Makes this the session of `user`, who has just proven who they are.
    ///
    /// The id changes, so an id that was planted before the login is worthless after it (OWASP ASVS 5.0, 7.2.4). The
    /// absolute timeout begins anew. The values of an anonymous session, and those of the same user, are kept. The
    /// values of another user are dropped.
    ///
    /// If somebody else has ended the session in the meantime, the login makes a fresh session with the changes of this
    /// request only.
    ///
    /// # Errors
    ///
    /// Fails if the session would become too large for the name, or if it takes no changes; see [the
    /// list](Self#errors).
    ///
    /// The save that follows fails with [`TooManySessions`](SessionErrorKind::TooManySessions) if the manager
    /// [limits](crate::SessionManagerBuilder::max_sessions_per_user) the number of sessions and this one would be one
    /// too many.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Session, SessionError};
    /// fn log_in(session: &Session, user: &str, password_is_right: bool) -> Result<bool, SessionError> {
    ///     if password_is_right {
    ///         session.login(user)?;
    ///     }
    ///     Ok(password_is_right)
    /// }
    /// ```
    pub fn login(&self, user: &str) -> Result<(), SessionError> {
        let mut state = self.open_state()?;
        let user = ByteString::from(user);
        let is_another = state.principal().is_some_and(|principal| *principal != user);
        let (kept_parts, kept_values) = match is_another {
            true => (0, 0),
            false => {
                let device_len = state.device().map_or(0, |device| device.len());
                (device_len + state.extensions_len(), state.view.values.encoded_len())
            }
        };
        self.check_size(&state, user.len() + kept_parts, kept_values)?;
        if is_another {
            state.view.values.clear();
            state.pending.changes = Changes::default();
            state.pending.changes.clear();
        }
        state.pending.login = Some(user);
        if state.pending.fate == Fate::Keep {
            state.pending.fate = Fate::Cycle;
        }
        Ok(())
    }

    /// Returns the user who has logged in, or `None` if nobody has.
    pub fn principal(&self) -> Option<String> {
        self.state().principal().map(ToString::to_string)
    }

    /// Gives the session a new id. Call it when the rights of the session change; [`login`](Self::login) does so by
    /// itself.
    ///
    /// A session that was not saved yet gets a new id in any case.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Session, SessionError};
    /// fn become_admin(session: &Session) -> Result<(), SessionError> {
    ///     session.insert("admin", &true)?;
    ///     session.cycle_id();
    ///     Ok(())
    /// }
    /// ```
    pub fn cycle_id(&self) {
        let mut state = self.state();
        if state.pending.fate == Fate::Keep && !state.has_ended() {
            state.pending.fate = Fate::Cycle;
        }
    }

    /// Ends the session: deletes its record and removes the visitor's cookie, whatever the status of the response.
    ///
    /// Slower requests that are still at work cannot bring it back. What the request does to its session from here on is
    /// about a fresh one, with a new id and nothing of the old: a notice for the next page, or another login.
    ///
    /// The record of every other cookie that came with the request, and that our keys have signed, is deleted too, whether
    /// it is live or seems to have expired.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Session, SessionError};
    /// fn log_out(session: &Session) -> Result<(), SessionError> {
    ///     session.destroy();
    ///     session.insert("notice", "You have logged out.")
    /// }
    /// ```
    pub fn destroy(&self) {
        let mut state = self.state();
        state.pending = Pending { fate: Fate::Destroy, ..Pending::default() };
        state.view = View::default();
        // What comes now is about a fresh session, also if somebody else was faster.
        if state.has_ended() {
            state.progress = Progress::Idle;
        }
    }

    /// Drops all changes since the session was loaded or saved: values, login, new id and own settings. It does not
    /// take back a [`destroy`](Self::destroy).
    ///
    /// Use it in a handler that answers with a status below 500 although it did not finish what it began, or although a
    /// [`save`](Self::save) refused its changes.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Session, SessionError};
    /// fn order(session: &Session, in_stock: bool) -> Result<&'static str, SessionError> {
    ///     session.insert("ordered", &true)?;
    ///     if !in_stock {
    ///         session.discard();
    ///         return Ok("sold out");
    ///     }
    ///     Ok("ordered")
    /// }
    /// ```
    pub fn discard(&self) {
        self.state().roll_back();
    }

    /// Chooses for this session whether its cookie outlives the browser ("remember me"), whatever the
    /// [settings](crate::SessionSettings::persistent) say.
    ///
    /// # Errors
    ///
    /// Fails if the session takes no changes; see [the list](Self#errors).
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Session, SessionError};
    /// fn log_in(session: &Session, user: &str, remember_me: bool) -> Result<(), SessionError> {
    ///     session.login(user)?;
    ///     session.set_persistent(remember_me)
    /// }
    /// ```
    pub fn set_persistent(&self, persistent: bool) -> Result<(), SessionError> {
        self.open_state()?.pending.changes.persistent = Some(Some(persistent));
        Ok(())
    }

    /// Gives this session an idle timeout of its own. `None` returns to the one of the
    /// [settings](crate::SessionSettings::idle_timeout).
    ///
    /// # Errors
    ///
    /// Fails with [`InvalidValue`](SessionErrorKind::InvalidValue) if the timeout is not between one second and ten
    /// years (3650 days), and if the session takes no changes; see [the list](Self#errors).
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Session, SessionError};
    /// # use std::time::Duration;
    /// fn at_a_public_terminal(session: &Session) -> Result<(), SessionError> {
    ///     session.set_idle_timeout(Some(Duration::from_secs(5 * 60)))
    /// }
    /// ```
    pub fn set_idle_timeout(&self, idle_timeout: Option<Duration>) -> Result<(), SessionError> {
        check_duration("idle timeout", idle_timeout)
            .map_err(|error| SessionError::new(SessionErrorKind::InvalidValue, error.to_string()))?;
        self.open_state()?.pending.changes.idle_timeout = Some(idle_timeout);
        Ok(())
    }

    /// Stores a name for the device that the session is used on, such as "Firefox on Linux".
    ///
    /// Users tell their sessions apart by it; see [`SessionManager::sessions_of`](crate::SessionManager::sessions_of).
    /// The text is your own choice, and stays when the id changes. A visitor without a session does not get one for a
    /// device name alone.
    ///
    /// # Errors
    ///
    /// Fails if the session would become too large, or if it takes no changes; see [the list](Self#errors).
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Session, SessionError};
    /// fn log_in(session: &Session, user: &str, device: &str) -> Result<(), SessionError> {
    ///     session.login(user)?;
    ///     session.set_device(device)
    /// }
    /// ```
    pub fn set_device(&self, device: &str) -> Result<(), SessionError> {
        let mut state = self.open_state()?;
        let principal_len = state.principal().map_or(0, |principal| principal.len());
        let parts_len = principal_len + device.len() + state.extensions_len();
        self.check_size(&state, parts_len, state.view.values.encoded_len())?;
        state.pending.changes.device = Some(Some(device.into()));
        Ok(())
    }

    /// Returns the name of the device, or `None` if the application has not [set](Self::set_device) one.
    pub fn device(&self) -> Option<String> {
        self.state().device().map(ToString::to_string)
    }

    /// Returns the handle, which names this session among those of its user.
    ///
    /// It is `None` until the session is saved for the first time, and from a login as another user until that is
    /// saved.
    pub fn handle(&self) -> Option<SessionHandle> {
        Some(self.state().kept_envelope()?.handle)
    }

    /// Returns the time at which the session was first saved; `None` if it was not saved yet.
    pub fn created_at(&self) -> Option<Timestamp> {
        Some(self.state().kept_envelope()?.created_at)
    }

    /// Returns the time at which the visitor last proved who they are, or else at which the session was first saved;
    /// `None` if it was not saved yet.
    pub fn authenticated_at(&self) -> Option<Timestamp> {
        Some(self.state().kept_envelope()?.authenticated_at)
    }

    /// Returns the time at which the session ends unless it is used again; `None` if it was not saved yet.
    pub fn expires_at(&self) -> Option<Timestamp> {
        Some(self.state().kept_snapshot()?.expires_at)
    }

    /// Saves your changes now.
    ///
    /// Without it, they are saved after the handler has returned. Await it to learn whether they were saved, to read
    /// the result of an [`update`](Self::update), or to save after the head of the response is out: in a streaming body
    /// or a WebSocket. Afterwards the session shows the values that were committed.
    ///
    /// # Errors
    ///
    /// * [`Gone`](SessionErrorKind::Gone): the session was ended in the meantime. Nothing was saved, and it stays
    ///   ended.
    /// * [`Unavailable`](SessionErrorKind::Unavailable): the store failed, or did not answer in time.
    /// * [`Unsupported`](SessionErrorKind::Unsupported): a newer version of this library has written the session in the
    ///   meantime.
    /// * [`Interrupted`](SessionErrorKind::Interrupted): an earlier save did not finish, so it is not known what the
    ///   store has.
    /// * [`HeadSent`](SessionErrorKind::HeadSent): the visitor would need a new cookie, and it is too late to send one.
    /// * [`TooManySessions`](SessionErrorKind::TooManySessions): the user who logs in has as many sessions as they may
    ///   have.
    /// * [`InvalidValue`](SessionErrorKind::InvalidValue), [`TooLarge`](SessionErrorKind::TooLarge): your changes do
    ///   not go together with what other requests have saved in the meantime. Nothing was written.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Session, SessionError, SessionErrorKind};
    /// async fn order(session: &Session) -> Result<&'static str, SessionError> {
    ///     session.update("orders", |orders: Option<u32>| orders.unwrap_or(0) + 1)?;
    ///     match session.save().await {
    ///         Err(error) if error.kind() == SessionErrorKind::Gone => Ok("you have logged out meanwhile"),
    ///         saved => saved.map(|()| "ordered"),
    ///     }
    /// }
    /// ```
    pub async fn save(&self) -> Result<(), SessionError> {
        commit::commit(&self.0).await
    }

    /// Returns whether the visitor has a session that nobody has ended yet.
    pub(crate) fn is_live(&self) -> bool {
        self.state().kept_snapshot().is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state()
    }

    /// Locks the state of a session that still takes changes.
    fn open_state(&self) -> Result<MutexGuard<'_, State>, SessionError> {
        let state = self.state();
        if state.known.is_outage {
            Err(SessionError::read_only())
        } else if state.has_ended() {
            Err(SessionError::ended())
        } else {
            Ok(state)
        }
    }

    /// Refuses a session above the maximum size. If it was larger already, because the maximum has been lowered, it may
    /// stay as large.
    fn check_size(&self, state: &State, parts_len: usize, values_len: usize) -> Result<(), SessionError> {
        let max_size = self.0.services.settings.max_size.as_bytes();
        let len = payload::encoded_len(parts_len, values_len);
        if len > max_size.max(state.kept_snapshot().map_or(0, |snapshot| snapshot.encoded_len())) {
            return Err(SessionError::too_large(max_size));
        }
        Ok(())
    }
}

impl UserSession {
    /// Returns whether this is the session of the request that `session` was extracted from.
    pub fn is_current(&self, session: &Session) -> bool {
        session.handle() == Some(self.handle)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("len", &self.len()).finish_non_exhaustive()
    }
}
