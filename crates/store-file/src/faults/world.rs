use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nexios_store_core::{CreateOutcome, Record, Revision, SessionId, Stored, Timestamp, UpdateOutcome};
use tempfile::TempDir;

use crate::directory::Directory;
use crate::lock::Locks;
use crate::records::Records;
use crate::{Durability, root};

pub(super) const OLD: SessionId = SessionId::from_bytes([0xaa; 16]);
pub(super) const NEW: SessionId = SessionId::from_bytes([0xbb; 16]);
pub(super) const NOW: Timestamp = Timestamp::from_unix_millis(1_000);
pub(super) const SMALL: &[u8] = b"small";
pub(super) const LARGE: &[u8] = &[b'x'; 5000];
pub(super) const HUGE: &[u8] = &[b'h'; 50_000];

pub(super) struct World {
    dir: TempDir,
    pub(super) records: Records,
    /// The record of `OLD`.
    pub(super) stored: Stored,
}

/// Makes a directory in which `OLD` has a record that was updated once.
pub(super) fn world(durability: Durability, payload: &'static [u8]) -> World {
    let dir = new_dir();
    let records = open(&dir, durability);
    let created = records.create(&OLD, &record(b"first"), NOW).unwrap();
    let CreateOutcome::Created(revision) = created else { panic!("{created:?}") };
    let updated = records.update(&OLD, revision, &record(payload), NOW).unwrap();
    assert!(matches!(updated, UpdateOutcome::Updated(_)));
    let stored = records.load(&OLD, NOW).unwrap().unwrap();
    World { dir, records, stored }
}

/// Makes a directory, in memory if possible, because the tests make many.
pub(super) fn new_dir() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Opens the records in `sessions` below a directory, as a new process does.
pub(super) fn open(dir: &TempDir, durability: Durability) -> Records {
    let directory = root::open(&dir.path().join("sessions")).unwrap();
    let locks = Locks::open(&directory, Duration::ZERO).unwrap();
    Records { directory, locks, durability }
}

/// Returns all files but the locks.
pub(super) fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true if entry.file_name() == ".locks" => {}
            true => files.extend(files_below(&entry.path())),
            false => files.push(entry.path()),
        }
    }
    files
}

impl World {
    /// Makes it the world of a process that runs as another user and may open the files all the same.
    pub(super) fn of_another_user(mut self) -> Self {
        let root = fs::File::open(self.dir.path().join("sessions")).unwrap();
        self.records.directory = Directory::new(root, rustix::process::geteuid().as_raw() + 1);
        self
    }

    pub(super) fn load(&self, id: &SessionId) -> Option<Stored> {
        self.records.load(id, NOW).unwrap()
    }

    /// Updates the record of `OLD` at its current revision.
    pub(super) fn update(&self, payload: &'static [u8]) {
        let revision = self.load(&OLD).unwrap().revision;
        let updated = self.records.update(&OLD, revision, &record(payload), NOW).unwrap();
        assert!(matches!(updated, UpdateOutcome::Updated(_)));
    }

    /// Returns the content of the file of `OLD`.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let name = name(&OLD);
        fs::read(self.dir.path().join("sessions").join(&name[..2]).join(name)).unwrap()
    }

    pub(super) fn revision(&self) -> Revision {
        self.stored.revision
    }

    /// Returns the session directory.
    pub(super) fn root(&self) -> PathBuf {
        self.dir.path().join("sessions")
    }

    /// Returns the names of all records and temporary files.
    pub(super) fn names(&self) -> Vec<String> {
        let dir = self.root();
        let fan_outs = ["aa", "bb"].map(|fan_out| dir.join(fan_out)).into_iter().filter(|dir| dir.exists());
        let names = fan_outs.flat_map(|fan_out| fs::read_dir(fan_out).unwrap());
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

pub(super) fn record(payload: &'static [u8]) -> Record {
    Record { payload: payload.into(), expires_at: Timestamp::from_unix_millis(2_000), principal: None }
}

pub(super) fn name(id: &SessionId) -> String {
    String::from_utf8(id.to_hex().to_vec()).unwrap()
}
