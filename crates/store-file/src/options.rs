use std::path::{Path, PathBuf};
use std::time::Duration;

use nexios_settings::{Setting, SettingError, Vars};
use serde::Deserialize;

use crate::{FileStore, OpenError};

/// The protection of writes against a power cut.
///
/// With either choice, a killed process loses nothing that it had answered.
///
/// # Examples
///
/// ```
/// use nexios_settings::Setting;
/// use nexios_store_file::Durability;
///
/// assert_eq!(Durability::default(), Durability::Fast);
/// assert_eq!(Durability::parse("synced"), Some(Durability::Synced));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Durability {
    /// Syncs deletions and id changes to the disk before it answers them, and leaves the rest to the system.
    ///
    /// A power cut may lose a session that was created in the last half minute, or bring back an older whole version of
    /// a session. It never gives wrong data, and a session that was logged out stays logged out.
    ///
    /// Two more things are synced: the markers of principals, and a record above 4000 bytes before each of its updates,
    /// which makes such an update as slow as with `Synced`.
    #[default]
    Fast,
    /// Syncs everything before it answers, which makes writes 20 to 30 times slower.
    ///
    /// It cannot sync what other processes write: each process has a durability of its own.
    Synced,
}

/// The allowed values are `fast` and `synced`.
impl Setting for Durability {
    const ALLOWED: &'static str = "fast or synced";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "fast" => Some(Self::Fast),
            "synced" => Some(Self::Synced),
            _ => None,
        }
    }
}

/// The settings of a file store, from environment variables or a configuration file.
///
/// | variable | key | default | |
/// | --- | --- | --- | --- |
/// | `SESSION_DIR` | `dir` | `sessions` | the directory that holds the sessions and nothing else |
/// | `SESSION_DURABILITY` | `durability` | `fast` | `fast` or `synced`, see [`Durability`] |
///
/// # Examples
///
/// ```
/// use nexios_store_file::{Durability, FileStoreConfig};
///
/// let config: FileStoreConfig = serde_json::from_str(r#"{ "durability": "synced" }"#)?;
/// assert_eq!(config.dir.to_str(), Some("sessions"));
/// assert_eq!(config.durability, Durability::Synced);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct FileStoreConfig {
    /// The session directory.
    pub dir: PathBuf,
    /// The durability of writes.
    #[serde(deserialize_with = "nexios_settings::deserialize")]
    pub durability: Durability,
}

impl FileStoreConfig {
    /// Reads `SESSION_DIR` and `SESSION_DURABILITY`.
    ///
    /// # Errors
    ///
    /// Fails if one of them is set but empty, or if `SESSION_DURABILITY` is not an allowed value.
    pub fn from_vars(vars: &Vars) -> Result<Self, SettingError> {
        let default = Self::default();
        Ok(Self {
            dir: vars.os_text("SESSION_DIR")?.map_or(default.dir, PathBuf::from),
            durability: vars.get("SESSION_DURABILITY")?.unwrap_or(default.durability),
        })
    }
}

impl Default for FileStoreConfig {
    fn default() -> Self {
        Self { dir: "sessions".into(), durability: Durability::default() }
    }
}

/// Opens a [`FileStore`] with options.
///
/// # Examples
///
/// ```
/// use nexios_store_file::{Durability, FileStore};
/// use std::time::Duration;
///
/// # let parent = tempfile::tempdir()?;
/// # let dir = parent.path().join("sessions");
/// let store = FileStore::builder(&dir).durability(Durability::Synced).lock_timeout(Duration::from_secs(1)).open()?;
/// assert!(dir.is_dir());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is opened"]
pub struct FileStoreBuilder {
    pub(crate) dir: PathBuf,
    pub(crate) durability: Durability,
    pub(crate) lock_timeout: Duration,
    pub(crate) inline_reads: bool,
}

impl FileStoreBuilder {
    pub(crate) fn new(dir: &Path) -> Self {
        FileStoreConfig { dir: dir.to_owned(), ..FileStoreConfig::default() }.into()
    }

    /// Sets the durability of writes. The default is [`Fast`](Durability::Fast).
    pub const fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Sets how long a write waits for other writers of the same record before it fails. The default is four
    /// seconds, so that the write fails for a reason of its own before `SESSION_STORE_TIMEOUT` (five seconds) ends the
    /// wait. If you shorten the one, shorten the other.
    pub const fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }

    /// Sets whether `load` reads the file on the calling thread. The default is `false`.
    ///
    /// Inline reads make loads 4 to 9 times faster for files that are in memory, as those of active sessions are. For
    /// any other file the thread waits for the disk, and so does every task on that thread. Leave this off on slow
    /// disks.
    pub const fn inline_reads(mut self, inline: bool) -> Self {
        self.inline_reads = inline;
        self
    }

    /// Opens the store, and creates its directory if it does not exist.
    ///
    /// # Errors
    ///
    /// Fails if the directory cannot be created or opened, belongs to another user, or is open to other users.
    pub fn open(self) -> Result<FileStore, OpenError> {
        FileStore::open_with(self)
    }
}

impl From<FileStoreConfig> for FileStoreBuilder {
    fn from(config: FileStoreConfig) -> Self {
        Self { dir: config.dir, durability: config.durability, lock_timeout: LOCK_TIMEOUT, inline_reads: false }
    }
}

/// Below the time that a manager waits for a store by default.
const LOCK_TIMEOUT: Duration = Duration::from_secs(4);
