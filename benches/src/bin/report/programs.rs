use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;
use std::process::Command;

use nexios_benches::{FileOperation, Subject};

use crate::command::output;
use crate::error::{Error, Result};
use crate::system_calls;

/// The measuring programs of this package.
pub(crate) struct Programs {
    /// The directory of the programs. Packages of other languages are kept below it.
    pub(crate) dir: PathBuf,
}

/// The counts of one request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Counts {
    pub(crate) allocations: f64,
    /// `load 1, update 1` or the like, `-` for none, and `?` if they cannot be counted.
    pub(crate) store_calls: String,
}

impl Programs {
    /// Finds the programs that were built together with this one.
    pub(crate) fn beside_this() -> Result<Self> {
        let this = env::current_exe().map_err(|source| Error::Read { path: "/proc/self/exe".into(), source })?;
        Ok(Self { dir: this.with_file_name("") })
    }

    /// Returns the names of all subjects, `framework/layer/case`.
    pub(crate) fn subjects(&self) -> Vec<String> {
        Subject::all().map(|subject| subject.to_string()).collect()
    }

    /// Counts the instructions of one request: the difference between 500 and 100 requests under callgrind, divided by
    /// 400.
    pub(crate) fn instructions(&self, subject: &str) -> Result<u64> {
        let (few, many) = (100, 500);
        let difference = self.collected(subject, many)?.saturating_sub(self.collected(subject, few)?);
        Ok(difference / (many - few))
    }

    fn collected(&self, subject: &str, requests: u64) -> Result<u64> {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        valgrind.arg(self.path("operations")).args(["repeat", subject, &requests.to_string()]);
        let output = output(&mut valgrind)?;
        // `==4711== Collected : 27182818`
        let collected = output.stderr.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
        collected.ok_or_else(|| output.unexpected("no count of instructions"))
    }

    /// Counts the instructions of one request on the processor at hand. Subjects that use several threads have no
    /// number.
    pub(crate) fn steps(&self, subjects: &[String]) -> Result<BTreeMap<String, u64>> {
        let output = output(self.program("steps").args(subjects))?;
        let steps = output.stdout.lines().map(|line| {
            let (subject, steps) = line.split_once(' ')?;
            Some((subject.to_owned(), steps.parse().ok()?))
        });
        steps.collect::<Option<_>>().ok_or_else(|| output.unexpected("no count of instructions"))
    }

    /// Counts the allocations of each subject and its calls of the store.
    pub(crate) fn counts(&self, subjects: &[String]) -> Result<BTreeMap<String, Counts>> {
        let output = output(self.program("counts").args(subjects))?;
        output.stdout.lines().map(counts).collect::<Option<_>>().ok_or_else(|| output.unexpected("no counts"))
    }

    /// Returns the names of the operations of a file store whose system calls can be counted.
    pub(crate) fn file_operations(&self) -> Vec<&'static str> {
        FileOperation::ALL.map(FileOperation::name).to_vec()
    }

    /// Counts the system calls of one request or of one operation of a file store: `close 1, openat 1` or the like, `-`
    /// for none.
    pub(crate) fn system_calls(&self, name: &str) -> Result<String> {
        let count = 100;
        let mut program = self.program("calls");
        program.args([name, &count.to_string()]);
        system_calls_of(&program, count)
    }

    /// Measures the nanoseconds of one request of each subject in each round. The subjects take turns.
    pub(crate) fn times(&self, subjects: &[String]) -> Result<BTreeMap<String, Vec<u64>>> {
        let output = output(self.program("operations").args(["time", ROUNDS, REQUESTS_A_ROUND]).args(subjects))?;
        let mut times: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for (subject, nanos) in output.stdout.lines().filter_map(|line| line.split_once(' ')) {
            let nanos = nanos.parse().map_err(|_| output.unexpected("no times"))?;
            times.entry(subject.to_owned()).or_default().push(nanos);
        }
        Ok(times)
    }

    pub(crate) fn program(&self, name: &str) -> Command {
        Command::new(self.path(name))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// Counts the system calls of one operation of a program that does `count` operations between looks at `/begin` and at
/// `/end`.
pub(crate) fn system_calls_of(program: &Command, count: usize) -> Result<String> {
    let mut strace = Command::new("strace");
    strace.args(["--follow-forks", "--quiet=all", &format!("--trace=!{OF_THREADS_AND_MEMORY}")]);
    strace.arg(program.get_program()).args(program.get_args());
    // strace hands its environment on.
    strace.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = output(&mut strace)?;
    let calls = system_calls::of_each(&output.stderr, count);
    calls.ok_or_else(|| output.unexpected("nothing between `/begin` and `/end`"))
}

/// Reads a line: the name, the allocations, the calls of the store.
fn counts(line: &str) -> Option<(String, Counts)> {
    let mut words = line.splitn(3, ' ');
    let subject = words.next()?.to_owned();
    Some((subject, Counts { allocations: words.next()?.parse().ok()?, store_calls: words.next()?.to_owned() }))
}

/// The system calls that wait for threads and get memory. Their number depends on the moment.
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
