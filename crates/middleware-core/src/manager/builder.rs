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
use crate::services::expiry::{DEFAULT_TOUCH_FRACTION, ExpiryPolicy, MAX_TOUCH_FRACTION};
use crate::services::failure_body::{FailureBodies, FailureBody};
use crate::services::policies::{AtLimit, OnOutage, SessionLimit};
use crate::services::settings::SessionSettings;
use crate::services::signers::{COOKIE_VALUE_LEN, Signers};
use crate::services::striped_locks::StripedLocks;

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
    /// `None` where the visitors keep their sessions.
    store: Option<Arc<dyn SessionStore>>,
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
            session_limit: None,
            clock: Arc::new(SystemClock),
            failure_bodies: None,
            observers: Observers::default(),
        }
    }

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

    /// Says that these sessions and those of `other` belong to one application: an administrator's and a customer's, say.
    ///
    /// [Signed cookies](crate::SignedCookies) of either then refuse the names of both session cookies, and two managers
    /// with one cookie name are an error when the second is [built](Self::build). Of three managers, name the first to
    /// the second, and either of the two to the third.
    pub fn same_application(mut self, other: &SessionManager) -> Self {
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

    /// Sets what the body of an answer is that says that a session failed, given its status: 503, 500 or 409, and 400 for
    /// a signed cookie that was tampered with. Such an answer is empty unless set.
    ///
    /// See [`FailureBody`] for problem details as an example. The error itself is for the log, not for the visitor.
    pub fn failure_body(mut self, make: impl Fn(u16) -> FailureBody + Send + Sync + 'static) -> Self {
        self.failure_bodies = Some(FailureBodies::new(make));
        self
    }

    /// Adds an [`Observer`], which hears of every [event](crate::Event) of this manager's sessions.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observers.add(observer);
        self
    }

    /// Builds the manager.
    ///
    /// # Errors
    ///
    /// When there are no keys, a setting is out of its bounds, or a manager of the [same application](Self::same_application) has the
    /// cookie's name. The message names what is missing or wrong.
    pub fn build(mut self) -> Result<SessionManager, SettingError> {
        let keys =
            self.keys.take().ok_or_else(|| SettingError::described("SessionManager", "has no keys to sign with"))?;
        self.settings.check()?;
        if !(0.0..=MAX_TOUCH_FRACTION).contains(&self.touch_fraction) {
            return Err(SettingError::new("touch_fraction", &self.touch_fraction.to_string(), "from 0 to 0.5"));
        }
        if self.session_limit.is_some() && self.store.as_ref().is_none_or(|store| store.principals().is_none()) {
            let problem = "is limited, but the session store keeps no index of users to count them by";
            return Err(SettingError::described("max_sessions_per_user", problem));
        }
        // Here, so that it cannot happen in a request.
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
            session_limit: self.session_limit,
            logins: StripedLocks::new(),
            failure_bodies: self.failure_bodies,
            events: Events::new(self.observers),
        };
        if !services.cookie.is_secure() {
            services.note(Event::CookieInsecure);
        }
        Ok(SessionManager(Arc::new(services)))
    }
}
