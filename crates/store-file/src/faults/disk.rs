//! The model of a disk that forgets. It tells what a power cut leaves of the calls that were made.
//!
//! Names and contents are independent. A change of names is on the disk once its directory is synced, and a page of a
//! file once the file is synced. Before that, the change may be on the disk or not, whatever came after it. File
//! systems and disks write pages of 4 KiB. Each page has the content of some moment since the last sync.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::world;

#[derive(Clone, Debug)]
pub(super) enum Event {
    Create(PathBuf, u64),
    MakeDirectory(PathBuf),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    SyncDirectory(PathBuf),
    Write(u64, usize, Vec<u8>),
    SetLen(u64, usize),
    SyncFile(u64),
}

thread_local! {
    static LOG: RefCell<Option<Vec<Event>>> = const { RefCell::new(None) };
}

pub(super) fn record(event: impl FnOnce() -> Event) {
    LOG.with_borrow_mut(|log| log.as_mut().map(|log| log.push(event())));
}

pub(super) fn path(bytes: &[u8]) -> PathBuf {
    Path::new(std::ffi::OsStr::from_bytes(bytes)).to_owned()
}

/// Returns the number of a file. Where these tests run, the system does not use a number again soon.
pub(super) fn number(file: &File) -> u64 {
    rustix::fs::fstat(file).map_or(0, |stat| stat.st_ino)
}

/// The calls of one thread's scenario.
pub(super) struct Disk {
    /// All calls before this one are on the disk.
    settled: usize,
    log: Vec<Event>,
}

impl Disk {
    /// Begins to record. Call it before the session directory is opened.
    pub(super) fn new() -> Self {
        LOG.set(Some(Vec::new()));
        Self { settled: 0, log: Vec::new() }
    }

    /// Lets time pass, in which the system writes everything.
    pub(super) fn settle(&mut self) {
        self.settled = Self::calls();
    }

    /// Returns the number of calls so far. It works while calls are recorded.
    pub(super) fn calls() -> usize {
        LOG.with_borrow(|log| log.as_ref().map_or(0, Vec::len))
    }

    /// Ends the recording.
    pub(super) fn stop(&mut self) {
        self.log = LOG.take().unwrap_or_default();
    }

    pub(super) const fn settled(&self) -> usize {
        self.settled
    }

    /// Returns the number of recorded calls.
    pub(super) const fn len(&self) -> usize {
        self.log.len()
    }

    /// Makes a directory as a power cut may leave it after the first `at` calls.
    pub(super) fn after_cut(&self, at: usize, dice: &mut Dice) -> TempDir {
        let log = &self.log[..at];
        let dir = world::new_dir();
        let root = dir.path().join("sessions");
        make_private(&root);
        let names = self.names(log, dice);
        for path in names.directories {
            // In the order of paths, parents come first. A lost parent takes its children with it.
            if root.join(&path).parent().is_some_and(Path::exists) {
                make_private(&root.join(path));
            }
        }
        for (path, file) in names.files {
            if root.join(&path).parent().is_some_and(Path::exists) {
                fs::write(root.join(path), self.content(log, file, dice)).unwrap();
            }
        }
        dir
    }

    fn names(&self, log: &[Event], dice: &mut Dice) -> Names {
        let mut names = Names::default();
        // Half of the time the changes come in order, as a journal keeps them, and half of the time in none.
        let is_ordered = dice.throw(2) == 0;
        let last_sync = log.iter().rposition(|event| matches!(event, Event::SyncDirectory(_))).unwrap_or(0);
        let end = last_sync.max(self.settled) + dice.throw(log.len() - last_sync.max(self.settled).min(log.len()) + 1);
        for (index, event) in log.iter().enumerate() {
            let Some(directory) = event.directory() else { continue };
            let is_synced = || {
                log[index..].iter().any(|later| matches!(later, Event::SyncDirectory(synced) if synced == directory))
            };
            let mut is_kept = || if is_ordered { index < end } else { dice.throw(2) == 0 };
            if index < self.settled || is_synced() || is_kept() {
                names.change(event);
            }
        }
        names
    }

    fn content(&self, log: &[Event], file: u64, dice: &mut Dice) -> Vec<u8> {
        let changes: Vec<_> = log.iter().enumerate().filter(|(_, event)| event.file() == Some(file)).collect();
        let synced = changes.iter().filter(|(_, event)| matches!(event, Event::SyncFile(_))).map(|(index, _)| *index);
        let synced = synced.max().unwrap_or(0).max(self.settled);
        let mut moment = || synced + dice.throw(log.len() - synced.min(log.len()) + 1);
        let mut len = 0;
        let len_known_until = moment();
        for (index, event) in &changes {
            match event {
                _ if *index >= len_known_until => {}
                Event::Write(_, offset, bytes) => len = len.max(offset + bytes.len()),
                Event::SetLen(_, set) => len = *set,
                _ => {}
            }
        }
        let mut content = vec![0; len];
        for (page, portion) in content.chunks_mut(PAGE).enumerate() {
            let until = moment();
            for (index, event) in &changes {
                if let Event::Write(_, offset, bytes) = event
                    && *index < until
                {
                    for (at, byte) in portion.iter_mut().enumerate() {
                        if let Some(written) = (page * PAGE + at).checked_sub(*offset).and_then(|at| bytes.get(at)) {
                            *byte = *written;
                        }
                    }
                }
            }
        }
        content
    }
}

impl Event {
    /// Returns the directory whose names the call changes.
    fn directory(&self) -> Option<&Path> {
        match self {
            Self::Create(path, _) | Self::MakeDirectory(path) | Self::Rename(_, path) | Self::Remove(path) => {
                path.parent()
            }
            _ => None,
        }
    }

    fn file(&self) -> Option<u64> {
        match self {
            Self::Write(file, ..) | Self::SetLen(file, _) | Self::SyncFile(file) => Some(*file),
            _ => None,
        }
    }
}

#[derive(Default)]
struct Names {
    directories: BTreeSet<PathBuf>,
    files: BTreeMap<PathBuf, u64>,
}

impl Names {
    fn change(&mut self, event: &Event) {
        match event {
            Event::Create(path, file) => drop(self.files.insert(path.clone(), *file)),
            Event::MakeDirectory(path) => drop(self.directories.insert(path.clone())),
            Event::Remove(path) => drop(self.files.remove(path)),
            Event::Rename(from, to) => {
                if let Some(file) = self.files.remove(from) {
                    self.files.insert(to.clone(), file);
                }
            }
            _ => {}
        }
    }
}

/// Dice that throw the same numbers each time.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % sides
    }
}

fn make_private(dir: &Path) {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(dir).unwrap();
}

const PAGE: usize = 4096;
