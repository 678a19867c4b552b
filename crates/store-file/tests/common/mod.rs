//! Helpers for the tests of the file store. The slot encoder here is a second one, written from the description of the
//! format.

#![allow(dead_code, reason = "each test program uses a part of it")]

pub(crate) mod namespace;
pub(crate) mod outage;
pub(crate) mod privileges;

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use nexios_store_core::{
    CreateOutcome, PrincipalTag, Record, Result, Revision, SessionId, SessionStore, StoreErrorKind, Stored, Timestamp,
};
use nexios_store_file::{Durability, FileStore};
use tempfile::TempDir;

/// The user in these tests.
pub(crate) const ADA: u8 = 0xad;

pub(crate) const BOTH: [Durability; 2] = [Durability::Fast, Durability::Synced];

/// A store in a directory of its own.
pub(crate) struct Sessions {
    parent: TempDir,
    pub(crate) store: FileStore,
}

impl Sessions {
    pub(crate) fn new(durability: Durability) -> Self {
        let parent = tempfile::tempdir().unwrap();
        let store = FileStore::builder(parent.path().join("sessions")).durability(durability).open().unwrap();
        Self { parent, store }
    }

    /// Opens another store on the same directory, as another process would.
    pub(crate) fn open_again(&self) -> FileStore {
        FileStore::open(self.dir()).unwrap()
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.parent.path().join("sessions")
    }

    pub(crate) fn path(&self, id: &SessionId) -> PathBuf {
        let name = hex(id);
        self.dir().join(&name[..2]).join(name)
    }

    /// Puts a file at the name of a record.
    pub(crate) fn plant(&self, id: &SessionId, bytes: &[u8]) {
        fs::create_dir_all(self.path(id).parent().unwrap()).unwrap();
        fs::write(self.path(id), bytes).unwrap();
    }

    pub(crate) async fn created(&self, id: &SessionId, record: &Record) -> Revision {
        match self.store.create(id, record, NOW).await.unwrap() {
            CreateOutcome::Created(revision) => revision,
            CreateOutcome::IdTaken => panic!("the id is taken"),
        }
    }
}

impl Deref for Sessions {
    type Target = FileStore;

    fn deref(&self) -> &FileStore {
        &self.store
    }
}

pub(crate) const NOW: Timestamp = at(1_000_000);
pub(crate) const LATER: Timestamp = at(2_000_000);

pub(crate) const fn at(millis: u64) -> Timestamp {
    Timestamp::from_unix_millis(millis)
}

/// Returns the id that has this number in each byte, so different numbers are in different directories.
pub(crate) fn id(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

pub(crate) fn record(payload: impl AsRef<[u8]>) -> Record {
    Record { payload: payload.as_ref().to_vec().into(), expires_at: LATER, principal: None }
}

pub(crate) fn tagged(payload: impl AsRef<[u8]>, tag: u8) -> Record {
    Record { principal: Some(PrincipalTag::from_bytes([tag; 32])), ..record(payload) }
}

pub(crate) fn hex(id: &SessionId) -> String {
    String::from_utf8(id.to_hex().to_vec()).unwrap()
}

/// Returns the sessions that the index has for a principal, sorted.
pub(crate) async fn listed(sessions: &Sessions, tag: u8) -> Vec<SessionId> {
    let tag = PrincipalTag::from_bytes([tag; 32]);
    let mut ids = sessions.principals().unwrap().sessions_of(&tag, NOW).await.unwrap();
    ids.sort_unstable();
    ids
}

/// Returns the path of the marker of a principal's session.
pub(crate) fn marker(sessions: &Sessions, tag: u8, id: &SessionId) -> PathBuf {
    let tag = format!("{tag:02x}");
    sessions.dir().join(".principals").join(&tag).join(format!("{}-{}", tag.repeat(32), hex(id)))
}

/// Returns a slot of 2048 bytes: a header of 96 bytes, the payload, and zeros.
pub(crate) fn slot(id: &SessionId, revision: u64, payload: &[u8]) -> Vec<u8> {
    slot_of_version(1, id, revision, payload, LATER)
}

pub(crate) fn slot_of_version(
    version: u16,
    id: &SessionId,
    revision: u64,
    payload: &[u8],
    expires_at: Timestamp,
) -> Vec<u8> {
    let expires_at = expires_at.as_unix_millis().to_le_bytes();
    let revision = revision.to_le_bytes();
    let front = [&b"NXSF"[..], &version.to_le_bytes(), &[0; 10]].concat();
    let cell_checksum = crc32fast::hash(&[&id.as_bytes()[..], &revision, &expires_at].concat());
    let cell = [&expires_at[..], &cell_checksum.to_le_bytes(), &[0; 4]].concat();
    let payload_len = u32::try_from(payload.len()).unwrap().to_le_bytes();
    let rest = [&revision[..], id.as_bytes(), &[0; 32], &payload_len].concat();
    let checksum = crc32fast::hash(&[&front[..], &rest, payload].concat());
    let mut slot = [&front[..], &cell, &rest, &checksum.to_le_bytes(), payload].concat();
    slot.resize(2048, 0);
    slot
}

/// The outcome of a load, in a form that is easy to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Loaded {
    Absent,
    Record { revision: u64, payload: Vec<u8> },
    Failed(StoreErrorKind),
}

impl Loaded {
    pub(crate) fn of(result: Result<Option<Stored>>) -> Self {
        match result {
            Ok(None) => Self::Absent,
            Ok(Some(stored)) => Self::record(stored.revision.as_u64(), &stored.record.payload),
            Err(error) => Self::Failed(error.kind()),
        }
    }

    pub(crate) fn record(revision: u64, payload: &[u8]) -> Self {
        Self::Record { revision, payload: payload.to_vec() }
    }
}

pub(crate) const CORRUPT: Loaded = Loaded::Failed(StoreErrorKind::Corrupt);
pub(crate) const UNSUPPORTED: Loaded = Loaded::Failed(StoreErrorKind::Unsupported);

/// Returns all paths below a directory, without the lock files.
pub(crate) fn paths_below(dir: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    let mut unread = vec![dir.to_owned()];
    while let Some(next) = unread.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name() == ".locks" {
                continue;
            }
            if entry.file_type().unwrap().is_dir() {
                unread.push(entry.path());
            }
            paths.push(entry.path().strip_prefix(dir).unwrap().to_str().unwrap().to_owned());
        }
    }
    paths.sort();
    paths
}
