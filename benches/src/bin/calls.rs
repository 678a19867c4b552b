//! Makes requests, or operations of a file store, while another program watches the system calls of this process.
//!
//! The process looks at the file `/begin` before the calls that count, and at the file `/end` after them. Neither file
//! has to exist.

use std::process::ExitCode;

use nexios_benches::{FileOperation, Subject};

const USAGE: &str = "usage: calls list | calls NAME COUNT, where NAME is a subject or an operation of a file store";
/// Requests before the measurement: after them, threads run and tables have grown.
const WARM_UP: usize = 100;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
        Some(()) => ExitCode::SUCCESS,
        None => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &[&str]) -> Option<()> {
    match args {
        ["list"] => FileOperation::ALL.iter().for_each(|operation| println!("{}", operation.name())),
        [name, count] => {
            // The first look at a missing file takes one call more, which asks what the system can do.
            mark("/warm-up");
            let count = count.parse().ok()?;
            match FileOperation::named(name) {
                Some(operation) => file_store(operation, count),
                None => requests(Subject::named(name)?, count),
            }
        }
        _ => return None,
    }
    Some(())
}

fn requests(subject: Subject, count: usize) {
    subject.stack.framework().block_on(async {
        let prepared = subject.prepare().await;
        prepared.repeat(WARM_UP).await;
        mark("/begin");
        prepared.repeat(count).await;
        mark("/end");
    });
}

fn file_store(operation: FileOperation, count: usize) {
    let dir = tempfile::tempdir().expect("a directory to work in");
    // There is one blocking thread, and no driver for input and output. Their system calls would depend on who is
    // faster.
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().expect("a runtime");
    runtime.block_on(async {
        let sessions = dir.path().join("sessions");
        operation.prepare(&sessions, 1).await.run().await;
        let prepared = operation.prepare(&sessions, count).await;
        mark("/begin");
        prepared.run().await;
        mark("/end");
    });
}

fn mark(path: &str) {
    // An error is fine: the call has been made.
    let _ = std::fs::metadata(path);
}
