//! The cost of a store's operations, beside that of the same system calls without a store, in the same run.
//!
//! ```console
//! $ cargo run --release -p nexios-store-file --example costs -- /var/tmp
//! ```
//!
//! With the name of an operation, the program does that operation once, between looks at `/begin` and `/end`. So you
//! can see its system calls:
//!
//! ```console
//! $ strace -f -e trace='!futex,mmap,munmap,mprotect,madvise,epoll_wait,epoll_pwait' \
//!       target/release/examples/costs /var/tmp update 2>&1 | sed -n '/"\/begin"/,/"\/end"/p'
//! ```

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement: it prints, and stops when anything fails")]

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nexios_store_core::{
    CreateOutcome, DeleteOutcome, Record, RenameOutcome, Revision, SessionId, SessionStore, Timestamp, TouchOutcome,
    UpdateOutcome,
};
use nexios_store_file::{Durability, FileStore};

const NOW: Timestamp = Timestamp::from_unix_millis(1_000_000);
const OPERATIONS: [&str; 16] = [
    "open+read+close",
    "a thread hop",
    "pwrite+fdatasync",
    "load, inline",
    "load",
    "update",
    "load+update",
    "touch",
    "create",
    "rename",
    "delete",
    "update, 4096-byte slots",
    "update, 8192-byte slots",
    "update, synced",
    "update, 8192-byte slots, synced",
    "create, synced",
];
const ROUNDS: usize = 15;
const PER_ROUND: usize = 100;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = env::args().skip(1);
    let parent = arguments.next().map_or_else(env::temp_dir, Into::into);
    let work = tempfile::tempdir_in(parent).unwrap();
    let mut bench = Bench::new(work.path().join("sessions"));
    bench.prepare().await;
    if let Some(operation) = arguments.next() {
        // Once before, so the threads and directories exist.
        bench.run(&operation).await;
        let _ = fs::metadata("/begin");
        bench.run(&operation).await;
        let _ = fs::metadata("/end");
        return;
    }
    let mut times: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    for _ in 0..ROUNDS {
        for operation in OPERATIONS {
            for _ in 0..PER_ROUND {
                let time = bench.run(operation).await;
                times.entry(operation).or_default().push(time);
            }
        }
    }
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let least = |operation: &str| micros(times[operation].iter().copied().min().unwrap());
    let (limit, hop) = (least(OPERATIONS[0]), least(OPERATIONS[1]));
    println!("{:<34} {:>9} {:>9} {:>12} {:>16}", "", "min us", "median us", "min - hop", "of open+read+close");
    for operation in OPERATIONS {
        let mut sorted = times[operation].clone();
        sorted.sort();
        let has_hop = !matches!(operation, "open+read+close" | "a thread hop" | "pwrite+fdatasync" | "load, inline");
        let hops = if operation == "load+update" { 2.0 } else { 1.0 };
        let own = least(operation) - if has_hop { hops * hop } else { 0.0 };
        let median = micros(sorted[sorted.len() / 2]);
        println!("{operation:<34} {:>9.1} {median:>9.1} {own:>12.1} {:>16.1}", least(operation), own / limit);
    }
}

struct Bench {
    dir: PathBuf,
    fast: FileStore,
    inline: FileStore,
    synced: FileStore,
    kinds: BTreeMap<&'static str, Kind>,
    next: usize,
}

/// Sessions of one size, which exist all the time.
struct Kind {
    sessions: Vec<(SessionId, Revision)>,
    len: usize,
}

/// The sizes of payloads. Updates go round the sessions of a size, as those of many visitors do.
const KINDS: [(&str, usize); 3] = [("1 KB", 1024), ("4096-byte slots", 3000), ("8192-byte slots", 5000)];
const SESSIONS: usize = 500;

impl Bench {
    fn new(dir: PathBuf) -> Self {
        let fast = FileStore::builder(&dir).open().unwrap();
        let inline = FileStore::builder(&dir).inline_reads(true).open().unwrap();
        let synced = FileStore::builder(&dir).durability(Durability::Synced).open().unwrap();
        Self { dir, fast, inline, synced, kinds: BTreeMap::new(), next: 0 }
    }

    async fn prepare(&mut self) {
        for (kind, len) in KINDS {
            let mut sessions = Vec::new();
            for _ in 0..SESSIONS {
                let id = SessionId::generate().unwrap();
                sessions.push((id, created(self.fast.create(&id, &record(len), NOW).await.unwrap())));
            }
            self.kinds.insert(kind, Kind { sessions, len });
        }
        assert!(std::process::Command::new("sync").status().unwrap().success());
    }

