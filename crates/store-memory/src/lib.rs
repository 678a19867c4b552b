//! Sessions in memory, for tests and for a single process that may forget them.
//!
//! [`MemoryStore`] is the reference implementation of the store contract: from outside, every store must behave as it
//! does. Sessions end with the process. If they are to outlive it, choose the file store.
//!
//! ```
//! use nexios_store_core::{CreateOutcome, Record, SessionId, SessionStore, Timestamp};
//! use nexios_store_memory::MemoryStore;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = MemoryStore::new();
//! let (now, later) = (Timestamp::from_unix_millis(0), Timestamp::from_unix_millis(1_000));
//! let record = Record { payload: "hello".into(), expires_at: later, principal: None };
//! let id = SessionId::generate()?;
//!
//! assert!(matches!(store.create(&id, &record, now).await?, CreateOutcome::Created(_)));
//! assert_eq!(store.load(&id, now).await?.map(|stored| stored.record), Some(record));
//! assert_eq!(store.load(&id, later).await?, None, "it has expired");
//! # Ok(())
//! # }
//! ```
//!
//! # Capacity
//!
//! The store keeps a limited number of records, 100 000 unless you choose another limit. It never grows beyond the
//! limit. It never drops a live session to make room either, because that would be a logout that nobody asked for.
//!
//! When the store is full, `create` removes the expired records in the shard of its id, which is a 64th of the store.
//! If there are none, `create` fails until the next sweep or deletion.
//!
//! The principal index grows with the records: it has one entry for each record with a principal.

mod index;
mod shard;
mod store;

pub use crate::store::MemoryStore;
