use serde::de::{Deserialize, Deserializer, Error};

use crate::attributes::Attributes;
use crate::{CookieConfig, CookieConfigBuilder};

/// Reads a map with the keys `name`, `domain`, `path`, `http_only`, `secure`, `same_site` and `partitioned`. Each key
/// may be left out. Any other key is an error, and so is a value that the [builder](CookieConfigBuilder::build)
/// refuses.
impl<'de> Deserialize<'de> for CookieConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let attributes = Attributes::deserialize(deserializer)?;
        CookieConfigBuilder::from_attributes(attributes).build().map_err(D::Error::custom)
    }
}
