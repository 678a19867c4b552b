use std::num::NonZeroUsize;
use std::time::Duration;

use nexios_settings::{ByteSize, DURATIONS, OrNone, Setting, SettingError, Vars};
use serde::Deserialize;

use crate::services::policies::AtLimit;

/// The lifetimes of sessions, their maximum size and number, and the time limit of their store.
///
/// Read them from the environment or from a configuration file, or set them on the builder. A field has the name of its
/// environment variable without `SESSION_`: `idle_timeout` in a configuration file is `SESSION_IDLE_TIMEOUT` in the
/// environment, and allows the same values.
///
/// # Examples
///
/// ```
/// use nexios_middleware_core::SessionSettings;
///
/// let settings: SessionSettings = toml::from_str(r#"
///     idle_timeout = "30m"
///     absolute_timeout = "12h"
/// "#)?;
/// assert_eq!(settings.idle_timeout.as_secs(), 1800);
/// assert_eq!(settings.cleanup_interval, SessionSettings::default().cleanup_interval);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct SessionSettings {
    /// The time that a session lives after it was last used. 14 days by default.
    #[serde(deserialize_with = "nexios_settings::deserialize")]
    pub idle_timeout: Duration,
    /// The time that a session lives after its login (or its creation), however much it is used. No limit by default.
    #[serde(deserialize_with = "optional_duration")]
    pub absolute_timeout: Option<Duration>,
    /// The time from one removal of expired sessions from the store to the next; `None` for no removal. 10 minutes by
    /// default.
    #[serde(deserialize_with = "optional_duration")]
    pub cleanup_interval: Option<Duration>,
    /// The time that the store may take to load or to save a session, retries included. Lists, revocations, sweeps, and
    /// the count of a user's sessions at a login have this time for each call of the store. 5 seconds by default.
    #[serde(deserialize_with = "nexios_settings::deserialize")]
    pub store_timeout: Duration,
    /// The largest size of one encoded session. 256 KiB by default.
    #[serde(deserialize_with = "nexios_settings::deserialize")]
    pub max_size: ByteSize,
    /// `true` for a cookie that outlives the browser, `false` for one that ends with it. A session can [choose for
    /// itself](crate::Session::set_persistent). `true` by default.
    #[serde(deserialize_with = "nexios_settings::deserialize")]
    pub persistent: bool,
    /// The number of sessions that a user may have at the same time, from 1 to 10 000; `None` for no limit. 200 by
    /// default.
    ///
    /// Only logins look at it, so a lower number ends no session by itself. A store without an index of users has no
    /// limit, as nobody can count there.
    #[serde(deserialize_with = "max_per_user")]
    pub max_per_user: Option<NonZeroUsize>,
    /// The choice of what becomes of a login that would be one too many. The oldest session ends by default.
    #[serde(deserialize_with = "nexios_settings::deserialize")]
    pub at_limit: AtLimit,
}

impl SessionSettings {
    /// Reads the settings from the environment of this process.
    ///
    /// # Errors
    ///
    /// Fails if a variable is set but empty, or if its value is not allowed. The message says which values are.
    pub fn from_env() -> Result<Self, SettingError> {
        Self::from_vars(&Vars::process())
    }

    /// Reads the settings from `vars`.
    ///
    /// # Errors
    ///
    /// Fails as [`from_env`](Self::from_env) does.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_middleware_core::SessionSettings;
    /// use nexios_settings::Vars;
    ///
    /// let settings = SessionSettings::from_vars(&Vars::from_iter([("SESSION_IDLE_TIMEOUT", "30m")]))?;
    /// assert_eq!(settings.idle_timeout.as_secs(), 1800);
    /// # Ok::<(), nexios_settings::SettingError>(())
    /// ```
    pub fn from_vars(vars: &Vars) -> Result<Self, SettingError> {
        let default = Self::default();
        let or_none =
            |name, default| Ok::<_, SettingError>(vars.get::<OrNone<Duration>>(name)?.map_or(default, |d| d.0));
        Ok(Self {
            idle_timeout: vars.get("SESSION_IDLE_TIMEOUT")?.unwrap_or(default.idle_timeout),
            absolute_timeout: or_none("SESSION_ABSOLUTE_TIMEOUT", default.absolute_timeout)?,
            cleanup_interval: or_none("SESSION_CLEANUP_INTERVAL", default.cleanup_interval)?,
            store_timeout: vars.get("SESSION_STORE_TIMEOUT")?.unwrap_or(default.store_timeout),
            max_size: vars.get("SESSION_MAX_SIZE")?.unwrap_or(default.max_size),
            persistent: vars.get("SESSION_PERSISTENT")?.unwrap_or(default.persistent),
            max_per_user: vars.get::<MaxPerUser>("SESSION_MAX_PER_USER")?.map_or(default.max_per_user, |max| max.0),
            at_limit: vars.get("SESSION_AT_LIMIT")?.unwrap_or(default.at_limit),
        })
    }

