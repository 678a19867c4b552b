use crate::attributes::Attributes;
use crate::{CookieConfigBuilder, CookieError, Lifetime, SameSite, scanner, syntax};

/// A cookie's name and attributes, in a combination that browsers accept.
///
/// It comes from a [builder](Self::builder), from the [environment](Self::from_env), or through `serde`; there is no
/// way to change one afterwards but to [build another](Self::to_builder). The default is the builder's.
///
/// # Examples
///
/// ```
/// use nexios_cookie_config::{CookieConfig, SameSite};
///
/// let cookie = CookieConfig::default();
/// assert_eq!((cookie.name(), cookie.path(), cookie.domain()), ("sessionid", "/", None));
/// assert_eq!((cookie.is_http_only(), cookie.is_secure(), cookie.is_partitioned()), (true, false, false));
/// assert_eq!(cookie.same_site(), SameSite::Lax);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieConfig {
    attributes: Attributes,
    /// All that follows the value in every cookie of this configuration: `; HttpOnly; …; Path=/`.
    template: String,
}

impl CookieConfig {
    /// Begins with the defaults of the settings: `sessionid`, HttpOnly, SameSite=Lax, the path `/`, not Secure.
    pub fn builder() -> CookieConfigBuilder {
        CookieConfigBuilder::default()
    }

    /// Begins with what is recommended where there is TLS: `__Host-sessionid`, Secure, HttpOnly, SameSite=Lax.
    ///
    /// Thanks to the prefix no other host, not even a sibling or a subdomain, can set this cookie. Another name should
    /// keep the prefix:
    ///
    /// ```
    /// use nexios_cookie_config::CookieConfig;
    ///
    /// let cookie = CookieConfig::strict().name("__Host-shop").build()?;
    /// assert!(cookie.is_secure() && cookie.is_http_only());
    /// # Ok::<(), nexios_cookie_config::CookieConfigError>(())
    /// ```
    pub fn strict() -> CookieConfigBuilder {
        Self::builder().name("__Host-sessionid").secure(true)
    }

    /// Begins with this configuration, for another cookie that differs in some points: its name, say.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_cookie_config::CookieConfig;
    ///
    /// let shop = CookieConfig::builder().secure(true).build()?;
    /// let admin = shop.to_builder().name("admin").path("/admin").build()?;
    /// assert!(admin.is_secure());
    /// # Ok::<(), nexios_cookie_config::CookieConfigError>(())
    /// ```
    pub fn to_builder(&self) -> CookieConfigBuilder {
        CookieConfigBuilder::from_attributes(self.attributes.clone())
    }

    pub(crate) fn from_checked(attributes: Attributes) -> Self {
        let template = attributes.to_text();
        Self { attributes, template }
    }

    /// The cookie's name.
    pub fn name(&self) -> &str {
        &self.attributes.name
    }

    /// The domain whose hosts all get the cookie, without a leading dot. `None`: only the host that sets it.
    pub fn domain(&self) -> Option<&str> {
        self.attributes.domain.as_deref()
    }

    /// The path below which the cookie is sent.
    pub fn path(&self) -> &str {
        &self.attributes.path
    }

    /// Whether the cookie is kept from scripts.
    pub const fn is_http_only(&self) -> bool {
        self.attributes.http_only
    }

    /// Whether the cookie is sent over TLS only. An application should warn when it starts without.
    pub const fn is_secure(&self) -> bool {
        self.attributes.secure
    }

    /// Which requests from other sites carry the cookie.
    pub const fn same_site(&self) -> SameSite {
        self.attributes.same_site
    }

    /// Whether the cookie is kept apart for each top-level site that embeds this one (CHIPS).
    pub const fn is_partitioned(&self) -> bool {
        self.attributes.partitioned
    }

