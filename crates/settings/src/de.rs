use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Unexpected, Visitor};

use crate::Setting;

/// Deserializes a setting from a string, a whole number or a boolean, with the parser that reads variables.
///
/// Write `#[serde(deserialize_with = "nexios_settings::deserialize")]` above a field. Then `idle_timeout = "30m"` and
/// `idle_timeout = 1800` in a TOML file mean the same as `SESSION_IDLE_TIMEOUT=30m` and `SESSION_IDLE_TIMEOUT=1800` in
/// the environment.
///
/// # Errors
///
/// Fails if the value is of another type, or is not one of the [allowed](Setting::ALLOWED) values.
///
/// # Examples
///
/// ```
/// use serde::Deserialize;
/// use std::time::Duration;
///
/// #[derive(Deserialize)]
/// struct Limits {
///     #[serde(deserialize_with = "nexios_settings::deserialize")]
///     idle_timeout: Duration,
/// }
///
/// let limits: Limits = serde_json::from_str(r#"{"idle_timeout": "30m"}"#)?;
/// assert_eq!(limits.idle_timeout, Duration::from_secs(1800));
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn deserialize<'de, T: Setting, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(SettingVisitor(PhantomData))
}

struct SettingVisitor<T>(PhantomData<T>);

impl<T: Setting> Visitor<'_> for SettingVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::ALLOWED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        T::parse(&number.to_string()).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    // TOML has only signed numbers.
    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        T::parse(&number.to_string()).ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_bool<E: Error>(self, switch: bool) -> Result<T, E> {
        let text = if switch { "true" } else { "false" };
        T::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Bool(switch), &self))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde::Deserialize;

    use crate::OrNone;

    #[derive(Debug, Deserialize)]
    struct Example {
        #[serde(deserialize_with = "crate::deserialize")]
        timeout: Duration,
        #[serde(deserialize_with = "crate::deserialize")]
        limit: OrNone<Duration>,
        #[serde(deserialize_with = "crate::deserialize")]
        secure: bool,
    }

    fn parse(json: &str) -> Result<Example, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn text_numbers_and_booleans_are_read_like_variables() {
        let example = parse(r#"{"timeout": 90, "limit": "none", "secure": true}"#).unwrap();
        assert_eq!((example.timeout.as_secs(), example.limit, example.secure), (90, OrNone(None), true));
        let example = parse(r#"{"timeout": "30m", "limit": "1h", "secure": "0"}"#).unwrap();
        assert_eq!((example.timeout.as_secs(), example.secure), (1800, false));
    }

    #[test]
    fn a_value_that_a_variable_refuses_is_refused_here_too() {
        for json in [
            r#"{"timeout": 0, "limit": "none", "secure": true}"#,
            r#"{"timeout": -1, "limit": "none", "secure": true}"#,
            r#"{"timeout": 1, "limit": "never", "secure": true}"#,
            r#"{"timeout": 1, "limit": "none", "secure": "yes"}"#,
            r#"{"timeout": true, "limit": "none", "secure": true}"#,
            r#"{"timeout": [1], "limit": "none", "secure": true}"#,
        ] {
            let message = parse(json).unwrap_err();
            assert!(message.contains("invalid"), "{json}: {message}");
        }
    }
}
