/// A part of the configuration that an error may have to name.
#[derive(Clone, Copy)]
pub(crate) enum Field {
    Name,
    Domain,
    Path,
    HttpOnly,
    Secure,
    SameSite,
    Partitioned,
}

impl Field {
    /// The name of the field in code and in configuration files.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Name => "cookie name",
            Self::Domain => "cookie domain",
            Self::Path => "cookie path",
            Self::HttpOnly => "cookie http_only",
            Self::Secure => "cookie secure",
            Self::SameSite => "cookie same_site",
            Self::Partitioned => "cookie partitioned",
        }
    }

    /// The environment variable that sets the field.
    pub(crate) const fn variable(self) -> &'static str {
        match self {
            Self::Name => "SESSION_COOKIE_NAME",
            Self::Domain => "SESSION_COOKIE_DOMAIN",
            Self::Path => "SESSION_COOKIE_PATH",
            Self::HttpOnly => "SESSION_COOKIE_HTTPONLY",
            Self::Secure => "SESSION_COOKIE_SECURE",
            Self::SameSite => "SESSION_COOKIE_SAMESITE",
            Self::Partitioned => "SESSION_COOKIE_PARTITIONED",
        }
    }
}

/// A requirement that one part of the configuration has of another.
#[derive(Clone, Copy)]
pub(crate) enum Need {
    Secure,
    HttpOnly,
    RootPath,
    NoDomain,
}

impl Need {
    /// The field in question, and the value that it must have.
    pub(crate) const fn describe(self) -> (Field, &'static str) {
        match self {
            Self::Secure => (Field::Secure, "true"),
            Self::HttpOnly => (Field::HttpOnly, "true"),
            Self::RootPath => (Field::Path, "`/`"),
            Self::NoDomain => (Field::Domain, "unset"),
        }
    }
}
