//! The manager: a thin face over the rooms, with its builder and its sweeper.

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

/// Everything that the sessions of an application have in common: store, keys, cookie, lifetimes.
///
/// Build one, hand it to an adapter's layer, and let it [sweep](Self::spawn_sweeper). A clone is cheap and is the same
/// manager.
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
    /// A manager of sessions in `store`, with the default settings to begin with. It lacks only
    /// [keys](SessionManagerBuilder::keys).
    pub fn builder(store: impl SessionStore) -> SessionManagerBuilder {
        SessionManagerBuilder::new(Some(Arc::new(store)))
    }

    /// A manager of sessions that have no store: each is sealed, with its values, in its visitor's cookie, which neither
    /// they nor anybody else can read or change.
    ///
    /// For what is small and worth little, on servers that can keep nothing. The price:
    ///
    /// * A session cannot be taken back. Whoever has copied the cookie is logged in until it expires, after a logout too,
    ///   so keep [timeouts](crate::SessionSettings::idle_timeout) short. Only the removal of the key ends them, and all
    ///   at once. [`sessions_of`](Self::sessions_of) and the revocations fail.
    /// * The changes of parallel requests do not merge: the cookie that arrives last is the session, as a whole.
    /// * It holds about 3 KB, with [`TooLarge`](SessionErrorKind::TooLarge) for what would be more, and every request and
    ///   most answers carry all of it.
    /// * Once a response's head is out, nothing can be saved.
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

    /// A manager of sessions in `store`, with keys, cookie and settings from the environment of this process:
    /// `SECRET_KEY` or `SECRET_KEY_FILE`, `SESSION_COOKIE_*` and `SESSION_*`.
    ///
    /// # Errors
    ///
    /// When there is no key, or a variable has a value that is not allowed; the message names it.
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

    /// The same, with everything from `vars`.
    ///
    /// # Errors
    ///
    /// As [`from_env`](Self::from_env).
    pub fn from_vars(store: impl SessionStore, vars: &Vars) -> Result<Self, SettingError> {
        Self::builder(store)
            .keys(KeyRing::from_vars(vars)?)
            .cookie(CookieConfig::from_vars(vars)?)
            .settings(SessionSettings::from_vars(vars)?)
            .build()
    }

    /// A request's way to its session, given its `Cookie` headers. For adapters.
    pub fn request<H: AsRef<[u8]>>(&self, cookie_headers: impl IntoIterator<Item = H>) -> RequestSession {
        RequestSession::new(Arc::clone(&self.0), cookie_headers)
    }

    /// The cookie that carries the id.
    pub fn cookie(&self) -> &CookieConfig {
        &self.0.cookie
    }

    /// The lifetimes and limits.
    pub fn settings(&self) -> &SessionSettings {
        &self.0.settings
    }

    /// How often something happened that an operator should know of.
    pub fn counters(&self) -> Counters {
        self.0.events.counters()
    }

    /// Lists the live sessions of `user`, the last used first.
    ///
    /// The sessions of requests that are under way may or may not be among them. One that was written by a newer version
    /// of this library is left out, because it cannot be read; [`revoke_all`](Self::revoke_all) ends it all the same.
    ///
    /// # Errors
    ///
    /// * [`Unavailable`](crate::SessionErrorKind::Unavailable): the store cannot answer, or not in time.
    /// * [`Misconfigured`](crate::SessionErrorKind::Misconfigured): the store keeps no index of users.
    pub async fn sessions_of(&self, user: &str) -> Result<Vec<UserSession>, SessionError> {
        users::list(&self.0, user).await.inspect_err(|error| self.0.note_failure(error, None))
    }

    /// Ends the session of `user` that has this handle, and returns whether there was one.
    ///
    /// This and the other revocations end every session that was there when they began, also one that seems to have
    /// expired: a clock or a setting that comes back does not bring it back. They go on past a session that cannot be
    /// ended, and run to their end although the request that waits for them is dropped.
    ///
    /// Call them after what they follow from was committed: a login with the old password that was approved before the
    /// change may make a session until then.
    ///
    /// # Errors
    ///
    /// * [`Incomplete`](crate::SessionErrorKind::Incomplete): some sessions could not be ended, or not all could be found.
    ///   [`SessionError::revocation`] has the numbers. Call it again.
    /// * [`Misconfigured`](crate::SessionErrorKind::Misconfigured): the store keeps no index of users.
    pub async fn revoke(&self, user: &str, handle: SessionHandle) -> Result<bool, SessionError> {
        Ok(self.revoke_which(user, Which::Only(handle)).await? > 0)
    }

    /// Ends all sessions of `user`, and returns how many there were: "log out everywhere", or the end of an account
    /// (OWASP ASVS 5.0, 7.4.2).
    ///
    /// # Errors
    ///
    /// As [`revoke`](Self::revoke).
    pub async fn revoke_all(&self, user: &str) -> Result<usize, SessionError> {
        self.revoke_which(user, Which::All).await
    }

    /// Ends all sessions of `user` but the one with the handle `current`, and returns how many there were: for a changed
    /// password (OWASP ASVS 5.0, 7.4.3).
    ///
    /// # Errors
    ///
    /// As [`revoke`](Self::revoke).
    pub async fn revoke_others(&self, user: &str, current: SessionHandle) -> Result<usize, SessionError> {
        self.revoke_which(user, Which::AllBut(current)).await
    }

    async fn revoke_which(&self, user: &str, which: Which) -> Result<usize, SessionError> {
        let (services, user) = (Arc::clone(&self.0), user.to_owned());
        ToTheEnd::new(async move {
            let ended = users::end(&services, &user, which).await.result();
            ended.inspect_err(|error| services.note_failure(error, None))
        })
        .await
    }
}

impl Session {
    /// Returns the manager of this session and all others of its layer.
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
