//! Threads can send and share each public type, and the store can be used as a trait object.

use nexios_store_core::SessionStore;
use nexios_store_file::*;

#[test]
fn public_types_are_send_and_sync() {
    const fn is_send_sync<T: Send + Sync + 'static>() {}
    is_send_sync::<FileStore>();
    is_send_sync::<FileStoreBuilder>();
    is_send_sync::<FileStoreConfig>();
    is_send_sync::<Durability>();
    is_send_sync::<OpenError>();
    let _: fn(FileStore) -> Box<dyn SessionStore> = |store| Box::new(store);
}

#[test]
fn public_types_have_their_known_size() {
    let sizes = [
        ("OpenError", size_of::<OpenError>(), 56),
        ("Durability", size_of::<Durability>(), 1),
        ("FileStoreBuilder", size_of::<FileStoreBuilder>(), 48),
        ("FileStoreConfig", size_of::<FileStoreConfig>(), 32),
        ("FileStore", size_of::<FileStore>(), 8),
    ];
    let changed: Vec<_> = sizes.iter().filter(|(_, size, known)| size != known).collect();
    assert!(changed.is_empty(), "{changed:?}");
}
