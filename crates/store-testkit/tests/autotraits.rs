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
