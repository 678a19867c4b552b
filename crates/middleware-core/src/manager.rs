pub(crate) mod sweeper;

use std::fmt;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use nexios_cookie_config::{CookieConfig, Lifetime as CookieLifetime};
use nexios_settings::{ByteSize, SettingError, Vars};
use nexios_signer::KeyRing;
use nexios_store_core::{Result as StoreResult, SessionStore, Timestamp};

use crate::client_side::Sealed;
use crate::client_side::cookie_slot::CookieSlot;
use crate::events::{Counters, Counting};
use crate::services::cookie_names::CookieNames;
use crate::services::expiry::{DEFAULT_TOUCH_FRACTION, ExpiryPolicy, MAX_TOUCH_FRACTION};
use crate::services::policies::SessionLimit;
use crate::services::signers::{COOKIE_VALUE_LEN, Signers};
use crate::services::striped_locks::StripedLocks;
use crate::services::time_limit::within;
use crate::{AtLimit, Clock, OnOutage, RequestSession, SessionError, SessionErrorKind, SessionSettings, SystemClock};

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
pub struct SessionManager(Arc<Inner>);

struct Inner {
    store: Arc<dyn SessionStore>,
    /// Where there is no store, because the visitors keep their sessions.
    sealed: Option<Sealed>,
    signers: Signers,
    cookie: CookieConfig,
    cookie_names: Arc<CookieNames>,
    signed_cookies: CookieConfig,
    settings: SessionSettings,
    lifetime: ExpiryPolicy,
    commit_on_server_error: bool,
    on_outage: OnOutage,
    clock: Arc<dyn Clock>,
    turns: StripedLocks,
    session_limit: Option<SessionLimit>,
    login_turns: StripedLocks,
    counting: Counting,
}

impl SessionManager {
    /// A manager of sessions in `store`, with the default settings to begin with. It lacks only
    /// [keys](SessionManagerBuilder::keys).
    pub fn builder(store: impl SessionStore) -> SessionManagerBuilder {
        SessionManagerBuilder {
            store: Arc::new(store),
            client_side: false,
            keys: None,
            cookie: CookieConfig::default(),
            cookie_names: Arc::default(),
            signed_cookies: None,
            settings: SessionSettings::default(),
            touch_fraction: DEFAULT_TOUCH_FRACTION,
            commit_on_server_error: false,
            on_outage: OnOutage::default(),
            session_limit: None,
            clock: Arc::new(SystemClock),
        }
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
        SessionManagerBuilder { client_side: true, ..Self::builder(CookieSlot::default()) }
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
        RequestSession::new(self.clone(), cookie_headers)
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
        self.0.counting.snapshot()
    }

    pub(crate) fn store(&self) -> &dyn SessionStore {
        &*self.0.store
    }

    /// What seals the sessions, where the visitors keep them.
    pub(crate) fn sealed(&self) -> Option<&Sealed> {
        self.0.sealed.as_ref()
    }

    pub(crate) fn signers(&self) -> &Signers {
        &self.0.signers
    }

    pub(crate) fn lifetime(&self) -> &ExpiryPolicy {
        &self.0.lifetime
    }

    pub(crate) fn turns(&self) -> &StripedLocks {
        &self.0.turns
    }

    pub(crate) fn session_limit(&self) -> Option<SessionLimit> {
        self.0.session_limit
    }

    pub(crate) fn login_turns(&self) -> &StripedLocks {
        &self.0.login_turns
    }

    pub(crate) fn counting(&self) -> &Counting {
        &self.0.counting
    }

    /// Waits for an answer of the store as long as the settings allow.
    pub(crate) async fn in_time<T>(&self, call: impl Future<Output = StoreResult<T>>) -> Result<T, SessionError> {
        let limit = self.0.settings.store_timeout;
        let answer = match within(limit, pin!(call)).await {
            Ok(answer) => answer.map_err(SessionError::from),
            Err(_) => Err(SessionError::timed_out(limit)),
        };
        answer.inspect_err(|_| self.0.counting.store_failures.increment())
    }

