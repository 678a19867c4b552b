//! Why a task stopped.

use std::{io, path::PathBuf, process::ExitCode, time::Duration};

/// A task's answer.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// Why a task stopped, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The task was asked for in a way that it does not know.
    #[error("{0}")]
    Usage(String),

    /// A program could not be started.
    #[error("cannot start `{line}`: {source}; is the program installed and on PATH?")]
    Start { line: String, source: io::Error },

    /// A program ran and failed; it has already said why.
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

    /// Rules were broken; the findings have already been printed.
    #[error("tidy has {0} finding(s), listed above")]
    Untidy(usize),
}

impl Error {
    /// What the process ends with: 2 when it was called wrongly, 1 when what it checks is wrong.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}

/// A duration as the tasks print it.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
