//! Requests to measure: the same cases on our adapters and on other session layers. And stores of files to measure.
//!
//! A [`Case`] is what a visitor does, and a [`Stack`] is a framework with a session layer. The programs in `src/bin`
//! repeat the request of a case. One of them, `report`, runs the others and compares; `cargo xtask bench` starts it.

#![allow(clippy::missing_panics_doc, reason = "a measurement that goes wrong must stop")]

mod actix;
mod application;
mod axum;
mod calls;
mod case;
mod file_operation;
mod nexios;
pub mod payload;
#[cfg(feature = "peers")]
mod peers;
pub mod session_files;
mod stack;
mod subject;

pub use crate::application::{Answer, Application};
pub use crate::calls::Calls;
pub use crate::case::{Case, Visit};
pub use crate::file_operation::{FileOperation, PreparedOperation};
pub use crate::stack::{Framework, Stack};
pub use crate::subject::Subject;
