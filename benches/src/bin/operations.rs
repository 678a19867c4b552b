//! Repeats the requests of cases, so that a profiler can watch, or measures them with a clock.

use std::process::ExitCode;
use std::time::Instant;

use nexios_benches::Subject;

const USAGE: &str =
    "usage: operations list | operations repeat SUBJECT COUNT | operations time ROUNDS COUNT SUBJECT...";

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
        ["list"] => Subject::all().for_each(|subject| println!("{subject}")),
        ["repeat", subject, count] => repeat(Subject::named(subject)?, count.parse().ok()?),
        ["time", rounds, count, subjects @ ..] => {
            let subjects = subjects.iter().map(|name| Subject::named(name)).collect::<Option<Vec<_>>>()?;
            time(rounds.parse().ok()?, count.parse().ok()?, &subjects);
        }
        _ => return None,
    }
    Some(())
}

fn repeat(subject: Subject, count: usize) {
    subject.stack.framework().block_on(async { subject.prepare().await.repeat(count).await });
}

/// Prints a line for each subject in each round: its name and the nanoseconds of one request.
///
/// The subjects take turns, so that other work of the machine slows all of them down alike.
fn time(rounds: usize, count: usize, subjects: &[Subject]) {
    let Some(first) = subjects.first() else { return };
    let framework = first.stack.framework();
    assert!(subjects.iter().all(|it| it.stack.framework() == framework), "one framework at a time");
    framework.block_on(async {
        let mut prepared = Vec::new();
        for subject in subjects {
            prepared.push((subject, subject.prepare().await));
        }
        for _ in 0..rounds {
            for (subject, prepared) in &prepared {
                let start = Instant::now();
                prepared.repeat(count).await;
                println!("{subject} {}", start.elapsed().as_nanos() / count as u128);
            }
        }
    });
}
