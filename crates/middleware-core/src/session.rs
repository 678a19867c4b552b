//! What a handler holds: the session, its typed keys.

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
/// It was loaded when the handler asked for it; reading and changing it are ordinary calls on a value. What was changed
/// is saved once the handler has returned with a status below 500, or when it awaits [`save`](Self::save). A clone is
/// cheap and is the same session: all extractors of one request share it.
///
/// A visitor who has no session gets an empty one, and nothing is stored or sent until it holds a value.
///
/// # Parallel requests
///
/// The changes of parallel requests to one session are merged: [`insert`](Self::insert) means "this value for this
/// key, whatever was there", [`update`](Self::update) is computed on the value of the moment, and other keys are left
/// alone. What a request sees is the session as it was when it was loaded, with its own changes; after `save` it is
/// what was committed.
///
/// # Errors
///
/// A method that changes the session fails with [`Ended`](SessionErrorKind::Ended) after a save has found that another
/// request had ended it, and with [`TooLarge`](SessionErrorKind::TooLarge) if the session would exceed its
/// maximum size; then nothing is changed. One that reads or writes a value fails with
/// [`InvalidValue`](SessionErrorKind::InvalidValue) if that cannot be encoded, or is of another type.
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
    /// The value of `key`, or `None` if there is none.
    ///
    /// # Errors
    ///
    /// When the value is not a `T`.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, SessionError> {
        // The application's code runs without the lock.
        let values = self.state().view.values.clone();
        values.get(key).map(|bytes| value::decode(key, bytes)).transpose()
    }

    /// The value of `key`, or `default` if there is none.
    ///
    /// # Errors
    ///
    /// When the value is not a `T`.
    pub fn get_or<T: DeserializeOwned>(&self, key: &str, default: T) -> Result<T, SessionError> {
        Ok(self.get(key)?.unwrap_or(default))
    }

    /// Sets `key` to `value`, whatever was there.
    ///
    /// # Errors
    ///
    /// When the value cannot be encoded, the session would become too large, or it was destroyed.
    pub fn insert<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<(), SessionError> {
        let bytes = value::encode(key, value)?;
        let mut state = self.open_state()?;
        let insertion = state.view.values.plan_insert(key, &bytes);
        self.check_size(&state, state.parts_len(), insertion.encoded_len())?;
        state.view.values.carry_out(insertion, key, Arc::clone(&bytes));
        state.pending.changes.insert(key.into(), bytes);
        Ok(())
    }

    /// Replaces the value of `key` by what `update` makes of it.
    ///
    /// This is how counters and lists stay exact under parallel requests: where another request came first, `update`
    /// runs again on the value that it left. So it may run more than once and must not have effects of its own nor use
    /// the session. Read the result after [`save`](Self::save).
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
    ///
    /// # Errors
    ///
    /// When the present value is not a `T`, the new one cannot be encoded, the session would become too large, or it
    /// was destroyed. If another request puts a value of another type there meanwhile, the commit fails.
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
            // The application's code runs without the lock.
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

    /// Removes `key`, and says whether it was there.
    pub fn remove(&self, key: &str) -> bool {
        let mut state = self.state();
        let removed = state.view.values.remove(key);
        if removed {
            state.pending.changes.remove(key.into());
        }
        removed
    }

    /// Removes `key` and returns its value.
    ///
    /// # Errors
    ///
    /// When the value is not a `T`; it then stays.
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

    /// The value of a typed key.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub fn read<T: DeserializeOwned>(&self, entry: &Entry<T>) -> Result<Option<T>, SessionError> {
        self.get(entry.key())
    }

    /// Sets a typed key.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    pub fn write<T: Serialize>(&self, entry: &Entry<T>, value: &T) -> Result<(), SessionError> {
        self.insert(entry.key(), value)
    }

    /// Whether `key` has a value.
    pub fn contains_key(&self, key: &str) -> bool {
        self.state().view.values.get(key).is_some()
    }

    /// All keys, in order.
    pub fn keys(&self) -> Vec<String> {
        self.state().view.values.keys().map(Cow::into_owned).collect()
    }

    /// All keys and their values, in the order of the keys.
    ///
    /// # Errors
    ///
    /// When one of the values is not a `T`. `serde_json::Value` and its like read any.
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

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.state().view.values.len()
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.state().view.values.is_empty()
    }

    /// Whether there are changes that were not saved yet, a login, a new id or the session's end among them.
    pub fn is_modified(&self) -> bool {
        !self.state().pending.is_empty()
    }

    /// Whether this stands for a session that the store could not be asked for: it is empty and takes no changes. Only
    /// where the manager was told so; see [`OnOutage::EmptyReadOnly`](crate::OnOutage::EmptyReadOnly).
    pub fn is_read_only(&self) -> bool {
        self.state().known.is_outage
    }

    /// Removes all values. The session stays, and so does its user; to end it, [`destroy`](Self::destroy) it.
    pub fn clear(&self) {
        let mut state = self.state();
        if !state.view.values.is_empty() {
            state.view.values.clear();
            state.pending.changes.clear();
        }
    }

    /// Makes this the session of `user`, who has just proven who they are.
    ///
    /// The id changes, so that one planted before the login is worth nothing after it (OWASP ASVS 5.0, 7.2.4), and the
    /// absolute timeout begins anew. The values of an anonymous session and of the same user are kept, those of
    /// another user are dropped.
    ///
    /// If the session was ended by somebody else meanwhile, a fresh one is made, with the changes of this request only.
    ///
    /// # Errors
    ///
    /// When the session would become too large for the name, or was destroyed.
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

    /// Who has logged in, if anybody has.
    pub fn principal(&self) -> Option<String> {
        self.state().principal().map(ToString::to_string)
    }

    /// Gives the session a new id, as is due when its rights change. [`login`](Self::login) does it by itself.
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

    /// Ends the session: its record is deleted and the visitor's cookie removed, whatever the response's status.
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

    /// Forgets what was changed since the session was loaded or saved: values, login, new id, own settings. That the
    /// session is to end is not forgotten.
    ///
    /// For a handler that answers below 500 although it has not finished what it began, or although a
    /// [`save`](Self::save) has refused its changes.
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

    /// Decides for this session whether its cookie outlives the browser ("remember me"), against the settings.
    ///
    /// # Errors
    ///
    /// When the session was destroyed.
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

    /// Gives this session an idle timeout of its own; `None` returns to that of the settings.
    ///
    /// # Errors
    ///
    /// When the timeout is not between one second and ten years, or the session was destroyed.
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

    /// Notes what device the session is used on ("Firefox on Linux"), for the user to tell their sessions apart; see
    /// [`SessionManager::sessions_of`](crate::SessionManager::sessions_of). It is the application's own text, and stays when the id changes.
    ///
    /// By itself it does not make a visitor without a session one.
    ///
    /// # Errors
    ///
    /// When the session would become too large, or was destroyed.
    pub fn set_device(&self, device: &str) -> Result<(), SessionError> {
        let mut state = self.open_state()?;
        let principal_len = state.principal().map_or(0, |principal| principal.len());
        let parts_len = principal_len + device.len() + state.extensions_len();
        self.check_size(&state, parts_len, state.view.values.encoded_len())?;
        state.pending.changes.device = Some(Some(device.into()));
        Ok(())
    }

    /// What the application has called the device, if it has.
    pub fn device(&self) -> Option<String> {
        self.state().device().map(ToString::to_string)
    }

    /// The name of this session among its user's; `None` if it was not saved yet.
    pub fn handle(&self) -> Option<SessionHandle> {
        Some(self.state().kept_envelope()?.handle)
    }

    /// When the session was first saved; `None` if it was not yet.
    pub fn created_at(&self) -> Option<Timestamp> {
        Some(self.state().kept_envelope()?.created_at)
    }

    /// When the visitor last proved who they are, or else when the session was first saved; `None` if neither.
    pub fn authenticated_at(&self) -> Option<Timestamp> {
        Some(self.state().kept_envelope()?.authenticated_at)
    }

    /// When the session will end unless it is used again; `None` if it was not saved yet.
    pub fn expires_at(&self) -> Option<Timestamp> {
        Some(self.state().kept_snapshot()?.expires_at)
    }

    /// Saves what was changed, now, and shows what was committed from then on.
    ///
    /// Without it, changes are saved after the handler has returned. Await it to act on the outcome, to read the result
    /// of an [`update`](Self::update), or to save after the response's head is out, in a streaming body or a WebSocket.
    ///
    /// # Errors
    ///
    /// * [`Gone`](SessionErrorKind::Gone): the session was ended meanwhile; nothing was saved and it stays ended.
    /// * [`Unavailable`](SessionErrorKind::Unavailable): the store did not answer in time.
    /// * [`HeadSent`](SessionErrorKind::HeadSent): the visitor would need a new cookie, and it is too late to send one.
    /// * [`InvalidValue`](SessionErrorKind::InvalidValue), [`TooLarge`](SessionErrorKind::TooLarge): together with what
    ///   other requests have saved meanwhile, the changes are impossible. Nothing was written.
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

    /// Whether the visitor has a session, which nobody has ended yet.
    pub(crate) fn is_live(&self) -> bool {
        self.state().kept_snapshot().is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state()
    }

    /// The state of a session that still takes changes.
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

    /// A session that was larger already, because the maximum has been lowered, may stay as large.
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
