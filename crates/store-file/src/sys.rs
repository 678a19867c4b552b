//! The system calls on records. This module makes all of them.
//!
//! Each call has a purpose, which its error names. If a signal interrupts a call, it is made again. Each call passes
//! the [`Hooks`]. In the tests of this crate they make calls fail and record them. In every other build they do
//! nothing.

mod hooks;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rustix::fs::{AtFlags, Dir, DirEntry, Mode, OFlags, Stat};

pub(crate) use self::hooks::Hooks;
#[cfg(not(test))]
pub(crate) use self::hooks::NoHooks as ActiveHooks;
use crate::error::SystemError;
#[cfg(test)]
pub(crate) use crate::faults::Armed as ActiveHooks;

pub(crate) type Result<T, E = SystemError> = std::result::Result<T, E>;

/// Opens the file or directory at this path below `root`.
pub(crate) fn open(purpose: &'static str, root: &File, path: &[u8], flags: OFlags, mode: Mode) -> Result<File> {
    call(purpose, || Ok(rustix::fs::openat(root, path, flags, mode)?)).map(Into::into)
}

/// Creates a file. With these `flags` the call must fail if something is at this path already.
pub(crate) fn create(purpose: &'static str, root: &File, path: &[u8], flags: OFlags, mode: Mode) -> Result<File> {
    let file = open(purpose, root, path, flags, mode)?;
    ActiveHooks::created(path, &file);
    Ok(file)
}

pub(crate) fn make_directory(root: &File, path: &[u8], mode: Mode) -> Result<()> {
    call(MAKE_DIRECTORY, || Ok(rustix::fs::mkdirat(root, path, mode)?))?;
    ActiveHooks::made_directory(path);
    Ok(())
}

/// The names in a directory. Iterating reads them from the disk.
pub(crate) struct Names(Dir);

impl Names {
    pub(crate) fn of(directory: File) -> Result<Self> {
        Ok(Self(Dir::new(directory).map_err(|errno| SystemError::new(READ_DIRECTORY, errno.into()))?))
    }
}

impl Iterator for Names {
    type Item = Result<DirEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        call(READ_DIRECTORY, || Ok(self.0.read().transpose()?)).transpose()
    }
}

/// Makes the names in an open directory survive a power cut. `path` is its path below the session directory.
pub(crate) fn sync_directory(directory: &File, path: &[u8]) -> Result<()> {
    call(SYNC_DIRECTORY, || directory.sync_all())?;
    ActiveHooks::synced_directory(path);
    Ok(())
}

pub(crate) fn stat(purpose: &'static str, file: &File) -> Result<Stat> {
    call(purpose, || Ok(rustix::fs::fstat(file)?))
}

/// Returns the status of what is at this path. A link is not followed.
pub(crate) fn stat_at(root: &File, path: &[u8]) -> Result<Stat> {
    call(STAT, || Ok(rustix::fs::statat(root, path, AtFlags::SYMLINK_NOFOLLOW)?))
}

pub(crate) fn rename(root: &File, from: &[u8], to: &[u8]) -> Result<()> {
    call(RENAME, || Ok(rustix::fs::renameat(root, from, root, to)?))?;
    ActiveHooks::renamed(from, to);
    Ok(())
}

pub(crate) fn remove(root: &File, path: &[u8]) -> Result<()> {
    call(REMOVE, || Ok(rustix::fs::unlinkat(root, path, AtFlags::empty())?))?;
    ActiveHooks::removed(path);
    Ok(())
}

/// Reads until `buffer` is full or the file ends, and returns the number of bytes read.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match call(READ, || file.read_at(&mut buffer[filled..], offset + filled as u64))? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

/// Writes all of `bytes`.
pub(crate) fn write_at(file: &File, mut bytes: &[u8], mut offset: u64) -> Result<()> {
    while !bytes.is_empty() {
        let portion = ActiveHooks::portion(bytes);
        let count = call(WRITE, || match file.write_at(portion, offset) {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            result => result,
        })?;
        ActiveHooks::written(file, &bytes[..count], offset);
        bytes = &bytes[count..];
        offset += count as u64;
    }
    Ok(())
}

pub(crate) fn set_len(file: &File, len: u64) -> Result<()> {
    call(WRITE, || file.set_len(len))?;
    ActiveHooks::resized(file, len);
    Ok(())
}

/// Makes the content of a file survive a power cut.
pub(crate) fn sync_data(file: &File) -> Result<()> {
    call(SYNC, || file.sync_data())?;
    ActiveHooks::synced(file);
    Ok(())
}

/// Draws random bytes from the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    call(DRAW_RANDOM, || Ok(getrandom::fill(&mut bytes)?))?;
    ActiveHooks::drawn(&mut bytes);
    Ok(bytes)
}

/// Makes a system call, and makes it again if a signal interrupts it.
fn call<T>(purpose: &'static str, mut system_call: impl FnMut() -> io::Result<T>) -> Result<T> {
    loop {
        match ActiveHooks::before(purpose).and_then(|()| system_call()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result.map_err(|error| SystemError::new(purpose, error)),
        }
    }
}

pub(crate) const OPEN: &str = "opening a session record";
pub(crate) const CREATE: &str = "creating a session record";
pub(crate) const CREATE_MARKER: &str = "marking a principal's session";
pub(crate) const OPEN_LOCK: &str = "opening a lock file";
pub(crate) const OPEN_DIRECTORY: &str = "opening a directory of session records";
pub(crate) const READ_DIRECTORY: &str = "reading a directory of session records";
pub(crate) const SYNC_DIRECTORY: &str = "syncing a directory of session records";
pub(crate) const MAKE_DIRECTORY: &str = "making a directory for session records";
pub(crate) const STAT_ROOT: &str = "looking at the session directory";
pub(crate) const STAT: &str = "looking at a session record";
pub(crate) const READ: &str = "reading a session record";
pub(crate) const WRITE: &str = "writing a session record";
pub(crate) const SYNC: &str = "syncing a session record";
pub(crate) const RENAME: &str = "renaming a session record";
pub(crate) const REMOVE: &str = "removing a session record";
pub(crate) const DRAW_RANDOM: &str = "drawing random bytes";
