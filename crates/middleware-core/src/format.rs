//! The bytes of a payload.

pub(crate) mod extensions;
pub(crate) mod handle;
pub(crate) mod packed;
pub(crate) mod payload;
pub(crate) mod value;
pub(crate) mod values;
