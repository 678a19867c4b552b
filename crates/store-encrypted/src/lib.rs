//! Encryption at rest: a session store that seals what it hands to another one.
//!
//! [`EncryptedStore`] wraps any store. Payloads are sealed before the store sees them, so a stolen directory, dump or
//! backup shows neither values nor users' names to who lacks the key. Choose it wherever sessions are kept on something
//! that outlives the process.
//!
//! ```
//! use nexios_signer::{Key, KeyRing};
//! use nexios_store_core::{CreateOutcome, Record, SessionId, SessionStore, Timestamp};
//! use nexios_store_encrypted::EncryptedStore;
//! use nexios_store_memory::MemoryStore;
//! use std::sync::Arc;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let inner = Arc::new(MemoryStore::new());
//! let store = EncryptedStore::new(inner.clone(), &KeyRing::new(Key::generate()?));
//! let (now, later) = (Timestamp::from_unix_millis(0), Timestamp::from_unix_millis(1_000));
//! let record = Record { payload: "hush".into(), expires_at: later, principal: None };
//! let id = SessionId::generate()?;
//!
//! assert!(matches!(store.create(&id, &record, now).await?, CreateOutcome::Created(_)));
//! assert_eq!(store.load(&id, now).await?.map(|stored| stored.record.payload), Some("hush".into()));
//! assert_ne!(inner.load(&id, now).await?.map(|stored| stored.record.payload), Some("hush".into()));
//! # Ok(())
//! # }
//! ```
//!
//! # What is sealed
//!
//! The payload, by AES-256-GCM under a key of its own for each write, as `nexios-signer` describes. Associated with it,
//! and so without use elsewhere, are the session's id and the principal tag: a payload does not open in the record of
//! another session, nor beside another tag, nor if the tag was taken away.
//!
//! Not hidden are the ids, how long a payload is, when it expires, and which sessions belong to one user, by an opaque
//! tag. An id alone opens nothing, since its cookie must be signed. Not prevented is that somebody who can write to the
//! store removes a record, moves its expiry, or puts back an older version of it.
//!
//! # Keys
//!
//! The first key of the ring seals, and all of them open. A record that was sealed under a retired key is sealed under
//! the first by its next write; `nexios-middleware-core` makes that write when a visitor comes back with a cookie, or a
//! principal tag, of the retired key. A `touch` is no such write. As long as records are opened that a retired key had
//! sealed, an event says so about once a minute; when there has been none for as long as sessions live, the key can go.
//!
//! What no key opens is an error, [`Corrupt`](nexios_store_core::StoreErrorKind::Corrupt), and stays where it is:
//! [`set_aside`](nexios_store_core::SessionStore::set_aside) moves only what the wrapped store itself cannot read, since a
//! key that was removed by mistake may come back. Such records go when they expire.
//!
//! # Switching it on
//!
//! There is no way to read a payload that was not sealed, because whoever can write to the store could then make one.
//! Sessions that were stored before encryption was switched on end for their visitors, and their records stay until
//! they expire. The same goes for switching it off.
//!
//! # Scope
//!
//! This store keeps nothing and decides nothing beside sealing: sweeping, the index of principals and every promise of
//! the contract are the wrapped store's.

mod seal;
mod store;

pub use crate::store::EncryptedStore;
