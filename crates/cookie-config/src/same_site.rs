use nexios_settings::Setting;

/// The choice of which requests carry the cookie if another site makes the browser send them.
///
/// It helps against cross-site request forgery, but does not replace a token.
///
/// # Examples
///
/// ```
/// use nexios_cookie_config::SameSite;
/// use nexios_settings::Setting;
///
/// assert_eq!(SameSite::parse("STRICT"), Some(SameSite::Strict));
/// assert_eq!(SameSite::Strict.as_str(), "Strict");
/// assert_eq!(SameSite::default(), SameSite::Lax);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SameSite {
    /// Only requests that go to a page with a safe method, such as following a link.
    #[default]
    Lax,
    /// No requests: a visitor who follows a link from another site arrives without the cookie.
    Strict,
    /// All requests. Browsers accept this only together with Secure.
    None,
}

impl SameSite {
    /// Returns the value of the attribute: `Lax`, `Strict` or `None`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lax => "Lax",
            Self::Strict => "Strict",
            Self::None => "None",
        }
    }

    pub(crate) const fn as_cookie(self) -> cookie::SameSite {
        match self {
            Self::Lax => cookie::SameSite::Lax,
            Self::Strict => cookie::SameSite::Strict,
            Self::None => cookie::SameSite::None,
        }
    }
}

/// Reads `Lax`, `Strict` and `None` in any letter case.
impl Setting for SameSite {
    const ALLOWED: &'static str = "Lax, Strict or None";

    fn parse(text: &str) -> Option<Self> {
        [Self::Lax, Self::Strict, Self::None].into_iter().find(|value| text.eq_ignore_ascii_case(value.as_str()))
    }
}
