//! The clauses of the contract, with both durabilities.
//!
//! Clauses (l) and (m) are tested at each system call. The store is the same that everybody uses, and its calls fail
//! where the test kit says.

use std::fs::OpenOptions;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use nexios_store_core::{SessionId, async_trait};
use nexios_store_testkit::{Fault, FaultInjection, Subject};

use crate::name::RecordName;
use crate::{Durability, FileStore};

nexios_store_testkit::conformance!(mod fast, || subject(Durability::Fast));
nexios_store_testkit::conformance!(mod synced, || subject(Durability::Synced));

fn subject(durability: Durability) -> Subject {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("sessions");
    let store = FileStore::builder(&dir).durability(durability).open().unwrap();
    let faults = SystemCalls { dir: dir.clone(), store: store.clone() };
    Subject::new(store).faults(faults).damage(move |id| damage(dir.clone(), id)).keep(parent)
}

/// The system calls of a store. Each of them is a step that can fail.
struct SystemCalls {
    dir: PathBuf,
    store: FileStore,
}

#[async_trait]
impl FaultInjection for SystemCalls {
    fn arm(&self, fault: Fault, step: usize) {
        self.store.hooks().arm(fault, step);
    }

    async fn disarm(&self) -> bool {
        let struck = self.store.hooks().disarm();
        // A restart opens the store again. The store itself goes on without a restart: it keeps nothing of a record in
        // memory, and its locks are released by now, as those of a killed process are.
        FileStore::open(&self.dir).unwrap();
        struck
    }
}

async fn damage(dir: PathBuf, id: SessionId) {
    // Damages both headers, because the record would fall back to an older version that is whole.
    let name = RecordName::of(&id);
    let path = dir.join(Path::new(std::ffi::OsStr::from_bytes(name.path())));
    let file = OpenOptions::new().write(true).open(path).unwrap();
    let slot_len = file.metadata().unwrap().len() / 2;
    for slot in [0, slot_len] {
        file.write_all_at(b"?", slot).unwrap();
    }
}
