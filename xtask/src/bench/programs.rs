use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
};

use super::system_calls;
use crate::{
    command_line::CommandLine,
    error::{Error, Result},
};

/// The programs of the package `benches`, built.
pub(super) struct Programs {
    pub(super) root: PathBuf,
    /// Where they are, and where what they need may be kept.
    pub(super) dir: PathBuf,
}

/// Whether other session layers are built too.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Peers {
    With,
    Without,
}

/// What was counted of one request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Counts {
    pub(super) allocations: f64,
    /// `load 1, update 1` or the like; `-` for none, and `?` where it cannot be seen.
    pub(super) store_calls: String,
}

impl Programs {
    pub(super) fn build(root: &Path, peers: Peers) -> Result<Self> {
        // Beside the workspace's own build, which has other versions and features of the same packages.
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from).join("benches");
        let features = if peers == Peers::With { "peers" } else { "" };
        CommandLine::cargo("build --release --locked --manifest-path benches/Cargo.toml", root)
            .args([format!("--features={features}"), format!("--target-dir={}", target.display())])
            .run()?;
        Ok(Self { root: root.to_path_buf(), dir: target.join("release") })
    }

    /// The names of all subjects, which are `framework/layer/case`.
    pub(super) fn subjects(&self) -> Result<Vec<String>> {
        let output = self.program("operations").args(["list"]).output()?;
        Ok(output.stdout.lines().map(str::to_owned).collect())
    }

    /// The instructions of one request: what 500 take more than 100 under callgrind.
    pub(super) fn instructions(&self, subject: &str) -> Result<u64> {
        let (few, many) = (100, 500);
        let difference = self.collected(subject, many)?.saturating_sub(self.collected(subject, few)?);
        Ok(difference / (many - few))
    }

    fn collected(&self, subject: &str, requests: u64) -> Result<u64> {
        let line = CommandLine::new("valgrind", &self.root)
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .args([self.path("operations"), "repeat".to_owned(), subject.to_owned(), requests.to_string()]);
        let output = line.output()?;
        // `==4711== Collected : 27182818`
        let collected = output.stderr.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
        collected.ok_or_else(|| Error::Output { line: line.to_string(), what: "no count of instructions" })
    }

    /// The same as the processor at hand takes them, without those that are done in several threads.
    pub(super) fn steps(&self, subjects: &[String]) -> Result<BTreeMap<String, u64>> {
        let line = self.program("steps").args(subjects);
        let output = line.output()?;
        let steps = output.stdout.lines().map(|line| {
            let (subject, steps) = line.split_once(' ')?;
            Some((subject.to_owned(), steps.parse().ok()?))
        });
        let steps: Option<_> = steps.collect();
        steps.ok_or_else(|| Error::Output { line: line.to_string(), what: "no count of instructions" })
    }

    /// What these allocate and what they ask the store, by their names.
    pub(super) fn counts(&self, subjects: &[String]) -> Result<BTreeMap<String, Counts>> {
        let line = self.program("counts").args(subjects);
        let output = line.output()?;
        let counts: Option<_> = output.stdout.lines().map(counts).collect();
        counts.ok_or_else(|| Error::Output { line: line.to_string(), what: "no counts" })
    }

    /// The names of the operations of a file store whose system calls can be counted.
    pub(super) fn file_operations(&self) -> Result<Vec<String>> {
        let output = self.program("calls").args(["list"]).output()?;
        Ok(output.stdout.lines().map(str::to_owned).collect())
    }

    /// The system calls of one request, or of one operation of a file store: `close 1, openat 1` or the like, `-` for none.
    pub(super) fn system_calls(&self, name: &str) -> Result<String> {
        let count = 100;
        let program = [self.path("calls"), name.to_owned(), count.to_string()];
        self.system_calls_of(&CommandLine::new("strace", &self.root), &program, count)
    }

    /// The same of a program that does so many operations between looks at `/begin` and at `/end`.
    ///
    /// `strace` may have an environment; it hands it on.
    pub(super) fn system_calls_of(&self, strace: &CommandLine, program: &[String], count: usize) -> Result<String> {
        let line = strace
            .clone()
            .args(["--follow-forks", "--quiet=all", &format!("--trace=!{OF_THREADS_AND_MEMORY}")])
            .args(program);
        let output = line.output()?;
        let calls = system_calls::of_each(&output.stderr, count);
        calls.ok_or_else(|| Error::Output { line: line.to_string(), what: "nothing between `/begin` and `/end`" })
    }

    /// The nanoseconds of one request in each of some rounds, in which these take turns.
    pub(super) fn times(&self, subjects: &[String]) -> Result<BTreeMap<String, Vec<u64>>> {
        let line = self.program("operations").args(["time", ROUNDS, REQUESTS_A_ROUND]).args(subjects);
        let output = line.output()?;
        let mut times: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for (subject, nanos) in output.stdout.lines().filter_map(|line| line.split_once(' ')) {
            let nanos = nanos.parse().map_err(|_| Error::Output { line: line.to_string(), what: "no times" })?;
            times.entry(subject.to_owned()).or_default().push(nanos);
        }
        Ok(times)
    }

    pub(super) fn program(&self, name: &str) -> CommandLine {
        CommandLine::new(&self.path(name), &self.root)
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.dir.join(name).to_string_lossy().into_owned()
    }
}

/// One line: name, allocations, calls of the store.
fn counts(line: &str) -> Option<(String, Counts)> {
    let mut words = line.splitn(3, ' ');
    let subject = words.next()?.to_owned();
    Some((subject, Counts { allocations: words.next()?.parse().ok()?, store_calls: words.next()?.to_owned() }))
}

/// System calls by which threads wait and memory comes, whose number depends on the moment.
const OF_THREADS_AND_MEMORY: &str =
    "futex,sched_yield,epoll_wait,epoll_pwait,mmap,munmap,mremap,mprotect,madvise,brk,clock_gettime";
const ROUNDS: &str = "31";
const REQUESTS_A_ROUND: &str = "300";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_counts_is_read() {
        let read = counts("axum/nexios/write-300 51.0 load 1, update 1");
        let expected = Counts { allocations: 51.0, store_calls: "load 1, update 1".to_owned() };
        assert_eq!(read, Some(("axum/nexios/write-300".to_owned(), expected)));
        assert_eq!(counts("axum/nexios/write-300 many load 1"), None);
    }
}
