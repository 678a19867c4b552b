use crate::attributes::Attributes;
use crate::field::Field;
use crate::{CookieConfig, CookieConfigError, SameSite};

/// A builder that collects the attributes of a cookie and checks them all in [`build`](Self::build).
///
/// ```
/// use nexios_cookie_config::{CookieConfig, SameSite};
///
/// let cookie = CookieConfig::builder()
///     .name("shop")
///     .domain("example.org")
///     .path("/shop")
///     .secure(true)
///     .same_site(SameSite::Strict)
///     .build()?;
/// assert_eq!(cookie.domain(), Some("example.org"));
/// # Ok::<(), nexios_cookie_config::CookieConfigError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct CookieConfigBuilder(Attributes);

impl CookieConfigBuilder {
    pub(crate) const fn from_attributes(attributes: Attributes) -> Self {
        Self(attributes)
    }

    /// Sets the cookie's name. Two applications on one host need different names.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.0.name = name.into();
        self
    }

    /// Sends the cookie to this host and to all hosts below it. Each of them can then also set or replace the cookie.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.0.domain = Some(domain.into());
        self
    }

    /// Sends the cookie only to the host that sets it. This is the default; call it to undo [`domain`](Self::domain).
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_cookie_config::CookieConfig;
    ///
    /// let shared = CookieConfig::builder().domain("example.org").build()?;
    /// let own = shared.to_builder().name("own").host_only().build()?;
    /// assert_eq!(own.domain(), None);
    /// # Ok::<(), nexios_cookie_config::CookieConfigError>(())
    /// ```
    pub fn host_only(mut self) -> Self {
        self.0.domain = None;
        self
    }

    /// Sends the cookie to this path and to the paths below it. A path is no protection: scripts of other paths on the
    /// host can get at the cookie.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.0.path = path.into();
        self
    }

    /// Hides the cookie from scripts. On by default.
    pub const fn http_only(mut self, http_only: bool) -> Self {
        self.0.http_only = http_only;
        self
    }

    /// Sends the cookie over TLS only. Off by default: switch it on wherever there is TLS.
    pub const fn secure(mut self, secure: bool) -> Self {
        self.0.secure = secure;
        self
    }

    /// Chooses which requests from other sites carry the cookie.
    pub const fn same_site(mut self, same_site: SameSite) -> Self {
        self.0.same_site = same_site;
        self
    }

    /// Keeps a separate cookie for each top-level site that embeds this one (CHIPS).
    ///
    /// Needs Secure, and is useful only with [`SameSite::None`]: other cookies do not reach an embedded page.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_cookie_config::{CookieConfig, SameSite};
    ///
    /// let framed = CookieConfig::builder().same_site(SameSite::None).secure(true).partitioned(true).build()?;
    /// assert!(framed.set_cookie("a1b2", None)?.contains("; Partitioned"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn partitioned(mut self, partitioned: bool) -> Self {
        self.0.partitioned = partitioned;
        self
    }

    /// Checks the attributes, alone and together.
    ///
    /// # Errors
    ///
    /// Fails if an attribute is not allowed, or if browsers would ignore a cookie with this combination. The
    /// [crate documentation](crate#settings) lists the rules.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_cookie_config::{CookieConfig, SameSite};
    ///
    /// let error = CookieConfig::builder().same_site(SameSite::None).build().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "cookie same_site is `None`, which needs cookie secure to be true, but it is false",
    /// );
    /// ```
    pub fn build(self) -> Result<CookieConfig, CookieConfigError> {
        self.0.check(Field::label).map(CookieConfig::from_checked).map_err(CookieConfigError)
    }
}
