//! The room of the manager: a thin face over the other rooms, with its builder and its sweeper.
//!
//! Invariant: no other room takes the manager. They take [`Services`], or a part of it.

pub(crate) mod builder;
pub(crate) mod sweeper;

use std::fmt;
use std::sync::Arc;

use nexios_cookie_config::CookieConfig;
use nexios_settings::{SettingError, Vars};
use nexios_signer::KeyRing;
use nexios_store_core::SessionStore;

use crate::error::SessionError;
use crate::events::counters::Counters;
use crate::format::handle::SessionHandle;
use crate::manager::builder::SessionManagerBuilder;
use crate::request::RequestSession;
use crate::services::Services;
use crate::services::settings::SessionSettings;
use crate::services::to_the_end::ToTheEnd;
use crate::session::Session;
use crate::users::{self, UserSession, Which};

/// The store, the keys, the cookie and the lifetimes that all sessions of an application have in common.
///
/// Build one manager when the program starts, hand it to an adapter's layer, and let it [sweep](Self::spawn_sweeper). A
/// clone is cheap and is the same manager.
///
/// # Examples
///
/// ```
/// use nexios_middleware_core::SessionManager;
/// use nexios_signer::{Key, KeyRing};
/// use nexios_store_memory::MemoryStore;
/// use std::time::Duration;
///
/// let manager = SessionManager::builder(MemoryStore::new())
///     .keys(KeyRing::new(Key::generate()?))
///     .idle_timeout(Duration::from_secs(30 * 60))
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SessionManager(Arc<Services>);

impl SessionManager {
    /// Begins a manager that keeps its sessions in `store`. It needs [keys](SessionManagerBuilder::keys); everything
    /// else has a default.
    pub fn builder(store: impl SessionStore) -> SessionManagerBuilder {
        SessionManagerBuilder::new(Some(Arc::new(store)))
    }

    /// Begins a manager without a store. Each session is sealed in its visitor's cookie, with all its values; nobody
    /// can read or change it there, the visitor included.
    ///
    /// Choose it for sessions that are small and worth little, on servers that can keep nothing. The price:
    ///
    /// * You cannot take a session back. Whoever has copied the cookie is logged in until it expires, even after a
    ///   logout, so keep [timeouts](crate::SessionSettings::idle_timeout) short. Only removing the key ends such
    ///   sessions, and then all of them at once. [`sessions_of`](Self::sessions_of) and the revocations fail.
    /// * The changes of parallel requests are not merged. The cookie that arrives last is the whole session.
    /// * A session holds about 3 KB. Anything larger fails with [`TooLarge`](crate::SessionErrorKind::TooLarge). Every
    ///   request and most answers carry all of it.
    /// * Once the head of a response is out, nothing can be saved.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_middleware_core::SessionManager;
    /// use nexios_signer::{Key, KeyRing};
    /// use std::time::Duration;
    ///
    /// let manager = SessionManager::client_side()
    ///     .keys(KeyRing::new(Key::generate()?))
    ///     .idle_timeout(Duration::from_secs(15 * 60))
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn client_side() -> SessionManagerBuilder {
        SessionManagerBuilder::new(None)
    }

