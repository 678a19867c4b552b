//! Each public type can be sent to and shared between threads, and a store can be a trait object.

use nexios_store_core::*;
use std::sync::Arc;

const fn is_send_sync<T: Send + Sync + ?Sized>() {}

#[test]
fn public_types_are_send_and_sync() {
    is_send_sync::<Record>();
    is_send_sync::<Stored>();
    is_send_sync::<SessionId>();
    is_send_sync::<StoreError>();
    is_send_sync::<Timestamp>();
    is_send_sync::<dyn SessionStore>();
    is_send_sync::<dyn DeleteExpired>();
    is_send_sync::<dyn PrincipalIndex>();
}

#[test]
fn pointers_to_stores_are_stores() {
    const fn is_store<S: SessionStore>() {}
    is_store::<Arc<dyn SessionStore>>();
    is_store::<Box<dyn SessionStore>>();
}
