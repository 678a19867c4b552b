//! The contract of a session store, in types and prose.
//!
//! A session store keeps [`Record`]s under [`SessionId`]s. It sees opaque bytes in a typed envelope: no key, no
//! cookie, no decoded value; and it reads no clock: the time is an argument of every method that needs it. What it
//! has to promise in return is written at [`SessionStore`]; a store that keeps these promises works with every
//! adapter and every decorator.
//!
//! Depend on this crate to write a store. To use one, depend on the store's own crate and an adapter.
//!
//! # Examples
//!
//! A complete store: one process, a map behind a mutex. Real ones differ in where the map is.
//!
//! ```
#![doc = include_str!("../doc/map_store.rs")]
//! ```
//!
//! # Scope
//!
//! Signing, encryption, expiry policy, merging of parallel changes and cookies are the business of other crates.
//! There is no HTTP type and no async runtime in this crate's dependencies, so a store is free in both.

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

/// The attribute to write above `impl SessionStore for …`, from the crate of the same name.
pub use async_trait::async_trait;
