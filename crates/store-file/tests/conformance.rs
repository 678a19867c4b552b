//! The clauses of the contract, with both durabilities, and with two stores on one directory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may, as tests do")]

mod common;

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use nexios_store_core::SessionId;
use nexios_store_file::{Durability, FileStore};
use nexios_store_testkit::Subject;

nexios_store_testkit::conformance!(mod fast, || subject(Durability::Fast));
nexios_store_testkit::conformance!(mod synced, || subject(Durability::Synced));

fn subject(durability: Durability) -> Subject {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("sessions");
    let store = FileStore::builder(&dir).durability(durability).open().unwrap();
    Subject::new(store).damage(move |id| damage(dir.clone(), id)).keep(parent)
}

async fn damage(dir: PathBuf, id: SessionId) {
    // Both headers: a record with a whole older version would fall back to that.
    let file = OpenOptions::new().write(true).open(path(&dir, &id)).unwrap();
    let slot_len = file.metadata().unwrap().len() / 2;
    for slot in [0, slot_len] {
        file.write_all_at(b"?", slot).unwrap();
    }
}

fn path(dir: &Path, id: &SessionId) -> PathBuf {
    let name = common::hex(id);
    dir.join(&name[..2]).join(name)
}
