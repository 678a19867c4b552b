//! Stores that keep each session in a file, of several languages, beside the system calls that none can do without.

use std::path::Path;

use super::options::Options;
use super::plot::{Bars, Scale};
use super::programs::Programs;
use super::rounds::Rounds;
use super::spread::Spread;
use super::table::{Table, thousands};
use crate::command_line::CommandLine;
use crate::error::Result;
use crate::test_programs::is_on_path;

/// Measures and prints it.
pub(super) fn run(root: &Path, programs: &Programs, options: &Options) -> Result<()> {
    let bench = Bench { root, programs, options };
    let stores = bench.stores()?;
    bench.operations(&stores)?;
    bench.sweeps(&stores)
}

struct Bench<'a> {
    root: &'a Path,
    programs: &'a Programs,
    options: &'a Options,
}

/// A program that measures the stores of one language.
struct Program {
    words: Vec<String>,
    /// Where its language finds the packages that it needs.
    env: Option<(&'static str, String)>,
}

impl Program {
    fn with_env(&self, mut line: CommandLine) -> CommandLine {
        if let Some((name, value)) = &self.env {
            line = line.env(name, value);
        }
        line
    }

    fn with<const N: usize>(&self, args: [&str; N]) -> Vec<String> {
        self.words.iter().cloned().chain(args.map(str::to_owned)).collect()
    }
}

impl Bench<'_> {
    /// Ours with its peers in Rust, and the others as far as they can be had here.
    fn stores(&self) -> Result<Vec<Program>> {
        let values = self.programs.program("files").args(["values"]).output()?.stdout.trim().to_owned();
        let script = |language: &str, script: &str, env| {
            let script = self.root.join("benches/others").join(script).to_string_lossy().into_owned();
            Program { words: vec![language.to_owned(), script, values.clone()], env }
        };
        let mut stores = vec![Program { words: vec![self.programs.path("files")], env: None }];
        if is_on_path("php") {
            stores.push(script("php", "files.php", None));
        } else {
            println!("PHP is not measured: there is no `php` on PATH");
        }
        let packages = self.packages("python");
        let django = CommandLine::new("python3", self.root).args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--upgrade",
            "--target",
            &packages,
            "django==5.2",
        ]);
        if django.succeeds() {
            stores.push(script("python3", "files_django.py", Some(("PYTHONPATH", packages))));
        } else {
            println!("Django is not measured: `{django}` does not succeed");
        }
        let packages = self.packages("node");
        let node = CommandLine::new("npm", self.root)
            .args(["install", "--silent", "--no-audit", "--no-fund", "--prefix", &packages])
            .args(["session-file-store@1.5.0", "express-session@1.18.1"]);
        if is_on_path("node") && node.succeeds() {
            stores.push(script("node", "files_node.js", Some(("NODE_PATH", format!("{packages}/node_modules")))));
        } else {
            println!("Node is not measured: there is no `node` on PATH, or `{node}` does not succeed");
        }
        Ok(stores)
    }

    fn packages(&self, language: &str) -> String {
        self.programs.dir.join("packages-of").join(language).to_string_lossy().into_owned()
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

    /// For `docs/performance.md`.
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
        bars.draw(&self.root.join("docs/performance/files.svg"))
    }

    /// What each program has printed. They take turns, each in a directory of its own that is gone afterwards.
    fn rounds<const N: usize>(&self, stores: &[Program], args: impl Fn(&str) -> [String; N]) -> Result<Vec<Rounds>> {
        let mut measured = vec![Rounds::default(); stores.len()];
        for _ in 0..ROUNDS {
            for (program, rounds) in stores.iter().zip(&mut measured) {
                let dir = self.options.empty_dir()?;
                let words = program.with(args(&dir.path().to_string_lossy()).each_ref().map(String::as_str));
                let line = program.with_env(CommandLine::new(&words[0], self.root).args(words[1..].to_vec()));
                rounds.read(&line, &line.output()?.stdout)?;
            }
        }
        Ok(measured)
    }

    fn system_calls(&self, program: &Program, store: &str, operation: &str) -> Result<String> {
        let dir = self.options.empty_dir()?;
        let words = program.with(["calls", store, operation, &dir.path().to_string_lossy(), &CALLS.to_string()]);
        let strace = program.with_env(CommandLine::new("strace", self.root));
        self.programs.system_calls_of(&strace, &words, CALLS)
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

/// What the programs call that which is not a store.
const LIMIT: &str = "limit";
const SPREAD: &str = "least / median";
const ROUNDS: usize = 3;
const DEFAULT_SESSIONS: usize = 10_000;
const BATCHES: &str = "5";
const OPERATIONS_A_BATCH: &str = "500";
const CALLS: usize = 100;
