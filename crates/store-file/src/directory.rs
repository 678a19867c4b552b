//! The session directory: which files are opened, with which flags, and what an error means.

use std::fs::File;

use nexios_store_core::Timestamp;
use rustix::fs::{Dev, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::error::Failure;
use crate::sys::{self, Names, Result};

/// The session directory, held open: paths are relative to it, so nobody can put another one in its place.
pub(crate) struct Directory {
    root: File,
    owner: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// What `stat` says of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Status {
    /// Device and inode: no other file has these while this one is open or has a name.
    pub(crate) identity: (Dev, u64),
    /// A regular file that belongs to the owner of the session directory.
    pub(crate) is_own_file: bool,
    pub(crate) has_no_name: bool,
    pub(crate) has_one_name: bool,
    pub(crate) len: u64,
    /// What it takes up on the disk.
    pub(crate) allocated: u64,
    /// To the second.
    pub(crate) modified: Timestamp,
}

impl Directory {
    pub(crate) fn new(root: File, owner: u32) -> Self {
        Self { root, owner }
    }

    /// Fails if the directory was removed. Otherwise "no such file" would be the answer for every record.
    pub(crate) fn check_exists(&self) -> Result<(), Failure> {
        let stat = sys::stat(sys::STAT_ROOT, &self.root)?;
        if stat.st_nlink == 0 { Err(Failure::DirectoryRemoved) } else { Ok(()) }
    }

    /// Opens what has a record's name, without following links or waiting for a FIFO's other end.
    pub(crate) fn open_file(&self, path: &[u8], access: Access) -> Result<File> {
        let access = match access {
            Access::Read => OFlags::RDONLY,
            Access::Write => OFlags::RDWR,
        };
        let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | NO_ATIME;
        sys::open(sys::OPEN, &self.root, path, flags, Mode::empty())
    }

    /// Makes a file that does not exist yet.
    pub(crate) fn create_file(&self, path: &[u8]) -> Result<File> {
        sys::create(sys::CREATE, &self.root, path, EXCLUSIVE, FILE_MODE)
    }

    /// Makes an empty file, unless there is something of this name already, and says whether it did.
    pub(crate) fn create_marker(&self, path: &[u8]) -> Result<bool> {
        match sys::create(sys::CREATE_MARKER, &self.root, path, EXCLUSIVE, FILE_MODE) {
            Ok(_) => Ok(true),
            Err(error) if error.is(Errno::EXIST) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Opens a file for locking, and makes it if need be.
    pub(crate) fn open_lock_file(&self, path: &[u8]) -> Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        sys::open(sys::OPEN_LOCK, &self.root, path, flags, FILE_MODE)
    }

    /// Makes a directory, unless it exists.
    pub(crate) fn make_directory(&self, path: &[u8]) -> Result<()> {
        match sys::make_directory(&self.root, path, DIRECTORY_MODE) {
            Err(error) if error.is(Errno::EXIST) => Ok(()),
            result => result,
        }
    }

    /// Begins to read the names in a directory; `None` if there is none.
    pub(crate) fn read_directory(&self, path: &[u8]) -> Result<Option<Names>> {
        match self.open_directory(path) {
            Ok(directory) => Names::of(directory).map(Some),
            Err(error) if error.is(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes the names in a directory survive a power cut.
    pub(crate) fn sync_directory(&self, path: &[u8]) -> Result<()> {
        sys::sync_directory(&self.open_directory(path)?, path)
    }

    /// The same for the names of the directories themselves.
    pub(crate) fn sync_root(&self) -> Result<()> {
        sys::sync_directory(&self.root, b"")
    }

    pub(crate) fn status(&self, file: &File) -> Result<Status> {
        Ok(self.status_of(&sys::stat(sys::STAT, file)?))
    }

    /// The status of what has this name; `None` if nothing has.
    pub(crate) fn status_at(&self, path: &[u8]) -> Result<Option<Status>> {
        match sys::stat_at(&self.root, path) {
            Ok(stat) => Ok(Some(self.status_of(&stat))),
            Err(error) if error.is(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn rename(&self, from: &[u8], to: &[u8]) -> Result<()> {
        sys::rename(&self.root, from, to)
    }

    pub(crate) fn remove(&self, path: &[u8]) -> Result<()> {
        sys::remove(&self.root, path)
    }

    fn open_directory(&self, path: &[u8]) -> Result<File> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        sys::open(sys::OPEN_DIRECTORY, &self.root, path, flags, Mode::empty())
    }

    fn status_of(&self, stat: &Stat) -> Status {
        let is_regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        let seconds = u64::try_from(stat.st_mtime).unwrap_or(0);
        Status {
            identity: (stat.st_dev, stat.st_ino),
            is_own_file: is_regular && stat.st_uid == self.owner,
            has_no_name: stat.st_nlink == 0,
            has_one_name: stat.st_nlink == 1,
            len: u64::try_from(stat.st_size).unwrap_or(0),
            allocated: u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512),
            modified: Timestamp::from_unix_millis(seconds.saturating_mul(1000)),
        }
    }
}

/// Without it the first read after each write writes the file's inode, which took a fifth of a load and of a sweep.
#[cfg(any(target_os = "linux", target_os = "android"))]
const NO_ATIME: OFlags = OFlags::NOATIME;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const NO_ATIME: OFlags = OFlags::empty();

/// A file that is made: it fails if there is something of its name, be it a link to nowhere.
const EXCLUSIVE: OFlags =
    OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR);
const DIRECTORY_MODE: Mode = Mode::RWXU;
