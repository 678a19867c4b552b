use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use nexios_settings::SettingError;
use nexios_store_core::StoreError;
use rustix::io::Errno;

/// The reason why a file store could not be opened.
///
/// The message is for the person who starts the program. It names the setting and the directory, and says what to do.
///
/// # Examples
///
/// ```
/// use nexios_store_file::FileStore;
///
/// let error = FileStore::open("/dev/null").unwrap_err();
/// assert_eq!(error.to_string(), "SESSION_DIR is `/dev/null`, which is not a directory");
/// ```
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct OpenError(OpenProblem);

#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenProblem {
    #[error(transparent)]
    Setting(SettingError),
    #[error("SESSION_DIR is empty, but must name a directory")]
    NoName,
    #[error("SESSION_DIR is `{}`, {problem}", .dir.display())]
    Directory { dir: PathBuf, problem: DirectoryProblem },
}

/// The problem with a directory, in words that follow its name.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DirectoryProblem {
    #[error("which cannot be opened: {0}")]
    Open(io::Error),
    #[error("which does not exist and cannot be made: {0}")]
    Make(io::Error),
    #[error("which is not a directory")]
    NotADirectory,
    #[error("which belongs to the user {owner}, but this process runs as {process}: choose a directory of its own")]
    ForeignOwner { owner: u32, process: u32 },
    #[error(
        "which is open to other users (mode {mode:04o}): run `chmod 700` on it if it holds nothing but sessions, \
         or choose another directory"
    )]
    OpenToOthers { mode: u32 },
    #[error("but {0} failed: {source}", source = .0.source)]
    Prepare(SystemError),
}

impl OpenError {
    pub(crate) fn directory(dir: &Path, problem: DirectoryProblem) -> Self {
        Self(OpenProblem::Directory { dir: dir.to_owned(), problem })
    }

    pub(crate) const fn no_name() -> Self {
        Self(OpenProblem::NoName)
    }
}

impl From<SettingError> for OpenError {
    fn from(error: SettingError) -> Self {
        Self(OpenProblem::Setting(error))
    }
}

/// A failed system call.
///
/// It tells the purpose of the call and never its path, which has a session id in it.
#[derive(Debug)]
pub(crate) struct SystemError {
    purpose: &'static str,
    source: io::Error,
}

impl SystemError {
    pub(crate) const fn new(purpose: &'static str, source: io::Error) -> Self {
        Self { purpose, source }
    }

    pub(crate) fn is(&self, errno: Errno) -> bool {
        self.errno() == Some(errno)
    }

    pub(crate) fn is_one_of(&self, errnos: &[Errno]) -> bool {
        self.errno().is_some_and(|errno| errnos.contains(&errno))
    }

    fn errno(&self) -> Option<Errno> {
        Errno::from_io_error(&self.source)
    }
}

impl fmt::Display for SystemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.purpose)
    }
}

impl std::error::Error for SystemError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// The reason why an operation on a record has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    System(#[from] SystemError),
    #[error("timed out waiting for the lock of a session record")]
    LockTimeout,
    #[error("the session directory was removed")]
    DirectoryRemoved,
    #[error("the record is larger than the 32 MiB that a session file holds")]
    TooLarge,
    #[error("a session record was changed by a program that ignores its lock")]
    Interference,
    #[error("the blocking task was not run to its end")]
    TaskLost,
    #[error("no tokio runtime: the file store does its work on tokio's blocking threads")]
    NoRuntime,
    #[error("no slot of the record is whole")]
    Damaged,
    #[error("what has the record's name is not a regular file of our own with one link")]
    Foreign,
    #[error("a slot of the record has a newer format")]
    Unsupported,
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Damaged => Self::corrupt(failure),
            Failure::Unsupported => Self::unsupported(failure),
            // Also what is foreign: a hard link, say, goes when the backup that it belongs to goes, and the record is
            // whole.
            _ => Self::backend(failure),
        }
    }
}
