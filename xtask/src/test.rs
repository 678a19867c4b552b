//! `cargo xtask test`: runs the unit tests, integration tests and doctests of the whole workspace.

use std::path::Path;

use crate::{command_line::CommandLine, error::Result, test_programs};

/// Runs all tests, and hands `args` to `cargo test`.
///
/// Plain `cargo test` comes with Rust, and it runs the doctests too.
pub(crate) fn run(root: &Path, args: &[String]) -> Result<()> {
    test_programs::ensure_installed(root, test_programs::OF_TESTS)?;
    CommandLine::cargo("test --workspace --all-features", root).args(args).run()
}
