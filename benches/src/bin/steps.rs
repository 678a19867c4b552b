//! Counts the instructions that requests take on the processor at hand: it lets a process make them one at a time.
//!
//! callgrind counts on a processor of its own, which has no SHA extensions. This program counts what really runs, but
//! only in the thread that makes the requests.

use std::env;
use std::process::{Command, ExitCode};

use nexios_benches::Subject;
use nix::sys::ptrace;
use nix::sys::signal::{Signal, raise};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

/// Requests before the measurement: after them, tables have grown and allocators are warm.
const WARM_UP: usize = 100;
/// Two numbers of requests. The work between the stops that no request causes is the same for both, so the difference
/// does not have it.
const FEW: usize = 1;
const MANY: usize = 3;

/// Prints a line for each subject that does all its work in one thread: its name and the instructions of one request.
fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    match &args[..] {
        [flag, name, count] if flag == BE_STEPPED => {
            be_stepped(Subject::named(name).expect("a subject"), count.parse().expect("a number"));
        }
        names => {
            for name in names {
                let Some(subject) = Subject::named(name) else {
                    eprintln!("there is no `{name}`");
                    return ExitCode::from(2);
                };
                if subject.stack.is_single_threaded() {
                    println!("{subject} {}", (steps(subject, MANY) - steps(subject, FEW)) / (MANY - FEW));
                }
            }
        }
    }
    ExitCode::SUCCESS
}

/// Makes `count` requests between two stops.
fn be_stepped(subject: Subject, count: usize) {
    subject.stack.framework().block_on(async {
        let prepared = subject.prepare().await;
        prepared.repeat(WARM_UP).await;
        ptrace::traceme().expect("the parent may trace this process");
        raise(Signal::SIGSTOP).expect("a stop");
        prepared.repeat(count).await;
        raise(Signal::SIGSTOP).expect("a stop");
    });
}

/// Counts the instructions that another process takes from one stop to the next.
fn steps(subject: Subject, count: usize) -> usize {
    let program = env::current_exe().expect("this program");
    let mut child =
        Command::new(program).args([BE_STEPPED, &subject.to_string(), &count.to_string()]).spawn().expect("a child");
    let pid = Pid::from_raw(child.id().try_into().expect("an id"));
    assert_eq!(waitpid(pid, None), Ok(WaitStatus::Stopped(pid, Signal::SIGSTOP)), "{subject}");
    let mut steps = 0;
    loop {
        ptrace::step(pid, None).expect("a step");
        match waitpid(pid, None) {
            Ok(WaitStatus::Stopped(_, Signal::SIGTRAP)) => steps += 1,
            Ok(WaitStatus::Stopped(_, Signal::SIGSTOP)) => break,
            other => panic!("{subject}: {other:?}"),
        }
    }
    child.kill().expect("it can be ended");
    child.wait().expect("it ends");
    steps
}

const BE_STEPPED: &str = "--be-stepped";
