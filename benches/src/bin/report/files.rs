//! The comparison of stores that keep each session in a file, in several languages, beside the system calls that all of
//! them need.

use std::path::PathBuf;
use std::process::Command;

use nexios_benches::payload::{Size, map};
use serde_json::Value;

use crate::command::{output, succeeds};
use crate::error::Result;
use crate::options::Options;
use crate::plot::{Bars, Scale};
use crate::programs::{Programs, system_calls_of};
use crate::rounds::Rounds;
use crate::spread::Spread;
use crate::table::{Table, thousands};

/// Measures the stores, and prints and draws the comparison.
pub(crate) fn run(programs: &Programs, options: &Options) -> Result<()> {
    let bench = Bench { programs, options };
    let stores = bench.stores();
    bench.operations(&stores)?;
    bench.sweeps(&stores)
}

struct Bench<'a> {
    programs: &'a Programs,
    options: &'a Options,
}

/// A program that measures the stores of one language.
struct Program {
    program: PathBuf,
    /// Its own arguments, before those that all of these programs take.
    args: Vec<String>,
    /// The variable that tells its language where its packages are.
    env: Option<(&'static str, PathBuf)>,
}

impl Program {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Bench<'_> {
    /// Returns the program for stores in Rust, and those for other languages, as far as they can be installed here.
    fn stores(&self) -> Vec<Program> {
        let values = Value::Object(map(Size::OfFile)).to_string();
        let script = |language: &str, script: &str, env| Program {
            program: language.into(),
            args: vec![format!("benches/others/{script}"), values.clone()],
            env,
        };
        let mut stores = vec![Program { program: self.programs.path("files"), args: Vec::new(), env: None }];
        if succeeds(Command::new("php").arg("--version")) {
            stores.push(script("php", "files.php", None));
        } else {
            println!("PHP is not measured: there is no `php` on PATH");
        }
        let packages = self.packages("python");
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--upgrade", "--target"]).arg(&packages).arg("django==5.2");
        if succeeds(&mut pip) {
            stores.push(script("python3", "files_django.py", Some(("PYTHONPATH", packages))));
        } else {
            println!("Django is not measured: `{pip:?}` does not succeed");
        }
        let packages = self.packages("node");
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]).arg(&packages);
        npm.args(["session-file-store@1.5.0", "express-session@1.18.1"]);
        if succeeds(Command::new("node").arg("--version")) && succeeds(&mut npm) {
            stores.push(script("node", "files_node.js", Some(("NODE_PATH", packages.join("node_modules")))));
        } else {
            println!("Node is not measured: there is no `node` on PATH, or `{npm:?}` does not succeed");
        }
        stores
    }

    fn packages(&self, language: &str) -> PathBuf {
        self.programs.dir.join("packages-of").join(language)
    }

    fn operations(&self, stores: &[Program]) -> Result<()> {
        let measured =
            self.rounds(stores, |dir| ["operations", dir, BATCHES, OPERATIONS_A_BATCH].map(str::to_owned))?;
        let mut all = Rounds::of_all(&measured);
        let mut limits = Table::new(["what no store can do without", "us"].map(str::to_owned));
        for (_, operation, took) in all.take(LIMIT).iter() {
            limits.row([operation.to_owned(), took.micros()]);
        }
        limits.print(&format!("limits of the machine, {SPREAD}"));
        all.micros().print(&format!("stores with a file for each session of 1,009 bytes: us, {SPREAD}"));
        self.draw(&all)?;
        let mut calls = Table::new(["store", "operation", "system calls"].map(str::to_owned));
        for (program, rounds) in stores.iter().zip(&measured) {
            for (store, operation, _) in rounds.iter().filter(|(store, ..)| *store != LIMIT) {
                calls.row([store.to_owned(), operation.to_owned(), self.system_calls(program, store, operation)?]);
            }
        }
        calls.print("system calls of one operation");
        Ok(())
    }

    /// Draws the medians for `docs/performance.md`.
    fn draw(&self, measured: &Rounds) -> Result<()> {
        let groups = measured.operations();
        let height = |spread: Spread| u64::try_from(spread.median.as_micros()).unwrap_or(u64::MAX);
        let series = measured.stores().into_iter().map(|store| {
            let heights = groups.iter().map(|operation| measured.of(&store, operation).map(height)).collect();
            (store, heights)
        });
        let bars = Bars {
            title: "Stores with a file for each session",
            y: "microseconds, median",
            scale: Scale::Logarithmic,
            groups: &groups,
            series: series.collect(),
        };
        bars.draw("files.svg")
    }

    /// Runs the programs in turns and returns what each has measured. Each run has a directory of its own, which is
    /// removed after it.
    fn rounds<const N: usize>(&self, stores: &[Program], args: impl Fn(&str) -> [String; N]) -> Result<Vec<Rounds>> {
        let mut measured = vec![Rounds::default(); stores.len()];
        for _ in 0..ROUNDS {
            for (program, rounds) in stores.iter().zip(&mut measured) {
                let dir = self.options.empty_dir()?;
                rounds.read(&output(program.command().args(args(&dir.path().to_string_lossy())))?)?;
            }
        }
        Ok(measured)
    }

    fn system_calls(&self, program: &Program, store: &str, operation: &str) -> Result<String> {
        let dir = self.options.empty_dir()?;
        let mut command = program.command();
        command.args(["calls", store, operation]).arg(dir.path()).arg(CALLS.to_string());
        system_calls_of(&command, CALLS)
    }

    fn sweeps(&self, stores: &[Program]) -> Result<()> {
        let sessions = self.options.sessions_or(DEFAULT_SESSIONS);
        let of = thousands(u64::try_from(sessions).unwrap_or(u64::MAX));
        let sessions = sessions.to_string();
        let measured = self.rounds(stores, |dir| ["sweep", dir, &sessions].map(str::to_owned))?;
        let mut table =
            Table::new(["store, operation", "seconds", "as a multiple of the unlinks alone"].map(str::to_owned));
        let all = Rounds::of_all(&measured);
        let unlinks = all.iter().find_map(|(store, _, took)| (store == LIMIT).then_some(took));
        for (store, operation, took) in all.iter() {
            let multiple = unlinks.map(|unlinks| took.as_part_of(&unlinks)).unwrap_or_default();
            table.row([format!("{store}, {operation}"), took.seconds(), multiple]);
        }
        table.print(&format!("a sweep over {of} sessions, half of which have expired, {SPREAD}"));
        Ok(())
    }
}

/// The name that the programs give to the system calls without a store.
const LIMIT: &str = "limit";
const SPREAD: &str = "least / median";
const ROUNDS: usize = 3;
const DEFAULT_SESSIONS: usize = 10_000;
const BATCHES: &str = "5";
const OPERATIONS_A_BATCH: &str = "500";
const CALLS: usize = 100;
