//! One file per session.
//!
//! [`FileStore`] keeps each session in a file of its own below one directory. It needs no server, survives restarts,
//! and may be used by several processes at once. Choose it for one machine; where sessions are shared between
//! machines, choose a store that talks to a database.
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
//! | `ab/.tmp-<32 hex digits>` | a record on its way in or out; removed by the sweep if left behind |
//! | `.principals/ab/<64 hex digits>-<32 hex digits>` | an empty file for each session that bears a principal's tag: the tag, and the session's id |
//! | `.locks/` | 81 empty files. They must not be removed while a process uses the directory |
//! | `.corrupt/` | damaged records, set aside for the operator: the latest 100 files or 16 MiB |
//!
//! Files have mode 0600 and directories 0700. A session directory that others can enter is refused, and so is what is
//! found at a record's name but is not a regular file of our own with one link. Foreign files are left alone.
//! What an update replaced stays readable in the file until later updates write over it.
//!
//! # What a failure leaves
//!
//! | failure | [`Fast`](Durability::Fast) | [`Synced`](Durability::Synced) |
//! | --- | --- | --- |
//! | process killed at any point | the old version or the new one, whole | the same |
//! | power cut | an older whole version; sessions of the last half minute may be lost | all that was answered |
//! | disk full | writes fail and change nothing; deleting works | the same |
//! | flipped bit, torn write | the previous version, or an error that says corrupt | the same |
//! | network file system | not supported: a warning when it is opened | the same |
//!
//! Deletions and id changes are synced with both, so a power cut does not undo a logout. On a file system that writes
//! every block anew (Btrfs, ZFS), a full disk fails updates as well.
//!
//! # Scope
//!
//! Linux and other Unix systems, local file systems. Calls are made from tasks of a tokio runtime, whose blocking
//! threads do the work. When to sweep, what a payload means, and encryption are the business of other crates; the
//! checksums find damage, not forgery by somebody who can write to the directory.

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
