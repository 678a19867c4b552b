//! The stores of the matrix. To add one, write a function here and put its name into `main.rs`.

use std::path::Path;
use std::sync::Arc;

use nexios_signer::{Key, KeyRing};
use nexios_store_core::SessionStore;
use nexios_store_encrypted::EncryptedStore;
use nexios_store_file::{Durability, FileStore};
use nexios_store_memory::MemoryStore;
use tempfile::TempDir;

/// A new, empty store, and the directory to remove after it.
pub(crate) struct Fresh {
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) _dir: Option<TempDir>,
}

pub(crate) fn memory() -> Fresh {
    Fresh { store: Arc::new(MemoryStore::new()), _dir: None }
}

pub(crate) fn file_fast() -> Fresh {
    in_a_directory(Durability::Fast)
}

pub(crate) fn file_synced() -> Fresh {
    in_a_directory(Durability::Synced)
}

pub(crate) fn memory_encrypted() -> Fresh {
    encrypted(memory())
}

pub(crate) fn file_encrypted() -> Fresh {
    encrypted(file_fast())
}

fn encrypted(fresh: Fresh) -> Fresh {
    Fresh { store: Arc::new(EncryptedStore::new(fresh.store, &KeyRing::new(Key::generate().unwrap()))), ..fresh }
}

fn in_a_directory(durability: Durability) -> Fresh {
    // In memory where possible: visitors cannot tell, and hundreds of tests do not wait for a disk.
    let memory = Path::new("/dev/shm");
    let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let dir = dir.unwrap();
    // Below the temporary directory, which others may read.
    let store = FileStore::builder(dir.path().join("sessions")).durability(durability).open().unwrap();
    Fresh { store: Arc::new(store), _dir: Some(dir) }
}
