//! Strict reading of settings.
//!
//! Every setting of the session crates is read here, by the same parsers and with the same errors, whether it comes
//! from an environment variable or from a configuration file. A value must be exactly one of the allowed ones. Any
//! other value is an error that names the setting, the value and what is allowed. Nothing is guessed, and nothing is
//! silently ignored.
//!
//! ```
//! use nexios_settings::Vars;
//! use std::time::Duration;
//!
//! let vars = Vars::from_iter([("SESSION_IDLE_TIMEOUT", "30m"), ("SESSION_COOKIE_SECURE", "yes")]);
//!
//! assert_eq!(vars.get::<Duration>("SESSION_IDLE_TIMEOUT")?, Some(Duration::from_secs(1800)));
//! assert_eq!(vars.get::<bool>("SESSION_COOKIE_HTTPONLY")?, None);
//! assert_eq!(
//!     vars.get::<bool>("SESSION_COOKIE_SECURE").unwrap_err().to_string(),
//!     "SESSION_COOKIE_SECURE is `yes`, but must be true, false, 1 or 0",
//! );
//! # Ok::<(), nexios_settings::SettingError>(())
//! ```
//!
//! # Scope
//!
//! This crate knows how to read a setting, but not which settings there are: each crate names its own and holds its
//! own defaults. Depend on it directly only to add settings of your own that should behave like ours.

mod de;
mod error;
mod setting;
mod vars;

pub use crate::de::deserialize;
pub use crate::error::SettingError;
pub use crate::setting::{ByteSize, DURATIONS, OrNone, Setting};
pub use crate::vars::Vars;