    /// A `Set-Cookie` line that sets the cookie. Without a lifetime the browser forgets it when it is closed.
    ///
    /// # Errors
    ///
    /// When the value is not of `cookie-octet`s (visible ASCII without `"`, `,`, `;` and `\`), or when name and value
    /// together are longer than the 4096 bytes that browsers accept.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_cookie_config::CookieConfig;
    ///
    /// let cookie = CookieConfig::default();
    /// let line = cookie.set_cookie("a1b2", None)?;
    /// assert_eq!(line, "sessionid=a1b2; HttpOnly; SameSite=Lax; Path=/");
    /// assert!(cookie.set_cookie("a1;b2", None).is_err());
    /// # Ok::<(), nexios_cookie_config::CookieError>(())
    /// ```
    pub fn set_cookie(&self, value: &str, lifetime: Option<Lifetime>) -> Result<String, CookieError> {
        if !syntax::is_value(value) {
            return Err(CookieError::value(self.name()));
        }
        if self.name().len() + value.len() > MAX_LEN {
            return Err(CookieError::length(self.name()));
        }
        Ok(self.line(value, lifetime))
    }

    /// The `Set-Cookie` line that removes the cookie.
    ///
    /// It differs from a cookie that was set in value and lifetime only: browsers tell cookies apart by domain, path
    /// and partition too, and would keep one whose removal is for another.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_cookie_config::CookieConfig;
    ///
    /// let cookie = CookieConfig::builder().path("/shop").build()?;
    /// assert!(cookie.removal_cookie().starts_with("sessionid=; HttpOnly; SameSite=Lax; Path=/shop; Max-Age=0"));
    /// # Ok::<(), nexios_cookie_config::CookieConfigError>(())
    /// ```
    pub fn removal_cookie(&self) -> String {
        self.line("", Some(Lifetime::OVER))
    }

    fn line(&self, value: &str, lifetime: Option<Lifetime>) -> String {
        let parts = [self.name(), "=", value, &self.template];
        let lifetime_len = lifetime.map_or(0, Lifetime::text_len);
        // Exactly as much, so that it becomes the value of a header without another allocation.
        let mut line = String::with_capacity(parts.iter().map(|part| part.len()).sum::<usize>() + lifetime_len);
        line.extend(parts);
        if let Some(lifetime) = lifetime {
            lifetime.push_to(&mut line);
        }
        line
    }

    /// Every value that a `Cookie` header has for this name, in the order of the header.
    ///
    /// A browser may have several cookies of one name, for other paths or domains, and tells nothing but their values;
    /// so try them all. Several header lines can be scanned one after another, or joined with `; `.
    ///
    /// The header may be anything: what is no pair, or has another name, is passed over. Names are case-sensitive.
    /// Spaces and tabs around name and value are dropped, quotes are not: they are part of the value, as RFC 6265bis
    /// 4.1.1 has it. This takes time in proportion to the header's length and does not allocate.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_cookie_config::CookieConfig;
    ///
    /// let cookie = CookieConfig::default();
    /// let header = b"sessionid=one; theme=dark; sessionid=two; \xff";
    /// assert!(cookie.candidates(header).eq([b"one", b"two"]));
    /// ```
    pub fn candidates<'h>(&self, header: &'h [u8]) -> impl Iterator<Item = &'h [u8]> {
        scanner::values(header, self.name().as_bytes())
    }

    /// Whether a `Set-Cookie` line, of whoever made it, sets or removes a cookie of this name.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_cookie_config::CookieConfig;
    ///
    /// let cookie = CookieConfig::default();
    /// assert!(cookie.names(b"sessionid=a1b2; Path=/shop"));
    /// assert!(!cookie.names(b"theme=dark; Path=/"));
    /// ```
    pub fn names(&self, set_cookie_line: &[u8]) -> bool {
        scanner::sets(set_cookie_line, self.name().as_bytes())
    }
}

impl Default for CookieConfig {
    fn default() -> Self {
        // The test `the_default_is_what_the_builder_makes` shows that these need no check.
        Self::from_checked(Attributes::default())
    }
}

// RFC 6265bis, 5.6: browsers ignore a cookie whose name and value are longer than this together.
const MAX_LEN: usize = 4096;
