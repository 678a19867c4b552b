//! The time of a sweep through many sessions, half of which have expired, beside bare unlinks of as many files.
//!
//! ```console
//! $ cargo run --release -p nexios-store-file --example sweep_at_scale -- 100000 /var/tmp
//! ```
//!
//! The program works in the directory that you name. A million sessions take 6 GB there. It removes everything at the
//! end.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement: it prints, and stops when anything fails")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, num::NonZeroUsize};

use nexios_store_core::{CreateOutcome, DeleteExpired, Record, SessionId, SessionStore, Timestamp};
use nexios_store_file::FileStore;

const NOW: Timestamp = Timestamp::from_unix_millis(1_000_000);
const EXPIRY: Timestamp = Timestamp::from_unix_millis(2_000_000);
const LATER: Timestamp = Timestamp::from_unix_millis(3_000_000);
/// The limit that the background sweeper uses.
const STEP: NonZeroUsize = NonZeroUsize::new(500).unwrap();
const TASKS: u64 = 8;

#[tokio::main]
async fn main() {
    let mut arguments = env::args().skip(1);
    let count: u64 = arguments.next().map_or(100_000, |count| count.parse().unwrap());
    let parent = arguments.next().map_or_else(env::temp_dir, Into::into);
    let work = tempfile::tempdir_in(parent).unwrap();
    let store = Arc::new(FileStore::builder(work.path().join("sessions")).inline_reads(true).open().unwrap());

    let begun = Instant::now();
    create(&store, count).await;
    row("sessions made, half of which expire", count, begun.elapsed());
    let bare = work.path().join("bare");
    create(&Arc::new(FileStore::open(&bare).unwrap()), count).await;
    let expired = (0..count).filter(|number| expires(*number)).count() as u64;
    // Removing files that were never written out would be another measurement.
    assert!(Command::new("sync").status().unwrap().success());

    let begun = Instant::now();
    remove_bare_files(&bare, count);
    let bare = begun.elapsed();
    row("bare unlinks of what expires in another directory like it", expired, bare);

    // Resets the peak of memory.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let memory_before = peak_memory();
    let (sweep, removed) = sweep(&store, count).await;
    println!("peak memory: {memory_before} KiB before the sweep, {} KiB after it", peak_memory());
    println!("the sweep took {:.2} times as long as the bare unlinks", sweep.as_secs_f64() / bare.as_secs_f64());

    assert_eq!(removed, expired, "all expired ones were removed");
    let begun = Instant::now();
    for number in 0..count {
        let is_there = store.load(&id(number), NOW).await.unwrap().is_some();
        assert_eq!(is_there, !expires(number), "the expired ones are gone, and no other");
    }
    row("looked for afterwards, all as they must be", count, begun.elapsed());
}

async fn create(store: &Arc<FileStore>, count: u64) {
    let create = |task: u64| {
        let store = Arc::clone(store);
        async move {
            for number in (task..count).step_by(usize::try_from(TASKS).unwrap()) {
                let expires_at = if expires(number) { EXPIRY } else { Timestamp::MAX };
                let record = Record { payload: vec![b'x'; 1024].into(), expires_at, principal: None };
                let outcome = store.create(&id(number), &record, NOW).await.unwrap();
                assert!(matches!(outcome, CreateOutcome::Created(_)));
            }
        }
    };
    let tasks: Vec<_> = (0..TASKS).map(|task| tokio::spawn(create(task))).collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// Sweeps until a pass finds nothing.
async fn sweep(store: &FileStore, count: u64) -> (Duration, u64) {
    let (begun, mut longest, mut removed) = (Instant::now(), Duration::ZERO, 0);
    for pass in 1.. {
        let (pass_begun, mut removed_now, mut steps) = (Instant::now(), 0, 0);
        loop {
            let step = Instant::now();
            let swept = store.delete_expired(LATER, STEP).await.unwrap();
            longest = longest.max(step.elapsed());
            removed_now += swept.removed as u64;
            steps += 1;
            if !swept.more {
                break;
            }
        }
        row(
            &format!("pass {pass}: {removed_now} removed in {steps} steps; files seen"),
            count - removed,
            pass_begun.elapsed(),
        );
        removed += removed_now;
        if removed_now == 0 {
            break;
        }
    }
    let took = begun.elapsed();
    row("the sweep in all: removed", removed, took);
    println!("longest step: {:.1} ms", longest.as_secs_f64() * 1e3);
    (took, removed)
}

/// Removes files by their names and without a look at them, directory by directory as the sweep does.
fn remove_bare_files(dir: &Path, count: u64) {
    for directory in 0..256 {
        for number in (directory..count).step_by(256).filter(|number| expires(*number)) {
            let hex = id(number).to_hex();
            let name = str::from_utf8(&hex).unwrap();
            fs::remove_file(dir.join(&name[..2]).join(name)).unwrap();
        }
    }
}

/// Returns whether a session expires, which every second one in each directory does.
const fn expires(number: u64) -> bool {
    (number / 256).is_multiple_of(2)
}

/// Returns the id of a number. The ids are not kept, so the memory that is measured is the sweep's.
fn id(number: u64) -> SessionId {
    let mut bytes = [0; 16];
    bytes[0] = number.to_le_bytes()[0];
    bytes[1..9].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    SessionId::from_bytes(bytes)
}

fn row(what: &str, count: u64, took: Duration) {
    let each = took / u32::try_from(count.max(1)).unwrap();
    let per_second = 1e9 / each.as_nanos().max(1) as f64;
    let micros = each.as_secs_f64() * 1e6;
    println!(
        "{what:<58} {count:>9} in {:>7.2} s: {micros:>7.1} us each, {per_second:>7.0} a second",
        took.as_secs_f64()
    );
}

/// Returns the most memory that this process has used, in KiB.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
