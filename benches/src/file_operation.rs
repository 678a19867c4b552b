//! The operations of a file store, ready to be repeated.

use std::path::Path;

use nexios_store_core::{
    CreateOutcome, DeleteOutcome, Record, RenameOutcome, Revision, SessionId, SessionStore, Timestamp, TouchOutcome,
    UpdateOutcome,
};
use nexios_store_file::{Durability, FileStore};

/// An operation of a file store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileOperation {
    /// Loads a session on the thread of the caller.
    LoadInline,
    /// Loads a session on a blocking thread. All operations below run on one too.
    Load,
    /// Updates a session whose revision is known.
    Update,
    /// Writes the time at which a session expires, and nothing else.
    Touch,
    /// Creates a session in a directory that exists.
    Create,
    /// Deletes a session, which is synced.
    Delete,
    /// Gives a session another id, which is synced.
    Rename,
    /// Updates a session so that the update survives a power cut.
    UpdateSynced,
    /// Creates a session that survives a power cut.
    CreateSynced,
}

/// An operation, and the sessions that it needs.
#[derive(Debug)]
pub struct PreparedOperation {
    operation: FileOperation,
    store: FileStore,
    sessions: Vec<Session>,
}

#[derive(Clone, Copy, Debug)]
struct Session {
    id: SessionId,
    revision: Revision,
    /// An id that has no session yet, in the same directory.
    new_id: SessionId,
}

impl FileOperation {
    /// All operations.
    pub const ALL: [Self; 9] = [
        Self::LoadInline,
        Self::Load,
        Self::Update,
        Self::Touch,
        Self::Create,
        Self::Delete,
        Self::Rename,
        Self::UpdateSynced,
        Self::CreateSynced,
    ];

    /// Returns the name on the command line and in the tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LoadInline => "file/load-inline",
            Self::Load => "file/load",
            Self::Update => "file/update",
            Self::Touch => "file/touch",
            Self::Create => "file/create",
            Self::Delete => "file/delete",
            Self::Rename => "file/rename",
            Self::UpdateSynced => "file/update-synced",
            Self::CreateSynced => "file/create-synced",
        }
    }

    /// Finds the operation with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
    }

    /// Creates `count` sessions of 1 KB in the directory `dir`, one for each repetition of the operation.
    pub async fn prepare(self, dir: &Path, count: usize) -> PreparedOperation {
        let durability = match self {
            Self::UpdateSynced | Self::CreateSynced => Durability::Synced,
            _ => Durability::Fast,
        };
        let store = FileStore::builder(dir).durability(durability).inline_reads(self == Self::LoadInline).open();
        let store = store.expect("a directory to work in");
        let mut sessions = Vec::new();
        for _ in 0..count {
            let id = SessionId::generate().expect("random bytes");
            let mut new_id = *id.as_bytes();
            new_id[15] ^= 1;
            let created = store.create(&id, &record(b'1'), NOW).await.expect("a session");
            let CreateOutcome::Created(revision) = created else { panic!("{created:?}") };
            sessions.push(Session { id, revision, new_id: SessionId::from_bytes(new_id) });
        }
        PreparedOperation { operation: self, store, sessions }
    }
}

impl PreparedOperation {
    /// Does the operation once on each of the sessions and checks its outcome.
    pub async fn run(&self) {
        for session in &self.sessions {
            self.run_on(session).await;
        }
    }

    async fn run_on(&self, Session { id, revision, new_id }: &Session) {
        let store = &self.store;
        match self.operation {
            FileOperation::LoadInline | FileOperation::Load => {
                let stored = store.load(id, NOW).await.expect("a session").expect("it is there");
                assert_eq!((stored.revision, stored.record), (*revision, record(b'1')));
            }
            FileOperation::Update | FileOperation::UpdateSynced => {
                let updated = store.update(id, *revision, &record(b'2'), NOW).await.expect("a session");
                assert!(matches!(updated, UpdateOutcome::Updated(_)), "{updated:?}");
            }
            FileOperation::Touch => {
                assert_eq!(store.touch(id, *revision, LATER, NOW).await.expect("a session"), TouchOutcome::Touched);
            }
            FileOperation::Create | FileOperation::CreateSynced => {
                let created = store.create(new_id, &record(b'2'), NOW).await.expect("a session");
                assert!(matches!(created, CreateOutcome::Created(_)), "{created:?}");
            }
            FileOperation::Delete => {
                assert_eq!(store.delete(id).await.expect("a session"), DeleteOutcome::Deleted);
            }
            FileOperation::Rename => {
                let renamed = store.rename(id, *revision, new_id, &record(b'2'), NOW).await.expect("a session");
                assert!(matches!(renamed, RenameOutcome::Renamed(_)), "{renamed:?}");
            }
        }
    }
}

fn record(byte: u8) -> Record {
    Record { payload: vec![byte; PAYLOAD_LEN].into(), expires_at: EXPIRY, principal: None }
}

const PAYLOAD_LEN: usize = 1024;
const NOW: Timestamp = Timestamp::from_unix_millis(1_000_000);
const EXPIRY: Timestamp = Timestamp::from_unix_millis(2_000_000);
const LATER: Timestamp = Timestamp::from_unix_millis(3_000_000);
