//! Stores that keep each session in a file, of several languages, beside the system calls that none can do without.

use std::path::Path;

use super::options::Options;
use super::programs::Programs;
use super::spread::Spread;
use super::table::{Table, thousands};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::test_programs::is_on_path;

/// Measures and prints it.
pub(super) fn run(root: &Path, programs: &Programs, options: &Options) -> Result<()> {
    let bench = Bench { root, programs, options };
    let stores = bench.stores()?;
    let operations = bench.operations(&stores)?;
    operations.print_limits();
    operations.print_stores();
    bench.system_calls(&operations)?.print("system calls of one operation");
    bench.sweeps(&stores)
}

struct Bench<'a> {
    root: &'a Path,
    programs: &'a Programs,
    options: &'a Options,
}

/// A program that measures the stores of one language.
#[derive(Clone)]
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

    fn operations(&self, stores: &[Program]) -> Result<Measured> {
        self.rounds(stores, |dir| ["operations", dir, BATCHES, OPERATIONS_A_BATCH].map(str::to_owned))
    }

    /// The programs take turns, each in a directory of its own that is gone afterwards.
    fn rounds<const N: usize>(&self, stores: &[Program], args: impl Fn(&str) -> [String; N]) -> Result<Measured> {
        let mut measured = Measured::default();
        for _ in 0..ROUNDS {
            for program in stores {
                let dir = self.options.empty_dir()?;
                let words = program.with(args(&dir.path().to_string_lossy()).each_ref().map(String::as_str));
                let line = program.with_env(CommandLine::new(&words[0], self.root).args(words[1..].to_vec()));
                measured.read(program, &line, &line.output()?.stdout)?;
            }
        }
        Ok(measured)
    }

    fn system_calls(&self, measured: &Measured) -> Result<Table> {
        let mut table = Table::new(["store", "operation", "system calls"].map(str::to_owned));
        for row in measured.rows.iter().filter(|row| row.store != LIMIT) {
            let dir = self.options.empty_dir()?;
            let dir = dir.path().to_string_lossy();
            let program = row.program.with(["calls", &row.store, &row.operation, &dir, &CALLS.to_string()]);
            let strace = row.program.with_env(CommandLine::new("strace", self.root));
            let calls = self.programs.system_calls_of(&strace, &program, CALLS)?;
            table.row([row.store.clone(), row.operation.clone(), calls]);
        }
        Ok(table)
    }

    fn sweeps(&self, stores: &[Program]) -> Result<()> {
        let sessions = self.options.sessions_or(DEFAULT_SESSIONS);
        let of = thousands(u64::try_from(sessions).unwrap_or(u64::MAX));
        let sessions = sessions.to_string();
        let measured = self.rounds(stores, |dir| ["sweep", dir, &sessions].map(str::to_owned))?;
        let mut table =
            Table::new(["store, operation", "seconds", "as a multiple of the unlinks alone"].map(str::to_owned));
        let unlinks = measured.rows.iter().find(|row| row.store == LIMIT).map(|row| Spread::of(&row.nanos));
        for row in &measured.rows {
            let took = Spread::of(&row.nanos);
            let name = format!("{}, {}", row.store, row.operation);
            let multiple = unlinks.map(|unlinks| took.as_part_of(&unlinks)).unwrap_or_default();
            table.row([name, took.seconds(), multiple]);
        }
        table.print(&format!("a sweep over {of} sessions, half of which have expired, {SPREAD}"));
        Ok(())
    }
}

/// What the programs have printed.
#[derive(Default)]
struct Measured {
    rows: Vec<Row>,
}

struct Row {
    program: Program,
    store: String,
    operation: String,
    nanos: Vec<u64>,
}

impl Measured {
    /// Lines of a store, an operation and its nanoseconds, with tabs between them.
    fn read(&mut self, program: &Program, line: &CommandLine, printed: &str) -> Result<()> {
        for text in printed.lines() {
            let mut words = text.split('\t');
            let row = || Some((words.next()?, words.next()?, words.next()?.parse().ok()?));
            let (store, operation, nanos) =
                { row }().ok_or_else(|| Error::Output { line: line.to_string(), what: "no times" })?;
            let known = self.rows.iter_mut().find(|row| row.store == store && row.operation == operation);
            match known {
                Some(row) => row.nanos.push(nanos),
                None => self.rows.push(Row {
                    program: program.clone(),
                    store: store.to_owned(),
                    operation: operation.to_owned(),
                    nanos: vec![nanos],
                }),
            }
        }
        Ok(())
    }

    fn print_limits(&self) {
        let mut table = Table::new(["what no store can do without", "us"].map(str::to_owned));
        for row in self.rows.iter().filter(|row| row.store == LIMIT) {
            table.row([row.operation.clone(), Spread::of(&row.nanos).micros()]);
        }
        table.print(&format!("limits of the machine, {SPREAD}"));
    }

    fn print_stores(&self) {
        let mut operations: Vec<&str> = Vec::new();
        let mut stores: Vec<&str> = Vec::new();
        for row in self.rows.iter().filter(|row| row.store != LIMIT) {
            if !operations.contains(&row.operation.as_str()) {
                operations.push(&row.operation);
            }
            if !stores.contains(&row.store.as_str()) {
                stores.push(&row.store);
            }
        }
        let header = ["store"].into_iter().chain(operations.iter().copied()).map(str::to_owned);
        let mut table = Table::new(header);
        for store in stores {
            let cells = operations.iter().map(|operation| {
                let row = self.rows.iter().find(|row| row.store == store && row.operation == *operation);
                row.map(|row| Spread::of(&row.nanos).micros()).unwrap_or_default()
            });
            table.row([store.to_owned()].into_iter().chain(cells));
        }
        table.print(&format!("stores with a file for each session of 1,009 bytes: us, {SPREAD}"));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_several_rounds_become_one_row() {
        let program = Program { words: Vec::new(), env: None };
        let line = CommandLine::new("files", ".");
        let mut measured = Measured::default();
        measured.read(&program, &line, "nexios\tload\t7000\nnexios\tcreate\t40000\n").unwrap();
        measured.read(&program, &line, "nexios\tload\t6000\n").unwrap();
        let rows: Vec<_> = measured.rows.iter().map(|row| (row.operation.as_str(), &row.nanos[..])).collect();
        assert_eq!(rows, [("load", &[7000, 6000][..]), ("create", &[40000][..])]);
        assert!(matches!(measured.read(&program, &line, "nexios\tload\tfast\n"), Err(Error::Output { .. })));
    }
}
