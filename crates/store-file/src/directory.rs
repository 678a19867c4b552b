//! The system calls on records, each in one place.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use nexios_store_core::Timestamp;
use rustix::fs::{AtFlags, Dev, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::error::{Failure, SystemError};
#[cfg(test)]
use crate::faults::disk;

type Result<T, E = SystemError> = std::result::Result<T, E>;

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
        let stat = call("looking at the session directory", || Ok(rustix::fs::fstat(&self.root)?))?;
        if stat.st_nlink == 0 { Err(Failure::DirectoryRemoved) } else { Ok(()) }
    }

    /// Opens what has a record's name, without following links or waiting for a FIFO's other end.
    pub(crate) fn open_file(&self, path: &[u8], access: Access) -> Result<File> {
        let access = match access {
            Access::Read => OFlags::RDONLY,
            Access::Write => OFlags::RDWR,
        };
        let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | NO_ATIME;
        call("opening a session record", || Ok(rustix::fs::openat(&self.root, path, flags, Mode::empty())?))
            .map(Into::into)
    }

    /// Makes a file that does not exist yet.
    pub(crate) fn create_file(&self, path: &[u8]) -> Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let create = || Ok(rustix::fs::openat(&self.root, path, flags, FILE_MODE)?);
        let file = call("creating a session record", create)?.into();
        #[cfg(test)]
        disk::record(|| disk::Event::Create(disk::path(path), disk::number(&file)));
        Ok(file)
    }

    /// Makes an empty file, unless there is something of this name already, and says whether it did.
    pub(crate) fn create_marker(&self, path: &[u8]) -> Result<bool> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let create = || Ok(rustix::fs::openat(&self.root, path, flags, FILE_MODE)?);
        match call("marking a principal's session", create) {
            Ok(_) => {
                #[cfg(test)]
                disk::record(|| disk::Event::Create(disk::path(path), 0));
                Ok(true)
            }
            Err(error) if error.is(Errno::EXIST) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Opens a file for locking, and makes it if need be.
    pub(crate) fn open_lock_file(&self, path: &[u8]) -> Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        call("opening a lock file", || Ok(rustix::fs::openat(&self.root, path, flags, FILE_MODE)?)).map(Into::into)
    }

    /// Makes a directory, unless it exists.
    pub(crate) fn make_directory(&self, path: &[u8]) -> Result<()> {
        let make = || Ok(rustix::fs::mkdirat(&self.root, path, DIRECTORY_MODE)?);
        match call("making a directory for session records", make) {
            Err(error) if error.is(Errno::EXIST) => Ok(()),
            #[cfg(test)]
            Ok(()) => {
                disk::record(|| disk::Event::MakeDirectory(disk::path(path)));
                Ok(())
            }
            result => result,
        }
    }

    /// Begins to read the names in a directory; `None` if there is none.
    pub(crate) fn read_directory(&self, path: &[u8]) -> Result<Option<Dir>> {
        match self.open_directory(path) {
            Ok(directory) => {
                Ok(Some(Dir::new(directory).map_err(|errno| SystemError::new(READ_DIRECTORY, errno.into()))?))
            }
            Err(error) if error.is(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes the names in a directory survive a power cut.
    pub(crate) fn sync_directory(&self, path: &[u8]) -> Result<()> {
        let directory = self.open_directory(path)?;
        call(SYNC_DIRECTORY, || directory.sync_all())?;
        #[cfg(test)]
        disk::record(|| disk::Event::SyncDirectory(disk::path(path)));
        Ok(())
    }

    /// The same for the names of the directories themselves.
    pub(crate) fn sync_root(&self) -> Result<()> {
        call(SYNC_DIRECTORY, || self.root.sync_all())?;
        #[cfg(test)]
        disk::record(|| disk::Event::SyncDirectory(disk::path(b"")));
        Ok(())
    }

    pub(crate) fn status(&self, file: &File) -> Result<Status> {
        let stat = call("looking at a session record", || Ok(rustix::fs::fstat(file)?))?;
        Ok(self.status_of(&stat))
    }

    /// The status of what has this name; `None` if nothing has.
    pub(crate) fn status_at(&self, path: &[u8]) -> Result<Option<Status>> {
        let stat = || Ok(rustix::fs::statat(&self.root, path, AtFlags::SYMLINK_NOFOLLOW)?);
        match call("looking at a session record", stat) {
            Ok(stat) => Ok(Some(self.status_of(&stat))),
            Err(error) if error.is(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn rename(&self, from: &[u8], to: &[u8]) -> Result<()> {
        call("renaming a session record", || Ok(rustix::fs::renameat(&self.root, from, &self.root, to)?))?;
        #[cfg(test)]
        disk::record(|| disk::Event::Rename(disk::path(from), disk::path(to)));
        Ok(())
    }

    pub(crate) fn remove(&self, path: &[u8]) -> Result<()> {
        call("removing a session record", || Ok(rustix::fs::unlinkat(&self.root, path, AtFlags::empty())?))?;
        #[cfg(test)]
        disk::record(|| disk::Event::Remove(disk::path(path)));
        Ok(())
    }

    fn open_directory(&self, path: &[u8]) -> Result<File> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = || Ok(rustix::fs::openat(&self.root, path, flags, Mode::empty())?);
        call("opening a directory of session records", open).map(Into::into)
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

/// Reads until `buffer` is full or the file ends, and says how much that was.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match call("reading a session record", || file.read_at(&mut buffer[filled..], offset + filled as u64))? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

/// Writes all of `bytes`.
pub(crate) fn write_at(file: &File, mut bytes: &[u8], mut offset: u64) -> Result<()> {
    while !bytes.is_empty() {
        #[cfg(test)]
        let portion = crate::faults::portion(bytes);
        #[cfg(not(test))]
        let portion = bytes;
        let count = call(WRITE, || match file.write_at(portion, offset) {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            result => result,
        })?;
        #[cfg(test)]
        disk::record(|| {
            disk::Event::Write(disk::number(file), usize::try_from(offset).unwrap(), bytes[..count].to_vec())
        });
        bytes = &bytes[count..];
        offset += count as u64;
    }
    Ok(())
}

pub(crate) fn set_len(file: &File, len: u64) -> Result<()> {
    call(WRITE, || file.set_len(len))?;
    #[cfg(test)]
    disk::record(|| disk::Event::SetLen(disk::number(file), usize::try_from(len).unwrap()));
    Ok(())
}

/// Makes the content of a file survive a power cut.
pub(crate) fn sync_data(file: &File) -> Result<()> {
    call("syncing a session record", || file.sync_data())?;
    #[cfg(test)]
    disk::record(|| disk::Event::SyncFile(disk::number(file)));
    Ok(())
}

/// Makes a system call, again if a signal interrupts it.
fn call<T>(operation: &'static str, mut system_call: impl FnMut() -> io::Result<T>) -> Result<T> {
    #[cfg(test)]
    let mut system_call = || crate::faults::check(operation).and_then(|()| system_call());
    loop {
        match system_call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result.map_err(|error| SystemError::new(operation, error)),
        }
    }
}

pub(crate) const SYNC_DIRECTORY: &str = "syncing a directory of session records";
pub(crate) const READ_DIRECTORY: &str = "reading a directory of session records";
pub(crate) const WRITE: &str = "writing a session record";

/// Without it the first read after each write writes the file's inode, which took a fifth of a load and of a sweep.
#[cfg(any(target_os = "linux", target_os = "android"))]
const NO_ATIME: OFlags = OFlags::NOATIME;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const NO_ATIME: OFlags = OFlags::empty();

const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR);
const DIRECTORY_MODE: Mode = Mode::RWXU;
