//! A cookie that browsers accept, and a scanner for the headers in which it comes back.
//!
//! A browser silently drops a cookie whose attributes contradict each other. It also keeps a cookie whose removal names
//! another path. So a [`CookieConfig`] cannot be built from attributes that contradict each other, and the removal
//! comes from the same template as the cookie. Reading is the other half: a `Cookie` header is whatever a client sends.
//! It is scanned as bytes, and every cookie with the right name is a candidate.
//!
//! ```
//! use nexios_cookie_config::{CookieConfig, Lifetime};
//! use std::time::Duration;
//!
//! let cookie = CookieConfig::builder().name("__Host-id").secure(true).build()?;
//!
//! let lifetime = Lifetime::new(Duration::from_secs(3600), 1_700_003_600);
//! assert_eq!(
//!     cookie.set_cookie("a1b2", Some(lifetime))?,
//!     "__Host-id=a1b2; HttpOnly; SameSite=Lax; Secure; Path=/; \
//!      Max-Age=3600; Expires=Tue, 14 Nov 2023 23:13:20 GMT",
//! );
//! assert_eq!(
//!     cookie.removal_cookie(),
//!     "__Host-id=; HttpOnly; SameSite=Lax; Secure; Path=/; \
//!      Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
//! );
//!
//! let header = b"theme=dark; __Host-id=a1b2; __Host-id=stale";
//! assert!(cookie.candidates(header).eq([b"a1b2".as_slice(), b"stale"]));
//!
//! let error = CookieConfig::builder().name("__Host-id").build().unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "cookie name is `__Host-id`, which needs cookie secure to be true, but it is false",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Settings
//!
//! Settings come from the [builder](CookieConfig::builder), from [environment variables](CookieConfig::from_env), or
//! from any format that `serde` reads. The rules and the errors are the same for all three.
//!
//! | variable | key, method | default | allowed |
//! | --- | --- | --- | --- |
//! | `SESSION_COOKIE_NAME` | `name` | `sessionid` | a token of RFC 9110, at most 256 bytes |
//! | `SESSION_COOKIE_DOMAIN` | `domain` | none | a host name of two or more labels; one leading dot is dropped; no IP address |
//! | `SESSION_COOKIE_PATH` | `path` | `/` | begins with `/`; at most 1024 printable ASCII characters without `;` |
//! | `SESSION_COOKIE_HTTPONLY` | `http_only` | `true` | `true`, `false`, `1`, `0` |
//! | `SESSION_COOKIE_SECURE` | `secure` | `false` | `true`, `false`, `1`, `0` |
//! | `SESSION_COOKIE_SAMESITE` | `same_site` | `Lax` | `Lax`, `Strict`, `None`, `omit`, in any case; `None` needs Secure |
//! | `SESSION_COOKIE_PARTITIONED` | `partitioned` | `false` | `true`, `false`, `1`, `0`; `true` needs Secure |
//!
//! Browsers enforce some prefixes of the name, in any letter case, and so does this crate:
//!
//! | the name begins with | it needs |
//! | --- | --- |
//! | `__Secure-` | Secure |
//! | `__Host-` | Secure, the path `/`, no domain |
//! | `__Http-` | Secure, HttpOnly |
//! | `__Host-Http-` | Secure, HttpOnly, the path `/`, no domain |
//!
//! The defaults work without TLS, on a developer's machine. In production, start from [`CookieConfig::strict`].
//!
//! # Features
//!
//! `public-suffix` brings in the [list of public suffixes](https://publicsuffix.org), such as `co.uk` and `github.io`.
//! Browsers refuse a cookie whose domain is one, and with the feature [`CookieConfigBuilder::build`] refuses it too.
//! The list is as old as the version of the crate `psl` in your lock file.
//!
//! # Scope
//!
//! A value is any text that a cookie can hold; encode or sign it elsewhere. This crate has no clock, no key and no HTTP
//! types, and knows nothing of sessions.

mod attributes;
mod builder;
mod config;
mod de;
mod error;
mod field;
mod lifetime;
mod prefix;
mod same_site;
mod scanner;
mod syntax;
mod target;
mod vars;

pub use crate::builder::CookieConfigBuilder;
pub use crate::config::CookieConfig;
pub use crate::error::{CookieConfigError, CookieError};
pub use crate::lifetime::Lifetime;
pub use crate::same_site::SameSite;
pub use crate::target::is_same_cookie;
