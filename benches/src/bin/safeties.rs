//! Measures what the safeties that an operator can switch on add to a request.

use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use nexios_benches::{Case, Framework, Stack, Subject};
use nexios_signer::{Key, KeyRing};
use nexios_store_core::SessionStore;
use nexios_store_encrypted::EncryptedStore;
use nexios_store_file::{Durability, FileStore};
use nexios_store_memory::MemoryStore;

/// Prints a line for each round of a case on a store: the store, the case, and the nanoseconds of one request.
fn main() -> ExitCode {
    let Some(dir) = std::env::args().nth(1) else {
        eprintln!("usage: safeties DIR");
        return ExitCode::from(2);
    };
    for case in [Case::Read300, Case::Write300, Case::Read4k, Case::Write4k, Case::New] {
        Framework::Axum.block_on(measure(Path::new(&dir), case));
    }
    ExitCode::SUCCESS
}

/// Measures the stores in turns, so that other work of the machine slows all of them down alike.
async fn measure(dir: &Path, case: Case) {
    let subject = Subject { stack: Stack::AxumNexios, case };
    let mut prepared = Vec::new();
    for (name, store) in stores(&dir.join(case.name())) {
        prepared.push((name, subject.prepare_on(store).await));
    }
    for _ in 0..ROUNDS {
        for (name, prepared) in &prepared {
            let start = Instant::now();
            prepared.repeat(REQUESTS).await;
            println!("{name}\t{}\t{}", case.name(), start.elapsed().as_nanos() / REQUESTS as u128);
        }
    }
}

fn stores(dir: &Path) -> [(&'static str, Box<dyn SessionStore>); 6] {
    let memory = || MemoryStore::with_capacity_limit(NonZeroUsize::MAX);
    // Reads stay on this thread: the way to another one and back takes more than all else, and never the same.
    let files = |name: &str, durability| {
        let files = FileStore::builder(dir.join(name)).inline_reads(true).durability(durability);
        files.open().expect("a directory to work in")
    };
    let keys = KeyRing::new(Key::generate().expect("random bytes"));
    [
        ("memory", Box::new(memory())),
        ("memory, encrypted", Box::new(EncryptedStore::new(memory(), &keys))),
        ("files", Box::new(files("files", Durability::Fast))),
        ("files, encrypted", Box::new(EncryptedStore::new(files("encrypted", Durability::Fast), &keys))),
        ("files, synced", Box::new(files("synced", Durability::Synced))),
        ("files, synced and encrypted", Box::new(EncryptedStore::new(files("both", Durability::Synced), &keys))),
    ]
}

const ROUNDS: usize = 15;
const REQUESTS: usize = 200;
