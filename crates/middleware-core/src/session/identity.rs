//! Whose session it is, and what it has decided for itself.

use std::time::Duration;

use bytestring::ByteString;
use nexios_store_core::Timestamp;

use crate::error::{SessionError, SessionErrorKind};
use crate::format::handle::SessionHandle;
use crate::services::settings::check_duration;
use crate::session::Session;
use crate::state::decisions::Fate;
use crate::users::UserSession;

impl Session {
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
    /// [limits](crate::SessionManagerBuilder::max_per_user) the number of sessions and this one would be one
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
            state.pending.changes.begin_afresh();
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

    /// Chooses for this session whether its cookie outlives the browser ("remember me"), whatever the
    /// [settings](crate::SessionSettings::persistent) say. `None` takes the choice back: the settings decide again.
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
    ///     session.set_persistent(remember_me) // or None, for what the settings say
    /// }
    /// ```
    pub fn set_persistent(&self, persistent: impl Into<Option<bool>>) -> Result<(), SessionError> {
        // The conversion may be the application's code, which does not run under the lock.
        let persistent = persistent.into();
        self.open_state()?.pending.changes.change_own().persistent = Some(persistent);
        Ok(())
    }

    /// Returns the session's own choice of whether its cookie outlives the browser, or `None` if it has not
    /// [made](Self::set_persistent) one and the [settings](crate::SessionSettings::persistent) decide.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Session, SessionManager};
    /// /// The state of the box "remember me".
    /// fn is_remembered(session: &Session, manager: &SessionManager) -> bool {
    ///     session.persistent().unwrap_or(manager.settings().persistent)
    /// }
    /// ```
    pub fn persistent(&self) -> Option<bool> {
        self.state().persistent()
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
        self.open_state()?.pending.changes.change_own().idle_timeout = Some(idle_timeout);
        Ok(())
    }

    /// Returns the session's own idle timeout, or `None` if it has not [chosen](Self::set_idle_timeout) one and that of
    /// the [settings](crate::SessionSettings::idle_timeout) counts.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Session, SessionManager};
    /// # use std::time::Duration;
    /// /// The time after which the page warns its visitor.
    /// fn ends_unless_used_within(session: &Session, manager: &SessionManager) -> Duration {
    ///     session.idle_timeout().unwrap_or(manager.settings().idle_timeout)
    /// }
    /// ```
    pub fn idle_timeout(&self) -> Option<Duration> {
        self.state().idle_timeout()
    }

    /// Gives this session a fixed end, however much it is used: the end of a shift, of an exam, or of the token that it
    /// was made from. `None` takes it back.
    ///
    /// It can only shorten what the [settings](crate::SessionSettings) allow. It stays with the session through changes of
    /// its id and further logins of its user.
    ///
    /// # Errors
    ///
    /// Fails with [`InvalidValue`](SessionErrorKind::InvalidValue) if the end is not in the future; to end the session now,
    /// [destroy](Self::destroy) it. Also fails if the session takes no changes; see [the list](Self#errors).
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Session, SessionError, Timestamp};
    /// fn begin_exam(session: &Session, ends_at: Timestamp) -> Result<(), SessionError> {
    ///     session.login("candidate-7")?;
    ///     session.set_deadline(ends_at)
    /// }
    /// ```
    pub fn set_deadline(&self, deadline: impl Into<Option<Timestamp>>) -> Result<(), SessionError> {
        // The conversion and the clock may be the application's code, which does not run under the lock.
        let (deadline, now) = (deadline.into(), self.0.services.now());
        if deadline.is_some_and(|deadline| deadline <= now) {
            let message = "the deadline of a session must be in the future";
            return Err(SessionError::new(SessionErrorKind::InvalidValue, message));
        }
        self.open_state()?.pending.changes.change_own().deadline = Some(deadline);
        Ok(())
    }

    /// Returns the end that the session was [given](Self::set_deadline), or `None` if it has none of its own.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.state().deadline()
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
        state.pending.changes.change_own().device = Some(Some(device.into()));
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
}

impl UserSession {
    /// Returns whether this is the session of the request that `session` was extracted from.
    pub fn is_current(&self, session: &Session) -> bool {
        session.handle() == Some(self.handle)
    }
}
