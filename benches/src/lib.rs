//! What a request costs: the same cases on our adapters and on other session layers; and what stores of files cost.
//!
//! A [`Case`] is what a visitor does, a [`Stack`] a framework with a session layer. The programs in `src/bin` repeat a
//! case's request, and `cargo xtask bench` runs them and compares.

#![allow(clippy::missing_panics_doc, reason = "a measurement that goes wrong is to stop")]

mod actix;
mod application;
mod axum;
mod case;
mod counted;
mod file_operation;
mod nexios;
pub mod payload;
#[cfg(feature = "peers")]
mod peers;
pub mod session_files;
mod stack;
mod subject;

pub use crate::application::{Answer, Application};
pub use crate::case::{Case, Visit};
pub use crate::counted::{Calls, Counted};
pub use crate::file_operation::{FileOperation, PreparedOperation};
pub use crate::stack::{Framework, Stack};
pub use crate::subject::Subject;
