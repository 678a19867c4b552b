//! The project's own tasks. Run one with `cargo xtask <task>`; `cargo xtask help` lists them.
//!
//! CI runs `cargo xtask ci`, so a change that passes it here passes it there. The tasks drive cargo and depend on no
//! crate of ours: they work while the rest of the workspace does not compile.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a task talks to the person who runs it")]

mod audit;
mod bench;
mod ci;
mod command_line;
mod error;
mod progress;
mod test;
mod test_programs;
mod tidy;
mod workspace;

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

use error::{Error, Result};

/// One task, as `help` shows it.
struct Task {
    name: &'static str,
    args: &'static str,
    about: &'static str,
    run: fn(&Path, &[String]) -> Result<()>,
}

/// Every task but `help`, which is made from this table.
const TASKS: &[Task] = &[
    Task { name: "ci", args: "", about: "every check that a change must pass, in order", run: ci::run },
    Task { name: "test", args: "[ARGS…]", about: "all tests, with ARGS for `cargo test`", run: test::run },
    Task { name: "tidy", args: "", about: "rules that neither rustc nor clippy knows", run: tidy::run },
    Task { name: "audit", args: "[--db PATH]", about: "licences, sources and known advisories", run: audit::run },
    Task { name: "bench", args: "[ARGS…]", about: "the cost of a request, ours beside others", run: bench::run },
];

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            error.exit_code()
        }
    }
}

fn run(args: &[String]) -> Result<()> {
    let Some((name, args)) = args.split_first() else {
        return Err(Error::Usage(format!("no task given\n\n{}", help())));
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        println!("{}", help());
        return Ok(());
    }
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        return Err(Error::Usage(format!("there is no task `{name}`\n\n{}", help())));
    };
    if task.args.is_empty() && !args.is_empty() {
        return Err(Error::Usage(format!("`{name}` takes no arguments\n\n{}", help())));
    }
    (task.run)(&root()?, args)
}

fn help() -> String {
    let lines = TASKS.iter().map(|task| format!("\n    {:<20}{}", format!("{} {}", task.name, task.args), task.about));
    format!("cargo xtask <task>, where a task is one of{}\n    {:<20}this list", lines.collect::<String>(), "help")
}

/// Returns the root of the workspace.
///
/// Asks the environment when the task runs: a workspace that was moved together with its build is still found.
fn root() -> Result<PathBuf> {
    let manifest_dir = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    match manifest_dir.as_deref().and_then(Path::parent) {
        Some(root) => Ok(root.to_path_buf()),
        None => Err(Error::Usage("start the tasks through cargo: `cargo xtask <task>`".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_args(args: &[&str]) -> Result<()> {
        run(&args.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn an_unknown_task_is_a_usage_error_that_lists_the_tasks() {
        for args in [&["tydi"][..], &[], &["ci", "--fast"]] {
            let error = run_args(args).unwrap_err();
            assert_eq!(format!("{:?}", error.exit_code()), format!("{:?}", ExitCode::from(2)), "{args:?}");
            for task in TASKS {
                assert!(error.to_string().contains(task.name), "{args:?} does not mention {}", task.name);
            }
        }
    }

    #[test]
    fn help_is_no_error() {
        run_args(&["help"]).unwrap();
    }
}
