//! Sessions in memory, for tests and for a single process that may forget them.
//!
//! [`MemoryStore`] is the reference implementation of the store contract: what it does is what every store must
//! look like from outside. Sessions end with the process; choose the file store if they are to survive it.
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
//! # Bounded
//!
//! The store keeps a limited number of records, 100 000 unless told otherwise. It never grows beyond that, and never
//! drops a live session to make room: that would be a logout that nobody asked for. When it is full, `create` takes the
//! place of expired records that it finds in its shard, a 64th of the store; if there are none, it fails until the
//! next sweep or deletion. The principal index goes with the records: it has an entry for each that has a principal.

mod index;
mod shard;
mod store;

pub use crate::store::MemoryStore;
