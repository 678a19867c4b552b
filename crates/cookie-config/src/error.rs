use nexios_settings::SettingError;

/// A cookie's configuration is not one that browsers accept.
///
/// The message names the attribute, its value and what is allowed; if two attributes contradict each other, both.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct CookieConfigError(pub(crate) SettingError);

/// A value cannot be sent in a cookie.
///
/// The message names the cookie and the limit, never the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cookie `{name}` {problem}")]
pub struct CookieError {
    name: String,
    problem: &'static str,
}

impl CookieError {
    pub(crate) fn value(name: &str) -> Self {
        Self { name: name.to_owned(), problem: "has a value with characters that a cookie cannot hold" }
    }

    pub(crate) fn length(name: &str) -> Self {
        Self { name: name.to_owned(), problem: "is longer than 4096 bytes, name and value together" }
    }
}
