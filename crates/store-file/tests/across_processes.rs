//! The clauses of the contract for several processes on one directory, with both durabilities.

#![allow(clippy::unwrap_used, reason = "helpers of tests may, as tests do")]

use nexios_store_file::{Durability, FileStore};
use nexios_store_testkit::conformance_across_processes;
use tempfile::TempDir;

conformance_across_processes!(mod fast, make_place, |dir: String| open(&dir, Durability::Fast));
conformance_across_processes!(mod synced, make_place, |dir: String| open(&dir, Durability::Synced));
// Each process has a durability of its own.
conformance_across_processes!(mod mixed, make_place, |dir: String| {
    open(&dir, if std::process::id().is_multiple_of(2) { Durability::Fast } else { Durability::Synced })
});

fn make_place() -> (String, TempDir) {
    let parent = tempfile::tempdir().unwrap();
    (parent.path().join("sessions").display().to_string(), parent)
}

fn open(dir: &str, durability: Durability) -> FileStore {
    FileStore::builder(dir).durability(durability).open().unwrap()
}
