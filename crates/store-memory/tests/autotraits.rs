//! The store can be sent and shared between threads, and used as a trait object.

use nexios_store_core::SessionStore;
use nexios_store_memory::MemoryStore;

#[test]
fn the_store_is_send_and_sync_and_a_store() {
    const fn is_send_sync<T: Send + Sync + 'static>() {}
    is_send_sync::<MemoryStore>();
    let _: fn(MemoryStore) -> Box<dyn SessionStore> = |store| Box::new(store);
}

#[test]
fn public_types_have_their_known_size() {
    let sizes = [("MemoryStore", size_of::<MemoryStore>(), 6168)];
    let changed: Vec<_> = sizes.iter().filter(|(_, size, known)| size != known).collect();
    assert!(changed.is_empty(), "{changed:?}");
}
