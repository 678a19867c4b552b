//! The cases by theme. Each is a story of some requests to a site. `main.rs` lists them.

pub(crate) mod adapters;
pub(crate) mod attributes;
pub(crate) mod client_side;
pub(crate) mod disconnects;
pub(crate) mod expiry;
pub(crate) mod headers;
pub(crate) mod lifecycle;
pub(crate) mod middleware;
pub(crate) mod moved;
pub(crate) mod outages;
pub(crate) mod panics;
pub(crate) mod parallel;
pub(crate) mod security;
pub(crate) mod signed_cookies;
pub(crate) mod streaming;
pub(crate) mod two_sessions;
pub(crate) mod users;
