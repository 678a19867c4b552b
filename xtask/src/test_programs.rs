//! The programs that tests and benches start: a browser, a Redis, valgrind, strace.
//!
//! A test never skips itself because its program is missing; the program is installed before the tests run.

use std::{env, path::Path};

use crate::{command_line::CommandLine, error::Result};

/// Each program that a test starts, with the script of ours that installs it, relative to the root.
const PROGRAMS: &[(&str, &str)] = &[
    ("chromium", "xtask/install/chromium.sh"),
    ("chromedriver", "xtask/install/chromium.sh"),
    ("curl", "xtask/install/curl.sh"),
];

/// The same for `cargo xtask bench`.
const BENCH_PROGRAMS: &[(&str, &str)] = &[
    ("strace", "xtask/install/strace.sh"),
    ("valgrind", "xtask/install/valgrind.sh"),
    ("wrk", "xtask/install/wrk.sh"),
];

/// Installs, each with its script, the programs that tests start and that are not on `PATH`.
///
/// # Errors
///
/// Returns the error of the first script that fails.
pub(crate) fn ensure_installed(root: &Path) -> Result<()> {
    install_missing(root, PROGRAMS)
}

/// The same for the programs that benches start.
///
/// # Errors
///
/// Returns the error of the first script that fails.
pub(crate) fn ensure_installed_for_benches(root: &Path) -> Result<()> {
    install_missing(root, BENCH_PROGRAMS)
}

fn install_missing(root: &Path, programs: &[(&str, &str)]) -> Result<()> {
    for (program, script) in programs {
        if !is_on_path(program) {
            println!("`{program}` is needed and not on PATH; installing it");
            CommandLine::new(&root.join(script).to_string_lossy(), root).run()?;
        }
    }
    Ok(())
}

/// Whether the system finds the program by its name.
fn is_on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|dir| dir.join(program).is_file() || dir.join(format!("{program}.exe")).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_program_has_a_script_that_can_run() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for (program, script) in PROGRAMS.iter().chain(BENCH_PROGRAMS) {
            let syntax = CommandLine::new("sh", root).args(["-n", script]);
            assert!(root.join(script).is_file() && syntax.succeeds(), "{program}: {script}");
        }
    }

    #[test]
    fn a_script_runs_only_for_a_program_that_is_missing() {
        let root = Path::new(".");
        install_missing(root, &[("cargo", "no/such/script")]).unwrap();

        let error = install_missing(root, &[("no-such-program", "no/such/script")]).unwrap_err();
        assert!(error.to_string().contains("no/such/script"), "{error}");
    }
}