    /// Checks durations that were set in code. Those that were read have been checked.
    pub(crate) fn check(&self) -> Result<(), SettingError> {
        for (name, duration) in [
            ("idle_timeout", Some(self.idle_timeout)),
            ("absolute_timeout", self.absolute_timeout),
            ("cleanup_interval", self.cleanup_interval),
            ("store_timeout", Some(self.store_timeout)),
        ] {
            check_duration(name, duration)?;
        }
        match self.max_per_user {
            Some(max) if max > HIGHEST_MAX_PER_USER => {
                Err(SettingError::new("max_per_user", &max.to_string(), MaxPerUser::ALLOWED))
            }
            _ => Ok(()),
        }
    }
}

/// The setting `max_per_user`.
struct MaxPerUser(Option<NonZeroUsize>);

impl Setting for MaxPerUser {
    const ALLOWED: &'static str = "none, or a whole number from 1 to 10000";

    fn parse(text: &str) -> Option<Self> {
        if text == "none" {
            return Some(Self(None));
        }
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()); // without a sign
        let max = text.parse().ok().filter(|max| is_plain && *max <= HIGHEST_MAX_PER_USER)?;
        Some(Self(Some(max)))
    }
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            idle_timeout: Duration::from_secs(14 * 24 * 60 * 60),
            absolute_timeout: None,
            cleanup_interval: Some(Duration::from_secs(10 * 60)),
            store_timeout: Duration::from_secs(5),
            max_size: DEFAULT_MAX_SIZE,
            persistent: true,
            max_per_user: NonZeroUsize::new(200),
            at_limit: AtLimit::default(),
        }
    }
}

/// Checks that a duration is from one second to ten years, like every duration of the settings.
pub(crate) fn check_duration(name: &'static str, duration: Option<Duration>) -> Result<(), SettingError> {
    match duration {
        Some(duration) if !DURATIONS.contains(&duration) => {
            Err(SettingError::new(name, &format!("{duration:?}"), "from 1 second to 3650 days"))
        }
        _ => Ok(()),
    }
}

fn max_per_user<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<NonZeroUsize>, D::Error> {
    nexios_settings::deserialize::<MaxPerUser, D>(deserializer).map(|max| max.0)
}

fn optional_duration<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    nexios_settings::deserialize::<OrNone<Duration>, D>(deserializer).map(|duration| duration.0)
}

const HIGHEST_MAX_PER_USER: NonZeroUsize = NonZeroUsize::MIN.saturating_add(9_999);

