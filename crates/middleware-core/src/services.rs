//! What every room may use.

pub(crate) mod clock;
pub(crate) mod cookie_names;
pub(crate) mod expiry;
pub(crate) mod policies;
pub(crate) mod settings;
pub(crate) mod signers;
pub(crate) mod striped_locks;
pub(crate) mod time_limit;