    /// Lets the operator know that a retired key is still in use.
    pub(crate) fn note_retired_key(&self) {
        let now = self.now();
        if self.0.counting.retired_key_used(now) {
            tracing::info!(
                last_used = now.as_unix_millis(),
                "a retired key of the ring was used; it can be removed once it has not been for as long as sessions live"
            );
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(crate) fn commits_on_server_error(&self) -> bool {
        self.0.commit_on_server_error
    }

    pub(crate) fn on_outage(&self) -> OnOutage {
        self.0.on_outage
    }

    /// The configuration of the signed cookie of this name, if there can be one.
    pub(crate) fn signed_cookie(&self, name: &str) -> Option<CookieConfig> {
        if self.0.cookie_names.is_taken(name) {
            return None;
        }
        self.0.signed_cookies.to_builder().name(name).build().ok()
    }

    pub(crate) fn cookie_lifetime(&self, expires_at: Timestamp) -> CookieLifetime {
        let remaining = expires_at.saturating_duration_since(self.now());
        CookieLifetime::new(remaining, expires_at.as_unix_millis() / 1000)
    }

    /// The `Set-Cookie` line that gives a visitor this value, until `expires_at` or until the browser is closed.
    pub(crate) fn session_cookie(&self, value: &str, expires_at: Option<Timestamp>) -> Result<String, SessionError> {
        let lifetime = expires_at.map(|expires_at| self.cookie_lifetime(expires_at));
        self.0.cookie.set_cookie(value, lifetime).map_err(|error| {
            SessionError::new(SessionErrorKind::Misconfigured, "session cookie cannot be made").with_source(error)
        })
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

/// Builds a [`SessionManager`].
///
/// # Examples
///
/// ```
/// use nexios_cookie_config::CookieConfig;
/// use nexios_middleware_core::SessionManager;
/// # use nexios_signer::{Key, KeyRing};
/// # use nexios_store_memory::MemoryStore;
/// # use std::time::Duration;
///
/// # let keys = KeyRing::new(Key::generate()?);
/// let manager = SessionManager::builder(MemoryStore::new())
///     .keys(keys)
///     .cookie(CookieConfig::strict().build()?)
///     .absolute_timeout(Some(Duration::from_secs(12 * 60 * 60)))
///     .touch_fraction(0.25)
///     .build()?;
/// assert!(manager.cookie().is_secure());
///
/// let error = SessionManager::builder(MemoryStore::new()).build().unwrap_err();
/// assert!(error.to_string().contains("key"), "{error}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "nothing is managed before `build`"]
pub struct SessionManagerBuilder {
    store: Arc<dyn SessionStore>,
    client_side: bool,
    keys: Option<KeyRing>,
    cookie: CookieConfig,
    cookie_names: Arc<CookieNames>,
    signed_cookies: Option<CookieConfig>,
    settings: SessionSettings,
    touch_fraction: f64,
    commit_on_server_error: bool,
    on_outage: OnOutage,
    session_limit: Option<SessionLimit>,
    clock: Arc<dyn Clock>,
}

impl SessionManagerBuilder {
    /// The keys that sign and verify. Required.
    pub fn keys(mut self, keys: KeyRing) -> Self {
        self.keys = Some(keys);
        self
    }

    /// The cookie that carries the id. [`CookieConfig::default`] unless set.
    pub fn cookie(mut self, cookie: CookieConfig) -> Self {
        self.cookie = cookie;
        self
    }

    /// Says that these sessions and those of `other` are used in one application: an administrator's beside a
    /// customer's, say.
    ///
    /// [Signed cookies](crate::SignedCookies) of either then refuse the names of both session cookies, and two managers
    /// with one cookie name are an error when the second is [built](Self::build). Of three managers, let the second be
    /// beside the first and the third beside either.
    pub fn beside(mut self, other: &SessionManager) -> Self {
        self.cookie_names = Arc::clone(&other.0.cookie_names);
        self
    }

    /// The attributes of [signed cookies](crate::SignedCookies); the configuration's name does not matter. Those of the
    /// session's cookie unless set.
    pub fn signed_cookies(mut self, attributes: CookieConfig) -> Self {
        self.signed_cookies = Some(attributes);
        self
    }

    /// All lifetimes and limits at once, as they come from a configuration file.
    pub fn settings(mut self, settings: SessionSettings) -> Self {
        self.settings = settings;
        self
    }

    /// See [`SessionSettings::idle_timeout`].
    pub const fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.settings.idle_timeout = timeout;
        self
    }

    /// See [`SessionSettings::absolute_timeout`].
    pub const fn absolute_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.settings.absolute_timeout = timeout;
        self
    }

    /// See [`SessionSettings::cleanup_interval`].
    pub const fn cleanup_interval(mut self, interval: Option<Duration>) -> Self {
        self.settings.cleanup_interval = interval;
        self
    }

    /// See [`SessionSettings::store_timeout`].
    pub const fn store_timeout(mut self, timeout: Duration) -> Self {
        self.settings.store_timeout = timeout;
        self
    }

    /// See [`SessionSettings::max_size`].
    pub const fn max_size(mut self, size: ByteSize) -> Self {
        self.settings.max_size = size;
        self
    }

    /// See [`SessionSettings::persistent`].
    pub const fn persistent(mut self, persistent: bool) -> Self {
        self.settings.persistent = persistent;
        self
    }

    /// The part of the idle timeout that must have passed before a request that only reads moves the expiry: 0.1
    /// unless set, and at most 0.5.
    ///
    /// A smaller part costs more writes; a larger one ends a session that much earlier than the idle timeout says.
    pub const fn touch_fraction(mut self, fraction: f64) -> Self {
        self.touch_fraction = fraction;
        self
    }

    /// Whether changes are saved although the handler has answered with a status from 500 on. They are dropped unless
    /// set, since such a handler has usually not finished what it began.
    pub const fn commit_on_server_error(mut self, commit: bool) -> Self {
        self.commit_on_server_error = commit;
        self
    }

    /// What a request gets while the store does not answer. An error unless set.
    pub const fn on_outage(mut self, choice: OnOutage) -> Self {
        self.on_outage = choice;
        self
    }

    /// How many sessions a user may have at the same time, and what becomes of a login that would be one too many. As
    /// many as they like unless set. It is looked at by logins, so that a lower number ends no session by itself.
    ///
    /// Where the last place is contended for by two processes, [`AtLimit::Refuse`] may refuse both: there are never
    /// more sessions than this.
    pub const fn max_sessions_per_user(mut self, max: NonZeroUsize, at_limit: AtLimit) -> Self {
        self.session_limit = Some(SessionLimit { max, at_limit });
        self
    }

    /// Where the time comes from; the system's clock unless set.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The manager.
    ///
    /// # Errors
    ///
    /// When there are no keys, a setting is out of its bounds, or a manager [beside](Self::beside) this one has the
    /// cookie's name. The message names what is missing or wrong.
    pub fn build(mut self) -> Result<SessionManager, SettingError> {
        let keys =
            self.keys.take().ok_or_else(|| SettingError::described("SessionManager", "has no keys to sign with"))?;
        self.settings.check()?;
        if !(0.0..=MAX_TOUCH_FRACTION).contains(&self.touch_fraction) {
            return Err(SettingError::new("touch_fraction", &self.touch_fraction.to_string(), "from 0 to 0.5"));
        }
        if self.session_limit.is_some() && self.store.principals().is_none() {
            let problem = "is limited, but the session store keeps no index of users to count them by";
            return Err(SettingError::described("max_sessions_per_user", problem));
        }
        // Here, so that it cannot happen in a request.
        let largest = CookieLifetime::new(Duration::MAX, u64::MAX);
        self.cookie
            .set_cookie(&"0".repeat(COOKIE_VALUE_LEN), Some(largest))
            .map_err(|error| SettingError::described("SESSION_COOKIE_NAME", format!("cannot be used: {error}")))?;
        if !self.cookie_names.take(self.cookie.name()) {
            let allowed = "a name of its own, because a session manager beside this one has it";
            return Err(SettingError::new("SESSION_COOKIE_NAME", self.cookie.name(), allowed));
        }
        let sealed = self.client_side.then(|| Sealed::new(&keys, self.cookie.name()));
        if let Some(fits) = sealed.as_ref().and_then(|sealed| ByteSize::new(sealed.max_payload_len())) {
            self.settings.max_size = self.settings.max_size.min(fits);
        }
        if !self.cookie.is_secure() {
            tracing::warn!(
                cookie = self.cookie.name(),
                "session cookie is sent over plain HTTP too; set SESSION_COOKIE_SECURE=true where there is HTTPS"
            );
        }
        Ok(SessionManager(Arc::new(Inner {
            signers: Signers::new(&keys, self.cookie.name()),
            lifetime: ExpiryPolicy {
                idle_timeout: self.settings.idle_timeout,
                absolute_timeout: self.settings.absolute_timeout,
                touch_fraction: self.touch_fraction,
            },
            store: self.store,
            sealed,
            signed_cookies: self.signed_cookies.unwrap_or_else(|| self.cookie.clone()),
            cookie: self.cookie,
            cookie_names: self.cookie_names,
            settings: self.settings,
            commit_on_server_error: self.commit_on_server_error,
            on_outage: self.on_outage,
            clock: self.clock,
            turns: StripedLocks::new(),
            session_limit: self.session_limit,
            login_turns: StripedLocks::new(),
            counting: Counting::default(),
        })))
    }
}
