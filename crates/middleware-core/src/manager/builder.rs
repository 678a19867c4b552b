use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use nexios_cookie_config::{CookieConfig, Lifetime as CookieLifetime};
use nexios_settings::{ByteSize, SettingError};
use nexios_signer::KeyRing;
use nexios_store_core::SessionStore;

use crate::client_side;
use crate::client_side::cookie_slot::CookieSlot;
use crate::events::observer::{Observer, Observers};
use crate::events::{Event, Events};
use crate::manager::SessionManager;
use crate::services::Services;
use crate::services::clock::{Clock, SystemClock};
use crate::services::cookie_names::CookieNames;
use crate::services::endings::Endings;
use crate::services::expiry::{DEFAULT_TOUCH_FRACTION, ExpiryPolicy, MAX_TOUCH_FRACTION};
use crate::services::failure_body::{FailureBodies, FailureBody};
use crate::services::policies::{AtLimit, OnOutage, SessionLimit};
use crate::services::settings::SessionSettings;
use crate::services::signers::{COOKIE_VALUE_LEN, Signers};
use crate::services::striped_locks::StripedLocks;

/// A builder of a [`SessionManager`], begun by [`SessionManager::builder`] or [`SessionManager::client_side`].
///
/// Only the [keys](Self::keys) are required. Everything else has a default.
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
    /// `None` if the visitors keep their sessions.
    store: Option<Arc<dyn SessionStore>>,
    keys: Option<KeyRing>,
    cookie: CookieConfig,
    cookie_names: Arc<CookieNames>,
    signed_cookies: Option<CookieConfig>,
    settings: SessionSettings,
    touch_fraction: f64,
    commit_on_server_error: bool,
    on_outage: OnOutage,
    /// The application has asked for a limit, so that a store that cannot keep it is an error.
    limit_is_wanted: bool,
    clock: Arc<dyn Clock>,
    failure_bodies: Option<FailureBodies>,
    observers: Observers,
}

impl SessionManagerBuilder {
    pub(super) fn new(store: Option<Arc<dyn SessionStore>>) -> Self {
        Self {
            store,
            keys: None,
            cookie: CookieConfig::default(),
            cookie_names: Arc::default(),
            signed_cookies: None,
            settings: SessionSettings::default(),
            touch_fraction: DEFAULT_TOUCH_FRACTION,
            commit_on_server_error: false,
            on_outage: OnOutage::default(),
            limit_is_wanted: false,
            clock: Arc::new(SystemClock),
            failure_bodies: None,
            observers: Observers::default(),
        }
    }

    /// Sets the keys that sign and verify. Required.
    pub fn keys(mut self, keys: KeyRing) -> Self {
        self.keys = Some(keys);
        self
    }

    /// Sets the cookie that carries the id. The default is [`CookieConfig::default`].
    pub fn cookie(mut self, cookie: CookieConfig) -> Self {
        self.cookie = cookie;
        self
    }

