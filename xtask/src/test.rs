//! `cargo xtask test`: unit tests, integration tests and doctests of the whole workspace.

use std::path::Path;

use crate::{command_line::CommandLine, error::Result, test_programs};

/// Runs all tests; `args` are handed to `cargo test`.
///
/// Plain `cargo test`, because whoever has Rust has it, and because it runs the doctests too. The few tests that take
/// root are ignored by it; here they run if they can, and otherwise it is said that they did not.
pub(crate) fn run(root: &Path, args: &[String]) -> Result<()> {
    test_programs::ensure_installed(root)?;
    let is_root = is_root(root);
    let test = CommandLine::cargo("test --workspace --all-features", root).args(args);
    test.args(including_ignored(args).iter().copied().filter(|_| is_root)).run()?;
    if !is_root {
        println!("\nNOT RUN: the tests that take root, which show as ignored; `sudo -E cargo xtask test` runs them");
    }
    Ok(())
}

/// What is to be added to the arguments so that ignored tests run as well.
fn including_ignored(args: &[String]) -> &'static [&'static str] {
    let has_arguments_for_tests = args.iter().any(|arg| arg == "--");
    if has_arguments_for_tests { &["--include-ignored"] } else { &["--", "--include-ignored"] }
}

fn is_root(root: &Path) -> bool {
    CommandLine::new("sh", root).args(["-c", "test \"$(id -u)\" = 0"]).succeeds()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_tests_are_included_whatever_the_arguments() {
        let args = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(including_ignored(&args("-p nexios-demo")), ["--", "--include-ignored"]);
        assert_eq!(including_ignored(&args("-p nexios-demo -- curl")), ["--include-ignored"]);
    }
}
