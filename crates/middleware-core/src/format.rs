//! The room of the format: the bytes of a record's payload.
//!
//! Invariant: what a version has written, each later version reads. The room knows no store, no key and no cookie.

pub(crate) mod extensions;
pub(crate) mod handle;
mod limited;
pub(crate) mod packed;
pub(crate) mod payload;
mod plain;
pub(crate) mod value;
pub(crate) mod values;
