//! The demo service: what its programs have in common.
//!
//! Each program is a thin layer of one framework around these parts: the [settings](Settings) that it reads, the
//! [actions] that its routes carry out on the visitor's session, and the [page](PAGE) on which a person can do the
//! same by hand.

pub mod actions;
mod arguments;
mod key;
mod program;
mod reply;
mod settings;
mod shutdown;

pub use crate::arguments::Arguments;
pub use crate::key::decode_key;
pub use crate::program::{announce, fail_to_start, log_to_stderr};
pub use crate::reply::{Reply, Result};
pub use crate::settings::Settings;
pub use crate::shutdown::{GRACE_PERIOD, shutdown_signal};

/// The page at `/`. Its script calls the API, so that the server needs no session for it.
pub const PAGE: &str = include_str!("page.html");

/// How large the body of a request may be, in bytes.
pub const MAX_BODY: usize = 64 * 1024;
