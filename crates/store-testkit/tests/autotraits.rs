//! Each public type can be sent and shared between threads.

use nexios_store_testkit::broken::{BrokenStore, Model};
use nexios_store_testkit::clauses::Clause;
use nexios_store_testkit::{Fault, FaultInjection, Subject, Verdict};

const fn is_send_sync<T: Send + Sync + ?Sized>() {}

#[test]
fn public_types_are_send_and_sync() {
    is_send_sync::<BrokenStore>();
    is_send_sync::<Clause>();
    is_send_sync::<Fault>();
    is_send_sync::<Model>();
    is_send_sync::<Subject>();
    is_send_sync::<Verdict>();
    is_send_sync::<dyn FaultInjection>();
}
