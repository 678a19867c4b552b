//! Opening the session directory, which must be ours alone.
//!
//! Links below it are harmless because nobody else can enter it.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use crate::directory::Directory;
use crate::error::{DirectoryProblem, OpenError};

/// Opens the directory, and creates it if it does not exist.
pub(crate) fn open(dir: &Path) -> Result<Directory, OpenError> {
    if dir.as_os_str().is_empty() {
        return Err(OpenError::no_name());
    }
    open_private(dir).map_err(|problem| OpenError::directory(dir, problem))
}

fn open_private(dir: &Path) -> Result<Directory, DirectoryProblem> {
    let root = match open_directory(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(dir).map_err(DirectoryProblem::Make)?;
            open_directory(dir)
        }
        result => result,
    };
    let root = root.map_err(|error| match error.kind() {
        io::ErrorKind::NotADirectory => DirectoryProblem::NotADirectory,
        _ => DirectoryProblem::Open(error),
    })?;
    // This asks the open directory, so nobody can exchange it between the check and the use.
    let metadata = root.metadata().map_err(DirectoryProblem::Open)?;
    let process = rustix::process::geteuid().as_raw();
    check(metadata.uid(), process, metadata.mode())?;
    warn_of_network(&root);
    Ok(Directory::new(root, process))
}

fn open_directory(dir: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(dir, flags, Mode::empty())?.into())
}

fn check(owner: u32, process: u32, mode: u32) -> Result<(), DirectoryProblem> {
    if owner != process {
        return Err(DirectoryProblem::ForeignOwner { owner, process });
    }
    let mode = mode & 0o7777;
    if mode & 0o077 != 0 { Err(DirectoryProblem::OpenToOthers { mode }) } else { Ok(()) }
}

/// Creates a directory that only we can enter, and its parents if they do not exist.
fn make(dir: &Path) -> io::Result<()> {
    let missing = dir.ancestors().take_while(|dir| !dir.as_os_str().is_empty() && !dir.exists()).count();
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    for parent in dir.ancestors().skip(1).take(missing) {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        // A parent that we may enter but not read cannot be opened. Then the system decides when to write it.
        if let Ok(parent) = open_directory(parent) {
            parent.sync_all()?;
        }
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn warn_of_network(root: &File) {
    if rustix::fs::fstatfs(root).is_ok_and(|stat| is_network(i128::from(stat.f_type))) {
        tracing::warn!("the session directory is on a network file system, where locks and syncs are not reliable");
    }
}

#[cfg(not(target_os = "linux"))]
fn warn_of_network(_: &File) {}

#[cfg(target_os = "linux")]
fn is_network(magic: i128) -> bool {
    // `f_type` is signed on some architectures and unsigned on others. The numbers in linux/magic.h have 32 bits.
    [NFS, SMB, SMB2, CIFS].contains(&(magic & 0xffff_ffff))
}

#[cfg(target_os = "linux")]
const NFS: i128 = 0x6969;
#[cfg(target_os = "linux")]
const SMB: i128 = 0x517b;
#[cfg(target_os = "linux")]
const SMB2: i128 = 0xfe53_4d42;
#[cfg(target_os = "linux")]
const CIFS: i128 = 0xff53_4d42;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_ours_alone_or_refused() {
        for (owner, mode, problem) in [
            (7, 0o40700, None),
            (7, 0o42700, None),
            (7, 0o40500, None),
            (7, 0o40750, Some("which is open to other users (mode 0750)")),
            (7, 0o40701, Some("which is open to other users (mode 0701)")),
            (7, 0o41777, Some("which is open to other users (mode 1777)")),
            (0, 0o40700, Some("which belongs to the user 0, but this process runs as 7")),
            (8, 0o40777, Some("which belongs to the user 8, but this process runs as 7")),
        ] {
            let found = check(owner, 7, mode).err().map(|problem| problem.to_string());
            let begins = found.as_deref().map(|text| text.split(": ").next().unwrap_or_default());
            assert_eq!(begins, problem, "{owner} {mode:o}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn network_file_systems_are_recognised_with_either_sign() {
        for (magic, expected) in
            [(0x6969, true), (0xff53_4d42, true), (-0x00ac_b2be, true), (0xef53, false), (0x0102_1994, false)]
        {
            assert_eq!(is_network(magic), expected, "{magic:x}");
        }
    }
}
