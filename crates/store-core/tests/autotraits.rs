//! Threads can send and share each public type, and a store can be a trait object; and how large each type is.

use nexios_store_core::*;
use std::sync::Arc;

const fn is_send_sync<T: Send + Sync + ?Sized>() {}

#[test]
fn public_types_are_send_and_sync() {
    is_send_sync::<CreateOutcome>();
    is_send_sync::<DeleteOutcome>();
    is_send_sync::<InvalidSessionId>();
    is_send_sync::<PrincipalTag>();
    is_send_sync::<Record>();
    is_send_sync::<RenameOutcome>();
    is_send_sync::<Revision>();
    is_send_sync::<SessionId>();
    is_send_sync::<StoreError>();
    is_send_sync::<StoreErrorKind>();
    is_send_sync::<Stored>();
    is_send_sync::<Swept>();
    is_send_sync::<Timestamp>();
    is_send_sync::<TouchOutcome>();
    is_send_sync::<UpdateOutcome>();
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

#[test]
fn public_types_have_their_known_size() {
    let sizes = [
        ("BoxError", size_of::<BoxError>(), 16),
        ("StoreError", size_of::<StoreError>(), 24),
        ("StoreErrorKind", size_of::<StoreErrorKind>(), 1),
        ("InvalidSessionId", size_of::<InvalidSessionId>(), 0),
        ("SessionId", size_of::<SessionId>(), 16),
        ("CreateOutcome", size_of::<CreateOutcome>(), 16),
        ("DeleteOutcome", size_of::<DeleteOutcome>(), 1),
        ("RenameOutcome", size_of::<RenameOutcome>(), 16),
        ("Swept", size_of::<Swept>(), 16),
        ("TouchOutcome", size_of::<TouchOutcome>(), 1),
        ("UpdateOutcome", size_of::<UpdateOutcome>(), 16),
        ("PrincipalTag", size_of::<PrincipalTag>(), 32),
        ("Record", size_of::<Record>(), 80),
        ("Revision", size_of::<Revision>(), 8),
        ("Stored", size_of::<Stored>(), 88),
        ("Timestamp", size_of::<Timestamp>(), 8),
    ];
    let changed: Vec<_> = sizes.iter().filter(|(_, size, known)| size != known).collect();
    assert!(changed.is_empty(), "{changed:?}");
}