    /// Declares that this manager and `other` belong to one application: one for customers, say, and one for
    /// administrators.
    ///
    /// [Signed cookies](crate::SignedCookies) of either manager then refuse the names of both session cookies. Two
    /// managers with the same cookie name are an error when the second one is [built](Self::build). Of three managers,
    /// name the first to the second, and either of the two to the third.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_cookie_config::CookieConfig;
    /// # use nexios_middleware_core::SessionManager;
    /// # use nexios_signer::{Key, KeyRing};
    /// # use nexios_store_memory::MemoryStore;
    /// # let keys = KeyRing::new(Key::generate()?);
    /// let customers = SessionManager::builder(MemoryStore::new()).keys(keys.clone()).build()?;
    /// let administrators = SessionManager::builder(MemoryStore::new())
    ///     .keys(keys)
    ///     .cookie(CookieConfig::builder().name("admin").build()?)
    ///     .same_application(&customers)
    ///     .build()?;
    /// let cookies = administrators.request([b""]).signed_cookies();
    /// assert!(cookies.set("sessionid", "mine").is_err(), "it is the name of the customers' cookie");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn same_application(mut self, other: &SessionManager) -> Self {
        self.cookie_names = Arc::clone(&other.0.cookie_names);
        self
    }

    /// Sets the attributes of [signed cookies](crate::SignedCookies). The name in `attributes` does not matter. The
    /// default is the attributes of the session's cookie.
    pub fn signed_cookies(mut self, attributes: CookieConfig) -> Self {
        self.signed_cookies = Some(attributes);
        self
    }

    /// Sets all lifetimes and limits at once, for instance from a configuration file.
    pub fn settings(mut self, settings: SessionSettings) -> Self {
        let default = SessionSettings::default();
        self.limit_is_wanted = (settings.max_per_user, settings.at_limit) != (default.max_per_user, default.at_limit);
        self.settings = settings;
        self
    }

    /// Sets [`SessionSettings::idle_timeout`].
    pub const fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.settings.idle_timeout = timeout;
        self
    }

    /// Sets [`SessionSettings::absolute_timeout`].
    pub const fn absolute_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.settings.absolute_timeout = timeout;
        self
    }

    /// Sets [`SessionSettings::cleanup_interval`].
    pub const fn cleanup_interval(mut self, interval: Option<Duration>) -> Self {
        self.settings.cleanup_interval = interval;
        self
    }

    /// Sets [`SessionSettings::store_timeout`].
    pub const fn store_timeout(mut self, timeout: Duration) -> Self {
        self.settings.store_timeout = timeout;
        self
    }

    /// Sets [`SessionSettings::max_size`].
    pub const fn max_size(mut self, size: ByteSize) -> Self {
        self.settings.max_size = size;
        self
    }

    /// Sets [`SessionSettings::persistent`].
    pub const fn persistent(mut self, persistent: bool) -> Self {
        self.settings.persistent = persistent;
        self
    }

    /// Sets [`SessionSettings::max_per_user`].
    ///
    /// The store must keep an index of users then, or the manager cannot be [built](Self::build). By default a user may
    /// have 200 sessions where it does.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{AtLimit, SessionManager};
    /// # use nexios_signer::{Key, KeyRing};
    /// # use nexios_store_memory::MemoryStore;
    /// # use std::num::NonZeroUsize;
    /// # let keys = KeyRing::new(Key::generate()?);
    /// let manager = SessionManager::builder(MemoryStore::new())
    ///     .keys(keys)
    ///     .max_per_user(NonZeroUsize::new(3))
    ///     .at_limit(AtLimit::Refuse)
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn max_per_user(mut self, max: Option<NonZeroUsize>) -> Self {
        self.settings.max_per_user = max;
        self.limit_is_wanted = true;
        self
    }

    /// Sets [`SessionSettings::at_limit`].
    ///
    /// If two processes compete for the last place, [`AtLimit::Refuse`] may refuse both, so that the user never keeps
    /// more sessions than the limit.
    pub const fn at_limit(mut self, choice: AtLimit) -> Self {
        self.settings.at_limit = choice;
        self
    }

    /// Sets the part of the idle timeout that must have passed before a request that only reads moves the expiry. The
    /// default is 0.1, and the maximum is 0.5.
    ///
    /// A smaller part costs more writes. With a larger part, a session can end earlier than the idle timeout says, by
    /// up to that part.
    pub const fn touch_fraction(mut self, fraction: f64) -> Self {
        self.touch_fraction = fraction;
        self
    }

    /// Chooses whether changes are saved even if the handler answers with a status of 408, or 500 or above. By default
    /// they are dropped, because such a handler has usually not finished what it began. A 408 comes from a layer that
    /// has dropped the handler because it took too long.
    pub const fn commit_on_server_error(mut self, commit: bool) -> Self {
        self.commit_on_server_error = commit;
        self
    }

    /// Chooses what a request gets while the store does not answer. The default is an error.
    pub const fn on_outage(mut self, choice: OnOutage) -> Self {
        self.on_outage = choice;
        self
    }

    /// Sets the source of the time. The default is the clock of the operating system.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the body of the answers that say that a session failed. `make` gets the status of the answer: 503, 500 or
    /// 409, or 400 for a signed cookie that was tampered with. By default such an answer is empty.
    ///
    /// See [`FailureBody`] for problem details as an example. The error itself is for the log, not for the visitor.
    pub fn failure_body(mut self, make: impl Fn(u16) -> FailureBody + Send + Sync + 'static) -> Self {
        self.failure_bodies = Some(FailureBodies::new(make));
        self
    }

    /// Adds an [`Observer`], which is told of every [event](crate::Event) of this manager's sessions.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observers.add(observer);
        self
    }

    /// Builds the manager.
    ///
    /// # Errors
    ///
    /// Fails, with a message that names what is missing or wrong, if
    ///
    /// * there are no keys,
    /// * a setting or the [touch fraction](Self::touch_fraction) is out of its bounds,
    /// * the [number of sessions](Self::max_per_user) is limited and the store keeps no index of users,
    /// * the cookie's name is so long that browsers would not accept the cookie,
    /// * a manager of the [same application](Self::same_application) has the cookie's name.
    pub fn build(mut self) -> Result<SessionManager, SettingError> {
        let keys =
            self.keys.take().ok_or_else(|| SettingError::described("SessionManager", "has no keys to sign with"))?;
        self.settings.check()?;
        if !(0.0..=MAX_TOUCH_FRACTION).contains(&self.touch_fraction) {
            return Err(SettingError::new("touch_fraction", &self.touch_fraction.to_string(), "from 0 to 0.5"));
        }
        let limit = self.settings.max_per_user.map(|max| SessionLimit { max, at_limit: self.settings.at_limit });
        let can_count = self.store.as_ref().is_some_and(|store| store.principals().is_some());
        if limit.is_some() && self.limit_is_wanted && !can_count {
            let problem = "is limited, but the session store keeps no index of users to count them by";
            return Err(SettingError::described("max_per_user", problem));
        }
        // Checked here, so that no request can fail for it.
        let largest = CookieLifetime::new(Duration::MAX, u64::MAX);
        self.cookie
            .set_cookie(&"0".repeat(COOKIE_VALUE_LEN), Some(largest))
            .map_err(|error| SettingError::described("SESSION_COOKIE_NAME", format!("cannot be used: {error}")))?;
        if !self.cookie_names.take(self.cookie.name()) {
            let allowed = "a name of its own, because another session manager of this application has it";
            return Err(SettingError::new("SESSION_COOKIE_NAME", self.cookie.name(), allowed));
        }
        let cookie_name = self.cookie.name();
        let (store, client_side) = match self.store {
            Some(store) => (store, None),
            None => {
                let sealer = Arc::new(client_side::sealer(&keys));
                if let Some(fits) = ByteSize::new(client_side::max_payload_len(cookie_name)) {
                    self.settings.max_size = self.settings.max_size.min(fits);
                }
                (Arc::new(CookieSlot::new(Arc::clone(&sealer))) as Arc<dyn SessionStore>, Some(sealer))
            }
        };
        let services = Services {
            signers: Signers::new(&keys, cookie_name),
            expiry: ExpiryPolicy {
                idle_timeout: self.settings.idle_timeout,
                absolute_timeout: self.settings.absolute_timeout,
                touch_fraction: self.touch_fraction,
            },
            store,
            client_side,
            signed_cookies: self.signed_cookies.unwrap_or_else(|| self.cookie.clone()),
            cookie: self.cookie,
            cookie_names: self.cookie_names,
            settings: self.settings,
            commit_on_server_error: self.commit_on_server_error,
            on_outage: self.on_outage,
            clock: self.clock,
            writers: StripedLocks::new(),
            session_limit: limit.filter(|_| can_count),
            logins: StripedLocks::new(),
            endings: Endings::default(),
            failure_bodies: self.failure_bodies,
            events: Events::new(self.observers),
        };
        if !services.cookie.is_secure() {
            services.note(Event::CookieInsecure);
        }
        Ok(SessionManager(Arc::new(services)))
    }
}
