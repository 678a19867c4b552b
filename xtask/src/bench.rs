//! `cargo xtask bench`: what a request costs.
//!
//! The cases and the programs that run them are in `benches`, a package outside of the workspace; here they are built,
//! run and compared, with each other or with the numbers that are kept in the repository.

mod comparison;
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

use std::path::Path;

use crate::{
    error::{Error, Result},
    test_programs,
};
use options::Options;
use programs::{Peers, Programs};

/// Compares, or checks the numbers that are kept.
pub(crate) fn run(root: &Path, args: &[String]) -> Result<()> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["requests"] => comparison::run(&programs(root, Peers::With)?),
        ["requests", "--only", "ours"] => comparison::run(&programs(root, Peers::Without)?),
        ["--gate"] => gate(root),
        ["--gate", "--update"] => gate::update(root, &programs(root, Peers::Without)?),
        ["memory"] => memory::run(&programs(root, Peers::Without)?),
        // How many sessions there are is how many requests it makes.
        ["safeties", ref options @ ..] if !options.contains(&"--sessions") => {
            let options = Options::parse(options)?;
            safeties::run(&programs(root, Peers::Without)?, &options)
        }
        ["http"] => http::run(root, &programs(root, Peers::With)?),
        ["files", ref options @ ..] => {
            let options = Options::parse(options)?;
            files::run(root, &programs(root, Peers::With)?, &options)
        }
        ["growth", ref options @ ..] => {
            let options = Options::parse(options)?;
            growth::run(root, &programs(root, Peers::Without)?, &options)
        }
        [] | ["--dir" | "--sessions", ..] => {
            let options = Options::parse(&args)?;
            let programs = programs(root, Peers::With)?;
            comparison::run(&programs)?;
            http::run(root, &programs)?;
            files::run(root, &programs, &options)
        }
        _ => Err(Error::Usage(USAGE.to_owned())),
    }
}

/// Fails if a request has become dearer.
pub(crate) fn gate(root: &Path) -> Result<()> {
    gate::check(root, &programs(root, Peers::Without)?)
}

const USAGE: &str = "bench compares requests, HTTP and files, or one of them if it is told `requests` (with `--only ours`), `http` or `files`; \
    or it takes `growth`, `memory`, `safeties`, `--gate` or `--gate --update`; with `--dir DIR` where there are files, and `--sessions N` but for `safeties`";

fn programs(root: &Path, peers: Peers) -> Result<Programs> {
    test_programs::ensure_installed_for_benches(root)?;
    Programs::build(root, peers)
}