const DEFAULT_MAX_SIZE: ByteSize = match ByteSize::new(256 * 1024) {
    Some(size) => size,
    None => ByteSize::MAX,
};

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, value: &str) -> Result<SessionSettings, String> {
        SessionSettings::from_vars(&Vars::from_iter([(name, value)])).map_err(|error| error.to_string())
    }

    #[test]
    fn a_number_of_sessions_is_from_1_to_10000_or_none() {
        for (text, max) in [("1", Some(1)), ("10000", Some(10_000)), ("none", None)] {
            let settings = read("SESSION_MAX_PER_USER", text).unwrap();
            assert_eq!(settings.max_per_user.map(NonZeroUsize::get), max, "{text}");
        }
        for text in ["0", "10001", "-1", "+5", "1.5", "unlimited", "None"] {
            let error = read("SESSION_MAX_PER_USER", text).unwrap_err();
            let allowed = "none, or a whole number from 1 to 10000";
            assert_eq!(error, format!("SESSION_MAX_PER_USER is `{text}`, but must be {allowed}"));
        }
        let settings: SessionSettings = toml::from_str("max_per_user = 5\nat_limit = 'refuse'").unwrap();
        assert_eq!((settings.max_per_user, settings.at_limit), (NonZeroUsize::new(5), AtLimit::Refuse));
        let settings = SessionSettings { max_per_user: NonZeroUsize::new(10_001), ..SessionSettings::default() };
        assert!(settings.check().unwrap_err().to_string().starts_with("max_per_user is `10001`"));
    }

    #[test]
    fn defaults_are_those_of_the_specification() {
        let settings = SessionSettings::from_vars(&Vars::from_iter::<[(&str, &str); 0]>([])).unwrap();
        assert_eq!(settings, SessionSettings::default());
        assert_eq!(settings.idle_timeout.as_secs(), 14 * 86_400);
        assert_eq!(settings.absolute_timeout, None);
        assert_eq!(settings.cleanup_interval, Some(Duration::from_secs(600)));
        assert_eq!(settings.store_timeout.as_secs(), 5);
        assert_eq!(settings.max_size.as_bytes(), 262_144);
        assert!(settings.persistent);
        assert_eq!(settings.max_per_user.map(NonZeroUsize::get), Some(200));
        assert_eq!(settings.at_limit, AtLimit::EndOldest);
        assert_eq!(toml::from_str::<SessionSettings>("").unwrap(), settings);
    }

    #[test]
    fn each_variable_sets_its_setting() {
        assert_eq!(read("SESSION_IDLE_TIMEOUT", "2h").unwrap().idle_timeout.as_secs(), 7200);
        assert_eq!(read("SESSION_ABSOLUTE_TIMEOUT", "12h").unwrap().absolute_timeout.unwrap().as_secs(), 43_200);
        assert_eq!(read("SESSION_ABSOLUTE_TIMEOUT", "none").unwrap().absolute_timeout, None);
        assert_eq!(read("SESSION_CLEANUP_INTERVAL", "none").unwrap().cleanup_interval, None);
        assert_eq!(read("SESSION_STORE_TIMEOUT", "3").unwrap().store_timeout.as_secs(), 3);
        assert_eq!(read("SESSION_MAX_SIZE", "64KiB").unwrap().max_size.as_bytes(), 65_536);
        assert!(!read("SESSION_PERSISTENT", "false").unwrap().persistent);
    }

    #[test]
    fn a_bad_value_names_the_variable_the_value_and_the_rule() {
        for (name, value) in [
            ("SESSION_IDLE_TIMEOUT", "0"),
            ("SESSION_IDLE_TIMEOUT", "none"),
            ("SESSION_ABSOLUTE_TIMEOUT", "never"),
            ("SESSION_CLEANUP_INTERVAL", "-5"),
            ("SESSION_STORE_TIMEOUT", "5 s"),
            ("SESSION_MAX_SIZE", "1GB"),
            ("SESSION_PERSISTENT", "yes"),
        ] {
            let message = read(name, value).unwrap_err();
            assert!(message.starts_with(&format!("{name} is `{value}`, but must be ")), "{message}");
            assert_eq!(read(name, "").unwrap_err(), format!("{name} is set but empty"));
        }
    }

    #[test]
    fn a_file_may_not_have_unknown_settings() {
        assert!(toml::from_str::<SessionSettings>("idle_timout = 5").unwrap_err().to_string().contains("idle_timout"));
        assert!(toml::from_str::<SessionSettings>("idle_timeout = \"5x\"").is_err());
        assert_eq!(
            toml::from_str::<SessionSettings>("absolute_timeout = 60").unwrap().absolute_timeout.unwrap().as_secs(),
            60
        );
    }

    #[test]
    fn durations_set_in_code_are_checked_too() {
        let zero = SessionSettings { idle_timeout: Duration::ZERO, ..Default::default() };
        assert_eq!(
            zero.check().unwrap_err().to_string(),
            "idle_timeout is `0ns`, but must be from 1 second to 3650 days"
        );
        let long = SessionSettings { absolute_timeout: Some(Duration::MAX), ..Default::default() };
        assert!(long.check().is_err());
        assert!(SessionSettings::default().check().is_ok());
    }
}
