//! The contract of a session store, in types and prose.
//!
//! A session store keeps [`Record`]s under [`SessionId`]s. It sees opaque bytes in a typed envelope, and never a key, a
//! cookie or a decoded value. It reads no clock: each method that needs the time takes it as an argument. The trait
//! [`SessionStore`] lists what a store promises. A store that keeps these promises works with every adapter and every
//! decorator.
//!
//! Depend on this crate to write a store. To use a store, depend on the store's own crate and on an adapter.
//!
//! # Examples
//!
//! A complete store for one process: a map behind a mutex. Real stores differ in where they keep the map.
//!
//! ```
#![doc = include_str!("../doc/map_store.rs")]
//! ```
//!
//! # Scope
//!
//! Other crates deal with signatures, encryption, expiry policy, cookies and the merging of parallel changes. This
//! crate depends on no HTTP types and no async runtime, so a store is free to choose both.

mod error;
mod id;
mod outcome;
mod record;
mod store;
mod timestamp;

pub use crate::error::{BoxError, Result, StoreError, StoreErrorKind};
pub use crate::id::{InvalidSessionId, SessionId};
pub use crate::outcome::{CreateOutcome, DeleteOutcome, RenameOutcome, Swept, TouchOutcome, UpdateOutcome};
pub use crate::record::{PrincipalTag, Record, Revision, Stored};
pub use crate::store::{DeleteExpired, PrincipalIndex, SessionStore};
pub use crate::timestamp::Timestamp;

/// The attribute that goes above `impl SessionStore for …`, from the crate of the same name.
pub use async_trait::async_trait;
