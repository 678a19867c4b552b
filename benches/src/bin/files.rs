//! Measures stores that keep each session in a file, in turns with the system calls that all of them need.
//!
//! The programs in `others` measure stores of other languages. They take the same arguments and print the same lines.

use std::ops::Range;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use nexios_benches::payload::{self, Size, VISITS};
use nexios_benches::session_files::{Bare, Nexios, SessionFiles, Sweep, count_files};
#[cfg(feature = "peers")]
use nexios_benches::session_files::{TowerFileStore, TowerFsStore};

const USAGE: &str = "usage: files values | files operations DIR BATCHES COUNT | files sweep DIR COUNT
     | files calls STORE OPERATION DIR COUNT";
/// Batches that are not printed. A store makes in them what it makes only once.
const WARM_UP: usize = 4;

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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    match args {
        // For the programs of other languages.
        ["values"] => println!("{}", serde_json::Value::Object(payload::map(Size::OfFile))),
        ["operations", dir, batches, count] => {
            runtime.block_on(operations(Path::new(dir), batches.parse().ok()?, count.parse().ok()?));
        }
        ["sweep", dir, count] => runtime.block_on(sweeps(Path::new(dir), count.parse().ok()?)),
        ["calls", store, operation, dir, count] => {
            let dir = Path::new(dir).join("sessions");
            runtime.block_on(calls(store, Operation::named(operation)?, &dir, count.parse().ok()?))?;
        }
        _ => return None,
    }
    Some(())
}

/// Measures the stores in turns, so that other work of the machine slows all of them down alike.
async fn operations(dir: &Path, batches: usize, count: usize) {
    let mut bare = Bare::new(&dir.join("bare"));
    let mut nexios = Nexios::<false>::new(&dir.join("nexios"));
    let mut synced = Nexios::<true>::new(&dir.join("nexios-synced"));
    #[cfg(feature = "peers")]
    let mut fs_store = TowerFsStore::new(&dir.join("fs-store"));
    #[cfg(feature = "peers")]
    let mut file_store = TowerFileStore::new(&dir.join("file-store"));
    for batch in 0..WARM_UP + batches {
        let batch = Batch { sessions: batch * count..(batch + 1) * count, is_printed: batch >= WARM_UP };
        batch.bare(&mut bare).await;
        batch.of(&mut nexios).await;
        batch.of(&mut synced).await;
        #[cfg(feature = "peers")]
        batch.of(&mut fs_store).await;
        #[cfg(feature = "peers")]
        batch.of(&mut file_store).await;
    }
}

/// Sessions to create, to load and to change.
struct Batch {
    sessions: Range<usize>,
    is_printed: bool,
}

impl Batch {
    async fn of<S: SessionFiles>(&self, store: &mut S) {
        for operation in Operation::ALL {
            let start = Instant::now();
            operation.run(store, self.sessions.clone()).await;
            self.print(S::NAME, operation.name(), start);
            if operation == Operation::Create {
                sync();
            }
        }
        for session in self.sessions.clone() {
            assert_eq!(store.load(session).await, VISITS + 1, "what was saved is there");
        }
    }

    async fn bare(&self, bare: &mut Bare) {
        let timed = |operation: &str, of_each: &mut dyn FnMut(usize)| {
            let start = Instant::now();
            self.sessions.clone().for_each(of_each);
            self.print("limit", operation, start);
        };
        timed("open new, write, close", &mut |_| bare.create());
        sync();
        timed("open, read, close", &mut |file| bare.read(file));
        timed("open, write over, close", &mut |file| bare.write(file));
        timed("open, write over, fdatasync, close", &mut |file| bare.write_synced(file));
        let start = Instant::now();
        for _ in self.sessions.clone() {
            tokio::task::spawn_blocking(|| ()).await.expect("a thread");
        }
        self.print("limit", "a blocking thread, there and back", start);
    }

    fn print(&self, store: &str, operation: &str, start: Instant) {
        let each = start.elapsed() / u32::try_from(self.sessions.len()).expect("not that many");
        if self.is_printed {
            print(store, operation, each);
        }
    }
}

/// An operation that is measured on each store.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Create,
    Load,
    Change,
}

impl Operation {
    const ALL: [Self; 3] = [Self::Create, Self::Load, Self::Change];

    const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Load => "load",
            Self::Change => "load, change, save",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
    }

    /// Does the operation on each of some sessions, which must not have been changed before.
    async fn run<S: SessionFiles>(self, store: &mut S, sessions: Range<usize>) {
        for session in sessions {
            match self {
                Self::Create => store.create(false).await,
                Self::Load => assert_eq!(store.load(session).await, VISITS),
                Self::Change => store.change(session).await,
            }
        }
    }
}

/// Does operations while another program watches the system calls of this process.
async fn calls(store: &str, operation: Operation, dir: &Path, count: usize) -> Option<()> {
    match store {
        Nexios::<false>::NAME => calls_of(&mut Nexios::<false>::new(dir), operation, count).await,
        Nexios::<true>::NAME => calls_of(&mut Nexios::<true>::new(dir), operation, count).await,
        #[cfg(feature = "peers")]
        TowerFsStore::NAME => calls_of(&mut TowerFsStore::new(dir), operation, count).await,
        #[cfg(feature = "peers")]
        TowerFileStore::NAME => calls_of(&mut TowerFileStore::new(dir), operation, count).await,
        _ => return None,
    }
    Some(())
}

async fn calls_of<S: SessionFiles>(store: &mut S, operation: Operation, count: usize) {
    // Some stores have several directories. With so many sessions, all of them exist.
    let before = count + 3000;
    for _ in 0..before {
        store.create(false).await;
    }
    // Some work is done at the first change only.
    store.change(count).await;
    mark("/begin");
    operation.run(store, 0..count).await;
    mark("/end");
}

/// Measures sweeps over sessions that are on the disk, and half of which have expired.
async fn sweeps(dir: &Path, count: usize) {
    let mut bare = Bare::new(&dir.join("bare"));
    for _ in 0..count {
        bare.create();
    }
    sync();
    let start = Instant::now();
    for file in (0..count).step_by(2) {
        bare.unlink(file);
    }
    print("limit", "unlink of what expires", start.elapsed());
    let mut ours = Nexios::<false>::new(&dir.join("nexios"));
    sweep_of(&mut ours, &dir.join("nexios"), count).await;
    #[cfg(feature = "peers")]
    sweep_of(&mut TowerFileStore::new(&dir.join("file-store")), &dir.join("file-store"), count).await;
}

async fn sweep_of<S: Sweep>(store: &mut S, dir: &Path, count: usize) {
    // A store may have further files of its own.
    let before = if dir.exists() { count_files(dir) } else { 0 };
    for session in 0..count {
        store.create(session % 2 == 0).await;
    }
    sync();
    let start = Instant::now();
    let may_find_more = store.sweep().await;
    print(S::NAME, "sweep", start.elapsed());
    if may_find_more {
        while store.sweep().await {}
        print(S::NAME, "sweeps, until one finds nothing", start.elapsed());
    }
    assert_eq!(count_files(dir) - before, count / 2, "half of the sessions are left");
}

fn sync() {
    // To remove or change what was never written to the disk is different work.
    assert!(Command::new("sync").status().expect("sync").success());
}

fn mark(path: &str) {
    // An error is fine: the call has been made.
    let _ = std::fs::metadata(path);
}

/// Prints a line: the store, the operation, the nanoseconds.
fn print(store: &str, operation: &str, took: Duration) {
    println!("{store}\t{operation}\t{}", took.as_nanos());
}
