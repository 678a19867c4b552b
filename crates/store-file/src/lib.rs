//! One file per session.
//!
//! [`FileStore`] keeps each session in a file of its own below one directory. It needs no server and survives restarts,
//! and several processes can use it at once. Choose it if your application runs on one machine. If machines share their
//! sessions, choose a store that talks to a database.
//!
//! ```
//! use nexios_store_core::{CreateOutcome, Record, SessionId, SessionStore, Timestamp};
//! use nexios_store_file::FileStore;
//! use std::time::{Duration, SystemTime};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let parent = tempfile::tempdir()?;
//! # let dir = parent.path().join("sessions");
//! let store = FileStore::open(&dir)?;
//!
//! let now = Timestamp::from(SystemTime::now());
//! let expires_at = now.saturating_add(Duration::from_secs(3600));
//! let record = Record { payload: "hello".into(), expires_at, principal: None };
//! let id = SessionId::generate()?;
//!
//! assert!(matches!(store.create(&id, &record, now).await?, CreateOutcome::Created(_)));
//! assert_eq!(store.load(&id, now).await?.map(|stored| stored.record), Some(record));
//! assert_eq!(store.load(&id, expires_at).await?, None, "it has expired");
//! # Ok(())
//! # }
//! ```
//!
//! # What is in the directory
//!
//! | path | content |
//! | --- | --- |
//! | `ab/<32 hex digits>` | a record, in the directory of the first two digits of its id |
//! | `ab/.tmp-<32 hex digits>` | a record that is being written or removed; the sweep removes one that is left behind |
//! | `.principals/ab/<64 hex digits>-<32 hex digits>` | an empty file for each principal's session: tag and id |
//! | `.locks/` | 81 empty files; do not remove them while a process uses the directory |
//! | `.corrupt/` | damaged records, set aside for the operator: the latest 100 files or 16 MiB |
//!
//! Files have mode 0600 and directories 0700. The store refuses a session directory that other users can enter. It also
//! refuses anything at a record's name that is not a regular file of its own with one link, and it leaves foreign files
//! alone. So make no copy of the directory with hard links: while there is one, its sessions are out of service. The
//! version that an update replaced stays readable in the file until a later update overwrites it.
//!
//! # What a failure leaves
//!
//! | failure | [`Fast`](Durability::Fast) | [`Synced`](Durability::Synced) |
//! | --- | --- | --- |
//! | process killed at any point | the old version or the new one, whole | the same |
//! | power cut | an older whole version; sessions of the last half minute may be lost | everything that was answered |
//! | disk full | writes fail and change nothing; deleting works | the same |
//! | flipped bit, torn write | the previous version, or an error that says corrupt | the same |
//! | link, foreign or unreadable file for a record | an error that says unavailable, until it is gone | the same |
//! | network file system | not supported; the store logs a warning when you open it | the same |
//!
//! Both durabilities sync deletions and id changes, so a power cut does not undo a logout. On a file system that writes
//! every block to a new place (Btrfs, ZFS), updates fail as well when the disk is full.
//!
//! # Scope
//!
//! The store runs on Linux and other Unix systems, on local file systems. Call it from tasks of a tokio runtime, whose
//! blocking threads do the work. Other crates decide when to sweep and what a payload means, and encrypt it. The
//! checksums find damage. They do not find forgery by somebody who can write to the directory.

#[cfg(not(unix))]
compile_error!("nexios-store-file relies on Unix file locks, permissions and renames; choose another store here");

#[cfg(test)]
mod conformance;
mod contents;
mod directory;
mod error;
#[cfg(test)]
mod faults;
mod hex;
mod lock;
mod name;
mod options;
mod principals;
mod quarantine;
mod record_file;
mod records;
mod root;
mod slot;
mod store;
mod sweep;
mod sys;

pub use crate::error::OpenError;
pub use crate::options::{Durability, FileStoreBuilder, FileStoreConfig};
pub use crate::store::FileStore;
