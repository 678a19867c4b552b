//! The programs that tests and benches start: a browser, curl, strace, valgrind, wrk.
//!
//! No test skips itself because its program is missing. The program is installed before the tests run.

use std::{env, path::Path};

use crate::{command_line::CommandLine, error::Result};

/// A program, and the script of ours that installs it, relative to the root.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program {
    name: &'static str,
    script: &'static str,
}

/// The programs that the tests start.
pub(crate) const OF_TESTS: &[Program] = &[
    Program { name: "chromium", script: "xtask/install/chromium.sh" },
    Program { name: "chromedriver", script: "xtask/install/chromium.sh" },
    Program { name: "curl", script: "xtask/install/curl.sh" },
];

/// The program that counts system calls.
pub(crate) const STRACE: Program = Program { name: "strace", script: "xtask/install/strace.sh" };

/// The program that counts instructions.
pub(crate) const VALGRIND: Program = Program { name: "valgrind", script: "xtask/install/valgrind.sh" };

/// The program that makes requests over loopback.
pub(crate) const WRK: Program = Program { name: "wrk", script: "xtask/install/wrk.sh" };

/// Installs the programs that are not on `PATH`, each with its script.
///
/// # Errors
///
/// Returns the error of the first script that fails.
pub(crate) fn ensure_installed(root: &Path, programs: &[Program]) -> Result<()> {
    for Program { name, script } in programs {
        if !is_on_path(name) {
            println!("`{name}` is needed and not on PATH; installing it");
            CommandLine::new(&root.join(script).to_string_lossy(), root).run()?;
        }
    }
    Ok(())
}

/// Returns whether the system finds a program by its name.
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
        for Program { name, script } in OF_TESTS.iter().chain(&[STRACE, VALGRIND, WRK]) {
            let syntax = CommandLine::new("sh", root).args(["-n", script]);
            assert!(root.join(script).is_file() && syntax.succeeds(), "{name}: {script}");
        }
    }

    #[test]
    fn a_script_runs_only_for_a_program_that_is_missing() {
        let (root, script) = (Path::new("."), "no/such/script");
        ensure_installed(root, &[Program { name: "cargo", script }]).unwrap();

        let error = ensure_installed(root, &[Program { name: "no-such-program", script }]).unwrap_err();
        assert!(error.to_string().contains(script), "{error}");
    }
}
