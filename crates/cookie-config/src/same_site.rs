use nexios_settings::Setting;

/// Which requests that another site makes the browser do carry the cookie.
///
/// It is a help against cross-site request forgery, not a replacement for a token.
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
    /// Only following a link, or otherwise going to a page with a safe method.
    #[default]
    Lax,
    /// None of them: who follows a link from another site arrives without the cookie.
    Strict,
    /// All of them. Browsers accept this with Secure only.
    None,
}

impl SameSite {
    /// The value as the attribute has it: `Lax`, `Strict` or `None`.
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

/// In any letter case.
impl Setting for SameSite {
    const ALLOWED: &'static str = "Lax, Strict or None";

    fn parse(text: &str) -> Option<Self> {
        [Self::Lax, Self::Strict, Self::None].into_iter().find(|value| text.eq_ignore_ascii_case(value.as_str()))
    }
}
