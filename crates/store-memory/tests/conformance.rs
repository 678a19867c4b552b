//! The clauses of the contract.

use nexios_store_memory::MemoryStore;

nexios_store_testkit::conformance!(MemoryStore::new);
