use std::borrow::Cow;

/// The error for a setting whose value is not allowed.
///
/// The message names the setting, its value and what is allowed. It never contains the value of a secret.
///
/// # Examples
///
/// ```
/// use nexios_settings::SettingError;
///
/// let error = SettingError::new("PORT", "http", "a number");
/// assert_eq!(error.to_string(), "PORT is `http`, but must be a number");
/// assert_eq!(error.setting(), "PORT");
///
/// let error = SettingError::described("API_TOKEN", "is shorter than 20 bytes");
/// assert_eq!(error.to_string(), "API_TOKEN is shorter than 20 bytes");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting} {problem}")]
pub struct SettingError {
    setting: Cow<'static, str>,
    problem: String,
}

impl SettingError {
    /// Makes an error for a `value` that is not one of the `allowed` ones.
    pub fn new(setting: impl Into<Cow<'static, str>>, value: &str, allowed: &str) -> Self {
        // A value may contain line breaks and control characters. The message must stay one printable line.
        let value: String = value.chars().take(MAX_SHOWN).flat_map(char::escape_debug).collect();
        Self::described(setting, format!("is `{value}`, but must be {allowed}"))
    }

    /// Makes an error with your own words, which follow the name of the setting: "is set but empty".
    ///
    /// Use this one for a secret, whose value must not appear.
    pub fn described(setting: impl Into<Cow<'static, str>>, problem: impl Into<String>) -> Self {
        Self { setting: setting.into(), problem: problem.into() }
    }

    /// Returns the name of the setting, as the user wrote it.
    pub fn setting(&self) -> &str {
        &self.setting
    }
}

/// The number of characters of a wrong value that are shown: enough to recognise it, too few to fill a log.
const MAX_SHOWN: usize = 80;
