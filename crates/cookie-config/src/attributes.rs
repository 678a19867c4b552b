use cookie::Cookie;
use nexios_settings::SettingError;
use serde::Deserialize;

use crate::field::{Field, Need};
use crate::{SameSite, prefix, syntax};

/// The name and the attributes of a cookie. In a `CookieConfig` they have been checked, in a builder they have not.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Attributes {
    pub(crate) name: String,
    pub(crate) domain: Option<String>,
    pub(crate) path: String,
    #[serde(deserialize_with = "nexios_settings::deserialize")]
    pub(crate) http_only: bool,
    #[serde(deserialize_with = "nexios_settings::deserialize")]
    pub(crate) secure: bool,
    #[serde(deserialize_with = "nexios_settings::deserialize")]
    pub(crate) same_site: SameSite,
    #[serde(deserialize_with = "nexios_settings::deserialize")]
    pub(crate) partitioned: bool,
}

impl Default for Attributes {
    fn default() -> Self {
        Self {
            name: "sessionid".to_owned(),
            domain: None,
            path: "/".to_owned(),
            http_only: true,
            secure: false,
            same_site: SameSite::Lax,
            partitioned: false,
        }
    }
}

impl Attributes {
    /// Checks each attribute, then their combination. `called` gives the name by which an error calls a field.
    pub(crate) fn check(mut self, called: fn(Field) -> &'static str) -> Result<Self, SettingError> {
        if !syntax::is_name(&self.name) {
            return Err(SettingError::new(called(Field::Name), &self.name, syntax::NAME));
        }
        if let Some(domain) = &mut self.domain {
            // RFC 6265bis, 5.6.3: browsers ignore a leading dot.
            let bare = domain.strip_prefix('.').unwrap_or(domain);
            if !syntax::is_domain(bare) {
                return Err(SettingError::new(called(Field::Domain), domain, syntax::DOMAIN));
            }
            if syntax::is_public_suffix(bare) {
                let problem = format!("is `{bare}`, a public suffix, below which sites of different owners lie");
                return Err(SettingError::described(called(Field::Domain), problem));
            }
            *domain = bare.to_owned();
        }
        if !syntax::is_path(&self.path) {
            return Err(SettingError::new(called(Field::Path), &self.path, syntax::PATH));
        }
        for (field, value, need) in self.needs() {
            if let Some(is) = self.obstacle(need) {
                let (needed, must_be) = need.describe();
                let problem = format!("is `{value}`, which needs {} to be {must_be}, but it is {is}", called(needed));
                return Err(SettingError::described(called(field), problem));
            }
        }
        Ok(self)
    }

    /// The needs that these attributes have of each other: the field with the need, its value, and the need.
    fn needs(&self) -> impl Iterator<Item = (Field, &str, Need)> {
        let prefix = prefix::needs(&self.name).iter().map(|need| (Field::Name, self.name.as_str(), *need));
        let same_site = (self.same_site == SameSite::None).then_some((Field::SameSite, "None", Need::Secure));
        let partitioned = self.partitioned.then_some((Field::Partitioned, "true", Need::Secure));
        prefix.chain(same_site).chain(partitioned)
    }

    /// The value that is in the way of a need, as an error shows it; `None` if the need is met.
    fn obstacle(&self, need: Need) -> Option<String> {
        match need {
            Need::Secure => (!self.secure).then(|| "false".to_owned()),
            Need::HttpOnly => (!self.http_only).then(|| "false".to_owned()),
            Need::RootPath => (self.path != "/").then(|| format!("`{}`", self.path)),
            Need::NoDomain => self.domain.as_ref().map(|domain| format!("`{domain}`")),
        }
    }

    /// The text that follows the value in a `Set-Cookie` line, as the `cookie` crate writes it:
    /// `; HttpOnly; …; Path=/`.
    pub(crate) fn to_text(&self) -> String {
        let mut cookie = Cookie::build(("", ""))
            .http_only(self.http_only)
            .secure(self.secure)
            .partitioned(self.partitioned)
            .path(&self.path)
            .build();
        cookie.set_same_site(self.same_site.as_cookie());
        if let Some(domain) = &self.domain {
            cookie.set_domain(domain);
        }
        let mut line = cookie.to_string();
        // The name and the value are empty, so only a `=` stands before the attributes.
        line.remove(0);
        line
    }
}
