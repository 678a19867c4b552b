use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use nexios_cookie_config::CookieConfig;
use nexios_middleware_core::{SessionManager, SessionSettings};
use nexios_settings::{Setting, SettingError, Vars};
use nexios_signer::{Key, KeyRing};
use nexios_store_core::SessionStore;
use nexios_store_encrypted::EncryptedStore;
use nexios_store_file::{FileStoreBuilder, FileStoreConfig};
use nexios_store_memory::MemoryStore;

use crate::Arguments;

/// The settings of the demo: those of the session crates, and `BIND`, `SESSION_STORE` and `SESSION_ENCRYPT`.
///
/// [`from_vars`](Self::from_vars) checks everything and opens nothing. [`manager`](Self::manager) then opens the store.
/// So a mistake in the settings ends the program before it has made a file.
#[derive(Debug)]
pub struct Settings {
    /// The address to listen at. `127.0.0.1:3000` by default.
    pub bind: SocketAddr,
    store: StoreKind,
    /// `true` if records are encrypted at rest, which is the default.
    encrypt: bool,
    files: FileStoreConfig,
    /// `None` if no key is set and the program may make one for this run.
    keys: Option<KeyRing>,
    cookie: CookieConfig,
    sessions: SessionSettings,
}

impl Settings {
    /// Reads all settings, even those of a store that is not used.
    ///
    /// # Errors
    ///
    /// Fails if a setting is missing or not allowed.
    pub fn from_vars(vars: &Vars, arguments: Arguments) -> Result<Self, SettingError> {
        Ok(Self {
            bind: vars.get::<Bind>("BIND")?.map_or(DEFAULT_BIND, |bind| bind.0),
            store: StoreKind::from_vars(vars)?,
            encrypt: vars.get("SESSION_ENCRYPT")?.unwrap_or(true),
            files: FileStoreConfig::from_vars(vars)?,
            keys: keys(vars, arguments)?,
            cookie: CookieConfig::from_vars(vars)?,
            sessions: SessionSettings::from_vars(vars)?,
        })
    }

    /// Opens the store and makes the session manager.
    ///
    /// # Errors
    ///
    /// Fails if the store cannot be opened.
    pub fn manager(self) -> Result<SessionManager, Box<dyn Error>> {
        let keys = match self.keys {
            Some(keys) => keys,
            None => {
                tracing::warn!("SECRET_KEY is not set: using a key made for this run, so sessions will end with it");
                KeyRing::new(Key::generate()?)
            }
        };
        let store: Arc<dyn SessionStore> = match self.store {
            StoreKind::File => Arc::new(FileStoreBuilder::from(self.files).open()?),
            StoreKind::Memory => Arc::new(MemoryStore::new()),
        };
        let builder = if self.encrypt {
            SessionManager::builder(EncryptedStore::new(store, &keys))
        } else {
            SessionManager::builder(store)
        };
        Ok(builder.keys(keys).cookie(self.cookie).settings(self.sessions).build()?)
    }

    /// Makes the error for an address at which the program cannot listen.
    pub fn cannot_bind(&self, error: &io::Error) -> SettingError {
        SettingError::described("BIND", format!("is `{}`, which cannot be used: {error}", self.bind))
    }
}

/// Reads the keys, or returns `None` if no key is set and `--dev` allows to make one for this run.
fn keys(vars: &Vars, arguments: Arguments) -> Result<Option<KeyRing>, SettingError> {
    let is_set = vars.secret("SECRET_KEY")?.is_some() || vars.os_text("SECRET_KEY_FILE")?.is_some();
    if is_set || !arguments.dev { KeyRing::from_vars(vars).map(Some) } else { Ok(None) }
}

#[derive(Clone, Copy, Debug)]
enum StoreKind {
    File,
    Memory,
}

impl StoreKind {
    fn from_vars(vars: &Vars) -> Result<Self, SettingError> {
        let Some(text) = vars.text("SESSION_STORE")? else { return Ok(Self::File) };
        match text.as_str() {
            "file" => Ok(Self::File),
            "memory" => Ok(Self::Memory),
            // The part before an `@` may be a password.
            _ => {
                let shown = text.rsplit_once('@').map_or_else(|| text.clone(), |(_, host)| format!("...@{host}"));
                Err(SettingError::new("SESSION_STORE", &shown, "file or memory"))
            }
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
        // `Vars` keeps the last of two equal names. The list is reversed, so a test can set SESSION_STORE itself.
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
    fn a_bad_value_is_refused_with_the_name_of_its_setting() {
        for (name, value, message) in [
            ("SESSION_ENCRYPT", "yes", "SESSION_ENCRYPT is `yes`, but must be true, false, 1 or 0"),
            ("SESSION_STORE", "redis://user:hush@host", "SESSION_STORE is `...@host`, but must be file or memory"),
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
    fn records_are_encrypted_unless_that_is_switched_off() {
        for (settings, expected) in [
            (&[KEY][..], true),
            (&[KEY, ("SESSION_ENCRYPT", "true")], true),
            (&[KEY, ("SESSION_ENCRYPT", "false")], false),
            (&[KEY, ("SESSION_ENCRYPT", "0")], false),
        ] {
            assert_eq!(read(settings, Arguments::default()).unwrap().encrypt, expected, "{settings:?}");
        }
    }

    #[test]
    fn the_default_address_is_loopback() {
        assert_eq!(read(&[KEY], Arguments::default()).unwrap().bind.to_string(), "127.0.0.1:3000");
    }
}
