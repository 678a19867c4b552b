use std::error::Error;
use std::net::SocketAddr;

use nexios_cookie_config::CookieConfig;
use nexios_middleware_core::{SessionManager, SessionSettings};
use nexios_settings::{Setting, SettingError, Vars};
use nexios_signer::{Key, KeyRing};
use nexios_store_core::SessionStore;
use nexios_store_file::FileStore;
use nexios_store_memory::MemoryStore;

use crate::Arguments;

/// The settings of the demo: those of the session crates, `BIND`, `SESSION_STORE` and `SESSION_ENCRYPT`.
#[derive(Debug)]
pub struct Settings {
    /// Where to listen. `127.0.0.1:3000` by default.
    pub bind: SocketAddr,
    /// The sessions.
    pub manager: SessionManager,
}

impl Settings {
    /// Reads all settings, and then opens the store.
    ///
    /// # Errors
    ///
    /// When one of them is missing or not allowed. Nothing was opened or created then, unless it is the store that
    /// cannot be opened.
    pub fn from_vars(vars: &Vars, arguments: Arguments) -> Result<Self, Box<dyn Error>> {
        let bind = vars.get::<Bind>("BIND")?.map_or(DEFAULT_BIND, |bind| bind.0);
        let store = store_kind(vars)?;
        if vars.get::<bool>("SESSION_ENCRYPT")?.unwrap_or(false) {
            let allowed = "false: encryption at rest is not available yet";
            return Err(SettingError::new("SESSION_ENCRYPT", "true", allowed).into());
        }
        let keys = keys(vars, arguments)?;
        let cookie = CookieConfig::from_vars(vars)?;
        let settings = SessionSettings::from_vars(vars)?;

        let store: Box<dyn SessionStore> = match store {
            StoreKind::File => Box::new(FileStore::from_vars(vars)?),
            StoreKind::Memory => Box::new(MemoryStore::new()),
        };
        let manager = SessionManager::builder(store).keys(keys).cookie(cookie).settings(settings).build()?;
        Ok(Self { bind, manager })
    }
}

fn keys(vars: &Vars, arguments: Arguments) -> Result<KeyRing, SettingError> {
    let is_set = vars.secret("SECRET_KEY")?.is_some() || vars.os_text("SECRET_KEY_FILE")?.is_some();
    if is_set || !arguments.dev {
        return KeyRing::from_vars(vars);
    }
    let key = Key::generate().map_err(|error| SettingError::described("SECRET_KEY", error.to_string()))?;
    tracing::warn!("SECRET_KEY is not set: using a key made for this run, so sessions will not survive a restart");
    Ok(KeyRing::new(key))
}

enum StoreKind {
    File,
    Memory,
}

fn store_kind(vars: &Vars) -> Result<StoreKind, SettingError> {
    let Some(text) = vars.text("SESSION_STORE")? else { return Ok(StoreKind::File) };
    match text.as_str() {
        "file" => Ok(StoreKind::File),
        "memory" => Ok(StoreKind::Memory),
        // An address may hold a password; its scheme does not.
        _ => {
            let shown = text.split_once("://").map_or_else(|| text.clone(), |(scheme, _)| format!("{scheme}://..."));
            Err(SettingError::new("SESSION_STORE", &shown, "file or memory"))
        }
    }
}

struct Bind(SocketAddr);

impl Setting for Bind {
    const ALLOWED: &'static str = "an IP address and a port, such as 127.0.0.1:3000 or [::1]:3000";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

const DEFAULT_BIND: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 3000);

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: (&str, &str) = ("SECRET_KEY", "0123456789abcdef0123456789abcdef");

    fn read(pairs: &[(&str, &str)], arguments: Arguments) -> Result<Settings, String> {
        let vars = pairs.iter().copied().chain([("SESSION_STORE", "memory")]).collect::<Vec<_>>();
        // The first of two equal names wins, so that a test can set SESSION_STORE itself.
        Settings::from_vars(&Vars::from_iter(vars.into_iter().rev()), arguments).map_err(|error| error.to_string())
    }

    #[test]
    fn without_dev_a_missing_key_is_an_error() {
        assert!(read(&[], Arguments::default()).unwrap_err().contains("SECRET_KEY"));
        assert!(read(&[], Arguments { dev: true }).is_ok());
    }

    #[test]
    fn dev_does_not_excuse_a_bad_key() {
        for key in ["", "short"] {
            let message = read(&[("SECRET_KEY", key)], Arguments { dev: true }).unwrap_err();
            assert!(message.starts_with("SECRET_KEY"), "{message}");
        }
    }

    #[test]
    fn what_is_not_there_yet_is_refused_by_name() {
        for (name, value, message) in [
            (
                "SESSION_ENCRYPT",
                "true",
                "SESSION_ENCRYPT is `true`, but must be false: encryption at rest is not available yet",
            ),
            ("SESSION_ENCRYPT", "yes", "SESSION_ENCRYPT is `yes`, but must be true, false, 1 or 0"),
            ("SESSION_STORE", "redis://user:hush@host", "SESSION_STORE is `redis://...`, but must be file or memory"),
            ("SESSION_STORE", "files", "SESSION_STORE is `files`, but must be file or memory"),
            ("SESSION_STORE", "", "SESSION_STORE is set but empty"),
            (
                "BIND",
                "localhost",
                "BIND is `localhost`, but must be an IP address and a port, such as 127.0.0.1:3000 or [::1]:3000",
            ),
        ] {
            assert_eq!(read(&[KEY, (name, value)], Arguments::default()).unwrap_err(), message);
        }
    }

    #[test]
    fn the_default_address_is_loopback() {
        assert_eq!(read(&[KEY], Arguments::default()).unwrap().bind.to_string(), "127.0.0.1:3000");
    }
}
