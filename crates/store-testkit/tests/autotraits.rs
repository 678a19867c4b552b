//! Each public type can be sent and shared between threads.

use std::sync::Arc;

use nexios_store_testkit::broken::{BrokenStore, Model};
use nexios_store_testkit::clauses::Clause;
use nexios_store_testkit::hook::{Before, Call, CallKind, Hook, Hooked, Outcome};
use nexios_store_testkit::{Fault, FaultInjection, Subject, Verdict};

const fn is_send_sync<T: Send + Sync + ?Sized>() {}

#[test]
fn public_types_are_send_and_sync() {
    is_send_sync::<Before<fn(&Call<'_>) -> nexios_store_core::Result<()>>>();
    is_send_sync::<BrokenStore>();
    is_send_sync::<Call<'_>>();
    is_send_sync::<CallKind>();
    is_send_sync::<Clause>();
    is_send_sync::<Fault>();
    is_send_sync::<Hooked<Model, Arc<dyn Hook>>>();
    is_send_sync::<Model>();
    is_send_sync::<Outcome<'_>>();
    is_send_sync::<Subject>();
    is_send_sync::<Verdict>();
    is_send_sync::<dyn FaultInjection>();
}

#[test]
fn public_types_have_their_known_size() {
    let sizes = [
        ("Before", size_of::<Before<fn(&Call<'_>)>>(), 8),
        ("BrokenStore", size_of::<BrokenStore>(), 40),
        ("Call", size_of::<Call<'_>>(), 48),
        ("CallKind", size_of::<CallKind>(), 1),
        ("Clause", size_of::<Clause>(), 24),
        ("Fault", size_of::<Fault>(), 1),
        ("Hooked", size_of::<Hooked<Model, ()>>(), 152),
        ("Model", size_of::<Model>(), 152),
        ("Outcome", size_of::<Outcome<'_>>(), 24),
        ("Subject", size_of::<Subject>(), 96),
        ("Verdict", size_of::<Verdict>(), 16),
    ];
    let changed: Vec<_> = sizes.iter().filter(|(_, size, known)| size != known).collect();
    assert!(changed.is_empty(), "{changed:?}");
}
