//! The clauses of the store contract.

use nexios_store_memory::MemoryStore;

nexios_store_testkit::conformance!(MemoryStore::new);
