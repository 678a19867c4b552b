use nexios_settings::{SettingError, Vars};

use crate::CookieConfig;
use crate::attributes::Attributes;
use crate::field::Field;

impl CookieConfig {
    /// Reads the `SESSION_COOKIE_*` variables of this process.
    ///
    /// # Errors
    ///
    /// Fails if a variable is set but empty, if its value is not allowed, or if two values contradict each other. The
    /// error names the variables and what is allowed.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// let cookie = nexios_cookie_config::CookieConfig::from_env()?;
    /// # Ok::<(), nexios_settings::SettingError>(())
    /// ```
    pub fn from_env() -> Result<Self, SettingError> {
        Self::from_vars(&Vars::process())
    }

    /// Reads the `SESSION_COOKIE_*` variables from a source of your choice.
    ///
    /// # Errors
    ///
    /// Fails as [`from_env`](Self::from_env) does.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_cookie_config::CookieConfig;
    /// use nexios_settings::Vars;
    ///
    /// let vars = Vars::from_iter([("SESSION_COOKIE_NAME", "__Host-shop"), ("SESSION_COOKIE_SECURE", "true")]);
    /// assert_eq!(CookieConfig::from_vars(&vars)?.name(), "__Host-shop");
    /// # Ok::<(), nexios_settings::SettingError>(())
    /// ```
    pub fn from_vars(vars: &Vars) -> Result<Self, SettingError> {
        let default = Attributes::default();
        let attributes = Attributes {
            name: vars.text(Field::Name.variable())?.unwrap_or(default.name),
            domain: vars.text(Field::Domain.variable())?,
            path: vars.text(Field::Path.variable())?.unwrap_or(default.path),
            http_only: vars.get(Field::HttpOnly.variable())?.unwrap_or(default.http_only),
            secure: vars.get(Field::Secure.variable())?.unwrap_or(default.secure),
            same_site: vars.get(Field::SameSite.variable())?.unwrap_or(default.same_site),
            partitioned: vars.get(Field::Partitioned.variable())?.unwrap_or(default.partitioned),
        };
        attributes.check(Field::variable).map(Self::from_checked)
    }
}