    /// Does the operation once. Returns the time it took, without its preparation.
    async fn run(&mut self, operation: &str) -> Duration {
        self.next += 1;
        let (kind, store) = match operation {
            "update, 4096-byte slots" => ("4096-byte slots", &self.fast),
            "update, 8192-byte slots" => ("8192-byte slots", &self.fast),
            "update, 8192-byte slots, synced" => ("8192-byte slots", &self.synced),
            "update, synced" | "create, synced" => ("1 KB", &self.synced),
            _ => ("1 KB", &self.fast),
        };
        let Kind { sessions, len } = self.kinds.get_mut(kind).unwrap();
        let (id, revision) = &mut sessions[self.next * 7 % SESSIONS];
        let (record, new) = (record(*len), SessionId::generate().unwrap());
        match operation {
            "open+read+close" => {
                let path = path(&self.dir, id);
                let begun = Instant::now();
                let mut buffer = [0; 4096];
                let file = fs::File::open(path).unwrap();
                assert_eq!(file.read_at(&mut buffer, 0).unwrap(), 4096);
                drop(file);
                begun.elapsed()
            }
            "a thread hop" => {
                let begun = Instant::now();
                tokio::task::spawn_blocking(|| ()).await.unwrap();
                begun.elapsed()
            }
            "pwrite+fdatasync" => {
                // Writes the same bytes again into the file of a session.
                let file = OpenOptions::new().read(true).write(true).open(path(&self.dir, id)).unwrap();
                let mut slot = [0; 2048];
                file.read_exact_at(&mut slot, 0).unwrap();
                let begun = Instant::now();
                file.write_all_at(&slot, 0).unwrap();
                file.sync_data().unwrap();
                begun.elapsed()
            }
            "load, inline" => {
                let begun = Instant::now();
                assert!(self.inline.load(id, NOW).await.unwrap().is_some());
                begun.elapsed()
            }
            "load" => {
                let begun = Instant::now();
                assert!(store.load(id, NOW).await.unwrap().is_some());
                begun.elapsed()
            }
            "load+update" => {
                let begun = Instant::now();
                let stored = store.load(id, NOW).await.unwrap().unwrap();
                *revision = updated(store.update(id, stored.revision, &record, NOW).await.unwrap());
                begun.elapsed()
            }
            "touch" => {
                let expires_at = Timestamp::from_unix_millis(1_000_000_000_000 + self.next as u64);
                let begun = Instant::now();
                assert_eq!(store.touch(id, *revision, expires_at, NOW).await.unwrap(), TouchOutcome::Touched);
                begun.elapsed()
            }
            "create" | "create, synced" => {
                let begun = Instant::now();
                let outcome = store.create(&new, &record, NOW).await.unwrap();
                let took = begun.elapsed();
                created(outcome);
                assert_eq!(store.delete(&new).await.unwrap(), DeleteOutcome::Deleted);
                took
            }
            "rename" => {
                let begun = Instant::now();
                let renamed = store.rename(id, *revision, &new, &record, NOW).await.unwrap();
                let took = begun.elapsed();
                let RenameOutcome::Renamed(next) = renamed else { unreachable!("nobody else is here") };
                (*id, *revision) = (new, next);
                took
            }
            "delete" => {
                created(store.create(&new, &record, NOW).await.unwrap());
                let begun = Instant::now();
                assert_eq!(store.delete(&new).await.unwrap(), DeleteOutcome::Deleted);
                begun.elapsed()
            }
            _ => {
                assert!(operation.starts_with("update"), "there is no operation {operation}");
                let begun = Instant::now();
                *revision = updated(store.update(id, *revision, &record, NOW).await.unwrap());
                begun.elapsed()
            }
        }
    }
}

fn record(len: usize) -> Record {
    Record {
        payload: vec![b'x'; len].into(),
        expires_at: Timestamp::from_unix_millis(1_000_000_000_000),
        principal: None,
    }
}

fn created(outcome: CreateOutcome) -> Revision {
    let CreateOutcome::Created(revision) = outcome else { unreachable!("the id is new") };
    revision
}

fn updated(outcome: UpdateOutcome) -> Revision {
    let UpdateOutcome::Updated(revision) = outcome else { unreachable!("nobody else is here") };
    revision
}

fn path(dir: &std::path::Path, id: &SessionId) -> PathBuf {
    let name = String::from_utf8(id.to_hex().to_vec()).unwrap();
    dir.join(&name[..2]).join(name)
}
