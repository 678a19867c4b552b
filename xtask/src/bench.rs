//! `cargo xtask bench`: measures what a request costs.
//!
//! The package `benches`, which is outside of the workspace, measures and reports. This task installs the programs that
//! a bench needs, builds the package, and starts it.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{
    command_line::CommandLine,
    error::{Error, Result},
    test_programs::{Program, STRACE, VALGRIND, WRK, ensure_installed},
};

/// One bench, as the usage shows it.
struct Bench {
    /// The words that ask for it, and the options that may follow.
    call: &'static str,
    about: &'static str,
    /// The programs that it starts and that are not in the package.
    needs: &'static [Program],
    /// Set if other session layers are built too.
    has_peers: bool,
}

/// Every bench.
const BENCHES: &[Bench] = &[
    bench("[--dir DIR] [--sessions N]", "requests, http and files, in one run").needs(&[STRACE, VALGRIND, WRK]).peers(),
    bench("requests", "in process, beside other session layers").needs(&[STRACE, VALGRIND]).peers(),
    bench("requests --only ours", "the same, without building the others").needs(&[STRACE, VALGRIND]),
    bench("http", "requests per second over loopback").needs(&[WRK]).peers(),
    bench("files [--dir DIR] [--sessions N]", "stores with a file for each session").needs(&[STRACE]).peers(),
    bench("growth [--dir DIR] [--sessions N]", "with sizes, values, sessions, clients and keys"),
    bench("memory", "bytes for each session in the store in memory"),
    // It has no `--sessions`: the number of its requests decides how many there are.
    bench("safeties [--dir DIR]", "with and without encryption at rest and synced files"),
    GATE,
    bench("--gate --update", "writes the numbers of the gate down").needs(&[STRACE, VALGRIND]),
];

const GATE: Bench = bench("--gate", "fails if a request has become dearer").needs(&[STRACE, VALGRIND]);

const fn bench(call: &'static str, about: &'static str) -> Bench {
    Bench { call, about, needs: &[], has_peers: false }
}

/// Runs the bench that the arguments ask for.
pub(crate) fn run(root: &Path, args: &[String]) -> Result<()> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match BENCHES.iter().find(|bench| bench.takes(&args)) {
        Some(bench) => bench.run(root, &args),
        None => Err(Error::Usage(usage())),
    }
}

/// Checks the package as `ci` checks the workspace, and fails if a request has become dearer.
///
/// The other session layers are left out: you only build them if you measure them.
pub(crate) fn check(root: &Path) -> Result<()> {
    CommandLine::cargo("fmt --check --manifest-path benches/Cargo.toml", root).run()?;
    cargo(root, "clippy --all-targets").args(["--", "-D", "warnings"]).run()?;
    cargo(root, "test --lib --bin report").run()?;
    GATE.run(root, &["--gate"])
}

impl Bench {
    const fn needs(self, needs: &'static [Program]) -> Self {
        Self { needs, ..self }
    }

    const fn peers(self) -> Self {
        Self { has_peers: true, ..self }
    }

    fn takes(&self, args: &[&str]) -> bool {
        let mut parts = self.call.split('[');
        let words: Vec<&str> = parts.next().unwrap_or_default().split_whitespace().collect();
        let options: Vec<&str> = parts.filter_map(|option| option.split(' ').next()).collect();
        let is_option = |pair: &[&str]| matches!(pair, [option, _] if options.contains(option));
        args.strip_prefix(&words[..]).is_some_and(|rest| rest.chunks(2).all(is_option))
    }

    fn run(&self, root: &Path, args: &[&str]) -> Result<()> {
        ensure_installed(root, self.needs)?;
        let features = if self.has_peers { "peers" } else { "" };
        cargo(root, "build").args([format!("--features={features}")]).run()?;
        let report = target(root).join("release/report");
        CommandLine::new(&report.to_string_lossy(), root).args(args.iter().copied()).run()
    }
}

fn cargo(root: &Path, args: &str) -> CommandLine {
    CommandLine::cargo(args, root)
        .args(["--release", "--locked", "--manifest-path", "benches/Cargo.toml"])
        .args([format!("--target-dir={}", target(root).display())])
}

/// Returns a folder beside the workspace's own build, which has other versions and features of the same packages.
fn target(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from).join("benches")
}

fn usage() -> String {
    let lines = BENCHES.iter().map(|bench| format!("\n    {:<36}{}", bench.call, bench.about));
    format!("cargo xtask bench with one of{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bench_is_found_by_its_words_and_options() {
        for (args, call) in [
            ("", "[--dir DIR] [--sessions N]"),
            ("--dir /var/tmp --sessions 5", "[--dir DIR] [--sessions N]"),
            ("requests", "requests"),
            ("requests --only ours", "requests --only ours"),
            ("files --sessions 5 --dir /var/tmp", "files [--dir DIR] [--sessions N]"),
            ("safeties --dir /var/tmp", "safeties [--dir DIR]"),
            ("--gate", "--gate"),
            ("--gate --update", "--gate --update"),
        ] {
            let args: Vec<&str> = args.split_whitespace().collect();
            let found: Vec<&str> = BENCHES.iter().filter(|bench| bench.takes(&args)).map(|bench| bench.call).collect();
            assert_eq!(found, [call], "{args:?}");
        }
    }

    #[test]
    fn anything_else_is_answered_with_the_usage() {
        for args in ["request", "memory --dir /var/tmp", "safeties --sessions 5", "files --dir", "--gate --dir /"] {
            let args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
            let Err(Error::Usage(usage)) = run(Path::new("no/such/root"), &args) else { panic!("{args:?}") };
            assert!(usage.contains("\n    files [--dir DIR] [--sessions N]    stores"), "{usage}");
        }
    }
}
