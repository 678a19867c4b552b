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
/// assert_eq!(SameSite::parse("omit"), Some(SameSite::Omit));
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
    /// No attribute is sent, and each browser does as it likes: most of them treat the cookie like `Lax`, and let it
    /// through with `POST` for two minutes. For browsers that misread `None`.
    Omit,
}

impl SameSite {
    /// Returns the value as a setting has it: `Lax`, `Strict`, `None` or `omit`. Apart from the last, that is the value
    /// of the attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lax => "Lax",
            Self::Strict => "Strict",
            Self::None => "None",
            Self::Omit => "omit",
        }
    }

    pub(crate) const fn as_cookie(self) -> Option<cookie::SameSite> {
        match self {
            Self::Lax => Some(cookie::SameSite::Lax),
            Self::Strict => Some(cookie::SameSite::Strict),
            Self::None => Some(cookie::SameSite::None),
            Self::Omit => None,
        }
    }
}

/// Reads `Lax`, `Strict`, `None` and `omit` in any letter case.
impl Setting for SameSite {
    const ALLOWED: &'static str = "Lax, Strict, None or omit";

    fn parse(text: &str) -> Option<Self> {
        [Self::Lax, Self::Strict, Self::None, Self::Omit]
            .into_iter()
            .find(|value| text.eq_ignore_ascii_case(value.as_str()))
    }
}
