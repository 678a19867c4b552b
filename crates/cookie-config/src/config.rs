use crate::attributes::Attributes;
use crate::{CookieConfigBuilder, CookieError, Lifetime, SameSite, scanner, syntax};

/// A cookie's name and attributes, in a combination that browsers accept.
///
/// Make one with a [builder](Self::builder), from the [environment](Self::from_env), or through `serde`. You cannot
/// change it afterwards, but you can [build another](Self::to_builder) from it. The default is the builder's.
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
    /// The text that follows the value in every cookie of this configuration: `; HttpOnly; …; Path=/`.
    template: String,
}

impl CookieConfig {
    /// Starts from the defaults of the settings: `sessionid`, HttpOnly, SameSite=Lax, the path `/`, not Secure.
    pub fn builder() -> CookieConfigBuilder {
        CookieConfigBuilder::default()
    }

    /// Starts from the values recommended wherever there is TLS: `__Host-sessionid`, Secure, HttpOnly, SameSite=Lax.
    ///
    /// Because of the prefix, no other host can set this cookie, not even a sibling or a subdomain. If you choose
    /// another name, keep the prefix:
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

    /// Starts from this configuration, to build another cookie that differs in its name, say.
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

    /// Returns the cookie's name.
    pub fn name(&self) -> &str {
        &self.attributes.name
    }

    /// Returns the domain whose hosts all get the cookie, without a leading dot. `None` means that only the host that
    /// sets the cookie gets it.
    pub fn domain(&self) -> Option<&str> {
        self.attributes.domain.as_deref()
    }

    /// Returns the path at and below which the cookie is sent.
    pub fn path(&self) -> &str {
        &self.attributes.path
    }

    /// Returns `true` if the cookie is hidden from scripts.
    pub const fn is_http_only(&self) -> bool {
        self.attributes.http_only
    }

    /// Returns `true` if the cookie is sent over TLS only. An application that starts without this should log a
    /// warning.
    pub const fn is_secure(&self) -> bool {
        self.attributes.secure
    }

    /// Returns which requests from other sites carry the cookie.
    pub const fn same_site(&self) -> SameSite {
        self.attributes.same_site
    }

    /// Returns `true` if there is a separate cookie for each top-level site that embeds this one (CHIPS).
    pub const fn is_partitioned(&self) -> bool {
        self.attributes.partitioned
    }

    /// Makes the `Set-Cookie` line that sets the cookie. Without a lifetime, the browser forgets the cookie when it is
    /// closed.
    ///
    /// # Errors
    ///
    /// Fails if the value contains anything but `cookie-octet`s (visible ASCII without `"`, `,`, `;` and `\`), or if
    /// name and value together are longer than the 4096 bytes that browsers accept.
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

    /// Makes the `Set-Cookie` line that removes the cookie.
    ///
    /// It differs from the line that set the cookie only in value and lifetime. Browsers tell cookies apart by domain,
    /// path and partition too: a removal with other attributes would leave the cookie in place.
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
        // The exact capacity, so that the line becomes a header value without another allocation.
        let mut line = String::with_capacity(parts.iter().map(|part| part.len()).sum::<usize>() + lifetime_len);
        line.extend(parts);
        if let Some(lifetime) = lifetime {
            lifetime.push_to(&mut line);
        }
        line
    }

    /// Finds every value that a `Cookie` header has for this name, in the order of the header.
    ///
    /// A browser may have several cookies with this name, for different paths or domains, and sends only their values.
    /// So try them all. If there are several header lines, scan them one after another, or join them with `; `.
    ///
    /// The header may contain any bytes. A part that is no pair, or has another name, is skipped. Names are
    /// case-sensitive. Spaces and tabs around name and value are dropped. Quotes are not: they are part of the value
    /// (RFC 6265bis, 4.1.1). The scan takes time in proportion to the length of the header, and does not allocate.
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
}

impl Default for CookieConfig {
    fn default() -> Self {
        // The defaults need no check, as the test `the_default_equals_what_the_builder_makes` shows.
        Self::from_checked(Attributes::default())
    }
}

// RFC 6265bis, 5.6: browsers ignore a cookie whose name and value together are longer than this.
const MAX_LEN: usize = 4096;
