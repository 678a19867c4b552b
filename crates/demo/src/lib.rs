//! The parts that the two programs of the demo service share.
//!
//! The demo is one small application, written twice: `demo-axum` and `demo-actix`. Both give the same answers, and both
//! can serve the same session directory at the same time. Each program is a thin layer of its framework around these
//! parts:
//!
//! * [`actions`] is what each route does with the visitor's session. Start reading here.
//! * [`ended()`] is the one route whose answer is a stream.
//! * [`Reply`] is the answer of an action. Each program turns it into a response of its framework.
//! * [`Settings`] reads the environment and makes a `SessionManager` of it.
//! * [`PAGE`] is the page at `/`, on which a person can use the routes by hand.

pub mod actions;
mod arguments;
mod ended;
mod key;
mod numbers;
mod program;
mod reply;
mod settings;
mod shutdown;

pub use crate::arguments::Arguments;
pub use crate::ended::{EVENT_STREAM, ended};
pub use crate::key::decode_key;
pub use crate::program::{announce, fail_to_start, log_to_stderr};
pub use crate::reply::{Reply, Result};
pub use crate::settings::Settings;
pub use crate::shutdown::{GRACE_PERIOD, shutdown_signal};

/// The page at `/`. Its script calls the API, so the server loads no session to answer it.
pub const PAGE: &str = include_str!("page.html");

/// The largest body that a request may have, in bytes.
pub const MAX_BODY: usize = 64 * 1024;