    /// Builds a manager that keeps its sessions in `store`, with keys, cookie and settings from the environment of this
    /// process: `SECRET_KEY` or `SECRET_KEY_FILE`, `SESSION_COOKIE_*` and `SESSION_*`.
    ///
    /// # Errors
    ///
    /// Fails if there is no key, or if the value of a variable is not allowed. The message names the variable.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use nexios_middleware_core::SessionManager;
    /// use nexios_store_file::FileStore;
    ///
    /// let manager = SessionManager::from_env(FileStore::from_env()?)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_env(store: impl SessionStore) -> Result<Self, SettingError> {
        Self::from_vars(store, &Vars::process())
    }

    /// Builds a manager as [`from_env`](Self::from_env) does, from `vars` instead of the environment.
    ///
    /// # Errors
    ///
    /// Fails as [`from_env`](Self::from_env) does.
    pub fn from_vars(store: impl SessionStore, vars: &Vars) -> Result<Self, SettingError> {
        Self::builder(store)
            .keys(KeyRing::from_vars(vars)?)
            .cookie(CookieConfig::from_vars(vars)?)
            .settings(SessionSettings::from_vars(vars)?)
            .build()
    }

    /// Begins the way of a request to its session, given the values of its `Cookie` headers. For adapters.
    pub fn request<H: AsRef<[u8]>>(&self, cookie_headers: impl IntoIterator<Item = H>) -> RequestSession {
        RequestSession::new(Arc::clone(&self.0), cookie_headers)
    }

    /// Returns the cookie that carries the id.
    pub fn cookie(&self) -> &CookieConfig {
        &self.0.cookie
    }

    /// Returns the lifetimes and limits.
    pub fn settings(&self) -> &SessionSettings {
        &self.0.settings
    }

    /// Returns the number of times that each event has happened since the manager was built.
    pub fn counters(&self) -> Counters {
        self.0.events.counters()
    }

    /// Lists the live sessions of `user`, the most recently used first.
    ///
    /// A session that a request creates or ends in the meantime may or may not be in the list. A session that cannot be
    /// read, for instance because a newer version of this library wrote it, is left out;
    /// [`revoke_all`](Self::revoke_all) ends it all the same.
    ///
    /// # Errors
    ///
    /// * [`Unavailable`](crate::SessionErrorKind::Unavailable): the store failed, or did not answer in time.
    /// * [`Misconfigured`](crate::SessionErrorKind::Misconfigured): the store keeps no index of users.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_middleware_core::{Session, SessionError, UserSession};
    ///
    /// /// Lists the devices that a page shows beside the present one.
    /// async fn other_devices(session: &Session, user: &str) -> Result<Vec<UserSession>, SessionError> {
    ///     let mut sessions = session.manager().sessions_of(user).await?;
    ///     sessions.retain(|other| !other.is_current(session));
    ///     Ok(sessions)
    /// }
    /// ```
    pub async fn sessions_of(&self, user: &str) -> Result<Vec<UserSession>, SessionError> {
        users::list(&self.0, user).await.inspect_err(|error| self.0.note_failure(error, None, Some(user)))
    }

    /// Ends the session of `user` that has this handle, and returns whether there was one.
    ///
    /// This and the other revocations end every session that is there when they begin, even one that seems to have
    /// expired: no clock or setting brings it back later. They go on past a session that cannot be ended, and run
    /// to their end even if the request that waits for them is dropped.
    ///
    /// Commit the reason first, such as a new password; then call this or another revocation. Until the reason is
    /// committed, a login that was approved with the old password may still make a session.
    ///
    /// # Errors
    ///
    /// * [`Incomplete`](crate::SessionErrorKind::Incomplete): some sessions could not be ended, or not all could be
    ///   found. [`SessionError::revocation`] has the numbers. Call it again.
    /// * [`Misconfigured`](crate::SessionErrorKind::Misconfigured): the store keeps no index of users.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_middleware_core::SessionManager;
    ///
    /// /// Ends the session whose handle a form has sent back.
    /// async fn log_out_there(
    ///     manager: &SessionManager,
    ///     user: &str,
    ///     handle: &str,
    /// ) -> Result<bool, Box<dyn std::error::Error>> {
    ///     Ok(manager.revoke(user, handle.parse()?).await?)
    /// }
    /// ```
    pub async fn revoke(&self, user: &str, handle: SessionHandle) -> Result<bool, SessionError> {
        Ok(self.revoke_which(user, Which::Only(handle)).await? > 0)
    }

    /// Ends all sessions of `user`, and returns how many there were. For "log out everywhere", and for the end of an
    /// account (OWASP ASVS 5.0, 7.4.2).
    ///
    /// # Errors
    ///
    /// Fails as [`revoke`](Self::revoke) does.
    pub async fn revoke_all(&self, user: &str) -> Result<usize, SessionError> {
        self.revoke_which(user, Which::All).await
    }

    /// Ends all sessions of `user` but the one with the handle `current`, and returns how many there were. For a
    /// changed password (OWASP ASVS 5.0, 7.4.3).
    ///
    /// # Errors
    ///
    /// Fails as [`revoke`](Self::revoke) does.
    pub async fn revoke_others(&self, user: &str, current: SessionHandle) -> Result<usize, SessionError> {
        self.revoke_which(user, Which::AllBut(current)).await
    }

    async fn revoke_which(&self, user: &str, which: Which) -> Result<usize, SessionError> {
        let (services, user) = (Arc::clone(&self.0), user.to_owned());
        ToTheEnd::new(async move {
            let ended = users::end(&services, &user, which).await;
            ended.note(&services, &user);
            ended.result()
        })
        .await
    }
}

impl Session {
    /// Returns the manager of this session and of all others of its layer.
    pub fn manager(&self) -> SessionManager {
        SessionManager(Arc::clone(&self.0.services))
    }
}

impl fmt::Debug for SessionManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionManager")
            .field("store", &self.0.store)
            .field("cookie", &self.0.cookie)
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}
