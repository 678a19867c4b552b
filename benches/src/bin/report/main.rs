//! Runs the measuring programs beside this one, and turns their numbers into tables, plots and the verdict of the gate.
//!
//! `cargo xtask bench` builds this program and starts it in the root of the workspace. It is not part of the library,
//! so a change of a report does not change how the measured code is compiled.

mod command;
mod comparison;
mod error;
mod files;
mod gate;
mod growth;
mod http;
mod memory;
mod options;
mod plot;
mod programs;
mod rounds;
mod safeties;
mod spread;
mod system_calls;
mod table;

use std::env;
use std::process::ExitCode;

use error::{Error, Result};
use options::Options;
use programs::Programs;

const USAGE: &str = "usage: report [--dir DIR] [--sessions N] | report requests | report http
     | report files [--dir DIR] [--sessions N] | report growth [--dir DIR] [--sessions N]
     | report memory | report safeties [--dir DIR] | report --gate [--update]";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("report: {error}");
            error.exit_code()
        }
    }
}

fn run(args: &[&str]) -> Result<()> {
    let programs = Programs::beside_this()?;
    match args {
        // The build decides which others there are, and xtask builds none for `--only ours`.
        ["requests"] | ["requests", "--only", "ours"] => comparison::run(&programs),
        ["--gate"] => gate::check(&programs),
        ["--gate", "--update"] => gate::update(&programs),
        ["memory"] => memory::run(&programs),
        // It has no `--sessions`: the number of its requests decides how many there are.
        ["safeties", options @ ..] if !options.contains(&"--sessions") => {
            safeties::run(&programs, &Options::parse(options)?)
        }
        ["http"] => http::run(&programs),
        ["files", options @ ..] => files::run(&programs, &Options::parse(options)?),
        ["growth", options @ ..] => growth::run(&programs, &Options::parse(options)?),
        [] | ["--dir" | "--sessions", ..] => {
            let options = Options::parse(args)?;
            comparison::run(&programs)?;
            http::run(&programs)?;
            files::run(&programs, &options)
        }
        _ => Err(Error::Usage(USAGE.to_owned())),
    }
}
