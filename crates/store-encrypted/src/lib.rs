//! Encryption at rest: a session store that seals what it hands to another one.
//!
//! [`EncryptedStore`] wraps any store. It seals payloads before the store sees them. So without the key, a stolen
//! directory, dump or backup shows neither values nor the names of users. Choose it wherever sessions are kept on
//! something that outlives the process.
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
//! The payload is sealed by AES-256-GCM, under a key of its own for each write, as `nexios-signer` describes. The id of
//! the session and the principal tag are associated data of the seal. So a payload opens neither in the record of
//! another session, nor beside another tag, nor without its tag.
//!
//! The store does not hide ids, the length and the expiry of a payload, and which sessions belong to one user, as an
//! opaque tag shows. An id alone opens nothing, because its cookie must be signed. The store does not prevent somebody
//! who can write to it from removing a record, moving its expiry, or putting back an older version of it.
//!
//! # Keys
//!
//! The first key of the ring seals, and all keys open. A record that a retired key has sealed is sealed under the first
//! key by its next `load`, or by the next write. As long as the store meets such records, an event says so about once a
//! minute. When there has been no such event for as long as sessions live, remove the key.
//!
//! Processes that put different keys first seal a record anew at each change of hands. That does no harm for the time
//! of a deploy. `nexios_signer::KeyRing` says in which steps to change a key.
//!
//! A record that no key opens is the error [`NoKey`](nexios_store_core::StoreErrorKind::NoKey), and stays where it is,
//! because a key that was removed by mistake may come back. So
//! [`set_aside`](nexios_store_core::SessionStore::set_aside) moves only what the wrapped store itself cannot read.
//! Records that no key opens go when they expire.
//!
//! # Switching it on
//!
//! The store never reads a payload that was not sealed: if it did, anybody who can write to it could make one. When you
//! switch encryption on, the sessions that were stored before end for their visitors, and their records stay until they
//! expire. The same goes for switching it off.
//!
//! # Scope
//!
//! This store seals and opens, and does nothing else. Sweeping, the index of principals and every promise of the
//! contract are the business of the wrapped store.

mod seal;
mod store;

pub use crate::store::EncryptedStore;
