use nexios_settings::SettingError;

/// The error for a cookie configuration that browsers would not accept.
///
/// The message names the attribute, its value and what is allowed. If two attributes contradict each other, it names
/// both.
///
/// # Examples
///
/// ```
/// use nexios_cookie_config::CookieConfig;
///
/// let error = CookieConfig::builder().path("shop").build().unwrap_err();
/// assert!(error.to_string().starts_with("cookie path is `shop`, but must be "), "{error}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct CookieConfigError(pub(crate) SettingError);

/// The error for a value that cannot be sent in a cookie.
///
/// The message names the cookie and the limit, but never the value.
///
/// # Examples
///
/// ```
/// use nexios_cookie_config::CookieConfig;
///
/// let error = CookieConfig::default().set_cookie("two words", None).unwrap_err();
/// assert!(!error.to_string().contains("two words"), "a value may be a secret");
/// ```
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
