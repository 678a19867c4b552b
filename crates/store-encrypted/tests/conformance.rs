//! The clauses of the contract, on top of each of our stores, and on top of one that fails when it is told to.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may, as tests do")]

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use nexios_signer::{Key, KeyRing};
use nexios_store_core::{SessionId, SessionStore};
use nexios_store_encrypted::EncryptedStore;
use nexios_store_file::{Durability, FileStore};
use nexios_store_memory::MemoryStore;
use nexios_store_testkit::Subject;
use nexios_store_testkit::broken::Model;

nexios_store_testkit::conformance!(mod memory, || encrypted(MemoryStore::new()));
nexios_store_testkit::conformance!(mod fast, || files(Durability::Fast));
nexios_store_testkit::conformance!(mod synced, || files(Durability::Synced));
nexios_store_testkit::conformance!(mod with_faults, model);

fn encrypted<S: SessionStore>(store: S) -> EncryptedStore<S> {
    EncryptedStore::new(store, &KeyRing::new(Key::generate().unwrap()))
}

fn files(durability: Durability) -> Subject {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("sessions");
    let store = FileStore::builder(&dir).durability(durability).open().unwrap();
    Subject::new(encrypted(store)).damage(move |id| damage(dir.clone(), id)).keep(parent)
}

async fn damage(dir: PathBuf, id: SessionId) {
    // Damages both headers, because the store would fall back to an older version that is whole.
    let name = String::from_utf8(id.to_hex().to_vec()).unwrap();
    let file = OpenOptions::new().write(true).open(dir.join(&name[..2]).join(name)).unwrap();
    let slot_len = file.metadata().unwrap().len() / 2;
    for slot in [0, slot_len] {
        file.write_all_at(b"?", slot).unwrap();
    }
}

fn model() -> Subject {
    let model = Arc::new(Model::default());
    let to_damage = Arc::clone(&model);
    Subject::new(encrypted(Arc::clone(&model))).faults(model).damage(move |id| {
        to_damage.damage(id);
        std::future::ready(())
    })
}
