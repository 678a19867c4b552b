//! `cargo xtask bench`: what a request costs.
//!
//! The package `benches`, outside of the workspace, measures and reports. Here the programs that it needs are installed, and
//! it is built and started.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{
    command_line::CommandLine,
    error::{Error, Result},
    test_programs,
};

/// One bench, as the usage shows it.
struct Bench {
    /// The words that ask for it, and the options that may follow.
    call: &'static str,
    /// Whether other session layers are built too.
    peers: bool,
    about: &'static str,
}

/// Every bench there is.
const BENCHES: &[Bench] = &[
    Bench { call: "[--dir DIR] [--sessions N]", peers: true, about: "the three that follow, one after the other" },
    Bench { call: "requests", peers: true, about: "requests in process, beside other session layers" },
    Bench { call: "http", peers: true, about: "requests per second over loopback" },
    Bench { call: "files [--dir DIR] [--sessions N]", peers: true, about: "stores with a file for each session" },
    Bench { call: "requests --only ours", peers: false, about: "requests in process, the others not built" },
    Bench { call: "growth [--dir DIR] [--sessions N]", peers: false, about: "what grows, and how fast" },
    Bench { call: "memory", peers: false, about: "bytes for each session in memory" },
    // How many sessions there are is how many requests it makes.
    Bench { call: "safeties [--dir DIR]", peers: false, about: "encryption at rest and synced files" },
    GATE,
    Bench { call: "--gate --update", peers: false, about: "writes down what a request costs now" },
];

const GATE: Bench = Bench { call: "--gate", peers: false, about: "fails if a request has become dearer" };

/// Measures, and reports what was measured.
pub(crate) fn run(root: &Path, args: &[String]) -> Result<()> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match BENCHES.iter().find(|bench| bench.takes(&args)) {
        Some(bench) => bench.run(root, &args),
        None => Err(Error::Usage(usage())),
    }
}

/// Fails if a request has become dearer.
pub(crate) fn gate(root: &Path) -> Result<()> {
    GATE.run(root, &["--gate"])
}

impl Bench {
    fn takes(&self, args: &[&str]) -> bool {
        let mut parts = self.call.split('[');
        let words: Vec<&str> = parts.next().unwrap_or_default().split_whitespace().collect();
        let options: Vec<&str> = parts.filter_map(|option| option.split(' ').next()).collect();
        let is_option = |pair: &[&str]| matches!(pair, [option, _] if options.contains(option));
        args.strip_prefix(&words[..]).is_some_and(|rest| rest.chunks(2).all(is_option))
    }

    fn run(&self, root: &Path, args: &[&str]) -> Result<()> {
        test_programs::ensure_installed_for_benches(root)?;
        let features = if self.peers { "peers" } else { "" };
        let target = target(root);
        CommandLine::cargo("build --release --locked --manifest-path benches/Cargo.toml", root)
            .args([format!("--features={features}"), format!("--target-dir={}", target.display())])
            .run()?;
        CommandLine::new(&target.join("release/report").to_string_lossy(), root).args(args.iter().copied()).run()
    }
}

/// Beside the workspace's own build, which has other versions and features of the same packages.
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
