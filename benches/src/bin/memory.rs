//! Measures the memory that a live session takes in a store in memory, with all that the store has around it.

use std::alloc::System;
use std::num::NonZeroUsize;

use nexios_benches::payload::{Size, entries};
use nexios_middleware_core::{Header, PlainHead, SessionManager};
use nexios_signer::{Key, KeyRing};
use nexios_store_memory::MemoryStore;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Prints a line for each kind of session: its size as JSON, whether a user is logged in, the number of sessions, and
/// the bytes that are allocated for each.
#[tokio::main(flavor = "current_thread")]
async fn main() {
    for (len, size) in [(306, Size::Small), (4059, Size::Large)] {
        for is_logged_in in [false, true] {
            for count in [1000, 10_000, 100_000] {
                println!("{len}\t{is_logged_in}\t{count}\t{}", bytes(size, is_logged_in, count).await);
            }
        }
    }
}

async fn bytes(size: Size, is_logged_in: bool, count: usize) -> usize {
    let keys = KeyRing::new(Key::generate().expect("random bytes"));
    let store = MemoryStore::with_capacity_limit(NonZeroUsize::MAX);
    let manager = SessionManager::builder(store).keys(keys).build().expect("settings that are in order");
    let region = Region::new(ALLOCATOR);
    for number in 0..count {
        let request = manager.request([""; 0]);
        let session = request.session().await.expect("a session");
        for (key, value) in entries(size) {
            session.insert(key, &value).expect("a value");
        }
        if is_logged_in {
            session.login(&format!("user-{number:011}")).expect("a login");
        }
        drop(session);
        let mut head = PlainHead::new(200);
        let _ = request.end(200).await.apply(&mut head);
        assert!(head.value(Header::SetCookie).is_some(), "the visitor gets a cookie");
    }
    let change = region.change();
    (change.bytes_allocated - change.bytes_deallocated) / count
}
