//! The session layers that ours is compared with, set up as their documentation shows.

pub(crate) mod actix_session;
pub(crate) mod axum_session;
pub(crate) mod tower_sessions;
