//! The session directory: how its files are opened, and which errors are expected.

use std::fs::File;

use nexios_store_core::Timestamp;
use rustix::fs::{Dev, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::error::Failure;
use crate::sys::{self, Names, Result};

/// The open session directory. All paths are relative to it, so nobody can put another directory in its place.
pub(crate) struct Directory {
    root: File,
    owner: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// The status of a file, as `stat` tells it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Status {
    /// The device and the inode. No other file has these two while this one is open or has a name.
    pub(crate) identity: (Dev, u64),
    /// It is a regular file, and the owner of the session directory owns it.
    pub(crate) is_own_file: bool,
    pub(crate) has_no_name: bool,
    pub(crate) has_one_name: bool,
    pub(crate) len: u64,
    /// The number of bytes that it takes up on the disk.
    pub(crate) allocated: u64,
    /// The time of the last change, to the second.
    pub(crate) modified: Timestamp,
}

impl Directory {
    pub(crate) fn new(root: File, owner: u32) -> Self {
        Self { root, owner }
    }

    /// Fails if the directory was removed. Without this check every record of a removed directory would be absent.
    pub(crate) fn check_exists(&self) -> Result<(), Failure> {
        let stat = sys::stat(sys::STAT_ROOT, &self.root)?;
        if stat.st_nlink == 0 { Err(Failure::DirectoryRemoved) } else { Ok(()) }
    }

    /// Opens what is at a record's name. It follows no link, and does not wait for the other end of a FIFO.
    pub(crate) fn open_file(&self, path: &[u8], access: Access) -> Result<File> {
        let access = match access {
            Access::Read => OFlags::RDONLY,
            Access::Write => OFlags::RDWR,
        };
        let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | NO_ATIME;
        sys::open(sys::OPEN, &self.root, path, flags, Mode::empty())
    }

    /// Creates a file, and fails if something has its name already.
    pub(crate) fn create_file(&self, path: &[u8]) -> Result<File> {
        sys::create(sys::CREATE, &self.root, path, EXCLUSIVE, FILE_MODE)
    }

    /// Creates an empty file, unless something has its name already. Returns whether it created one.
    pub(crate) fn create_marker(&self, path: &[u8]) -> Result<bool> {
        match sys::create(sys::CREATE_MARKER, &self.root, path, EXCLUSIVE, FILE_MODE) {
            Ok(_) => Ok(true),
            Err(error) if error.is(Errno::EXIST) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Opens a file for locking, and creates it if it does not exist.
    pub(crate) fn open_lock_file(&self, path: &[u8]) -> Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        sys::open(sys::OPEN_LOCK, &self.root, path, flags, FILE_MODE)
    }

    /// Creates a directory, unless it exists.
    pub(crate) fn make_directory(&self, path: &[u8]) -> Result<()> {
        match sys::make_directory(&self.root, path, DIRECTORY_MODE) {
            Err(error) if error.is(Errno::EXIST) => Ok(()),
            result => result,
        }
    }

    /// Returns the names in a directory, or `None` if there is no such directory.
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

    /// Makes the names in the session directory itself survive a power cut.
    pub(crate) fn sync_root(&self) -> Result<()> {
        sys::sync_directory(&self.root, b"")
    }

    pub(crate) fn status(&self, file: &File) -> Result<Status> {
        Ok(self.status_of(&sys::stat(sys::STAT, file)?))
    }

    /// Returns the status of what has this name, or `None` if nothing has it.
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

/// Without this flag, the first read after each write writes the file's inode to keep the time of access. That took a
/// fifth of a load and of a sweep.
#[cfg(any(target_os = "linux", target_os = "android"))]
const NO_ATIME: OFlags = OFlags::NOATIME;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const NO_ATIME: OFlags = OFlags::empty();

/// Creates a file or fails. A link at its name is not followed, even if it leads nowhere.
const EXCLUSIVE: OFlags =
    OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR);
const DIRECTORY_MODE: Mode = Mode::RWXU;
