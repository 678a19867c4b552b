//! The reasons for which a task stops.

use std::{io, path::PathBuf, process::ExitCode, time::Duration};

/// The result of a task.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// The reason for which a task stopped, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The call names a task or an argument that does not exist.
    #[error("{0}")]
    Usage(String),

    /// A program could not be started.
    #[error("cannot start `{line}`: {source}; is the program installed and on PATH?")]
    Start { line: String, source: io::Error },

    /// A program ran and failed. Its own message has been printed.
    #[error("`{line}` failed ({status}); what it printed is above, and the line can be run alone")]
    Failed { line: String, status: String },

    /// A step of a longer task failed.
    #[error("FAILED at step `{step}` after {}: {source}", seconds(*.after))]
    Step { step: String, after: Duration, source: Box<Self> },

    /// The workspace could not be read.
    #[error("cannot read the workspace: {0}; does `cargo metadata` work?")]
    Metadata(#[from] cargo_metadata::Error),

    /// A file could not be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },

    /// Rules are broken. The findings have been printed.
    #[error("tidy has {0} finding(s), listed above")]
    Untidy(usize),
}

impl Error {
    /// Returns the exit code: 2 after a wrong call, 1 after a failed check.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}

/// Formats a duration as the tasks print it.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
