//! Counts the allocations of requests and their calls of the store.
//!
//! This is a program of its own, because the allocator that counts takes time and instructions.

use std::alloc::System;
use std::process::ExitCode;

use nexios_benches::{Calls, Stack, Subject};
use nexios_store_memory::MemoryStore;
use nexios_store_testkit::hook::Hooked;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const WARM_UP: usize = 100;
const REQUESTS: usize = 1000;

/// Prints a line for each subject: its name, the allocations of one request, and its calls of the store, or `?`.
fn main() -> ExitCode {
    for name in std::env::args().skip(1) {
        let Some(subject) = Subject::named(&name) else {
            eprintln!("there is no `{name}`");
            return ExitCode::from(2);
        };
        subject.stack.framework().block_on(async {
            println!("{subject} {:.1} {}", allocations(subject).await, store_calls(subject).await);
        });
    }
    ExitCode::SUCCESS
}

/// Counts the allocations of one request. Reallocations count too: they are as much work.
async fn allocations(subject: Subject) -> f64 {
    let prepared = subject.prepare().await;
    prepared.repeat(WARM_UP).await;
    let region = Region::new(ALLOCATOR);
    prepared.repeat(REQUESTS).await;
    let change = region.change();
    (change.allocations + change.reallocations) as f64 / REQUESTS as f64
}

async fn store_calls(subject: Subject) -> String {
    if !matches!(subject.stack, Stack::AxumNexios | Stack::ActixNexios) {
        return "?".to_owned();
    }
    let calls = Calls::default();
    let prepared = subject.prepare_on(Hooked::new(MemoryStore::new(), calls.clone())).await;
    calls.take(1);
    prepared.repeat(REQUESTS).await;
    calls.take(REQUESTS)
}
