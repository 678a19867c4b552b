//! The reasons for which there is no report.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// The result of a measurement or a report.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// The reason for which there is no report, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The call has an argument that is not known.
    #[error("{0}")]
    Usage(String),

    /// A program could not be started.
    #[error("cannot start `{line}`: {source}; is the program installed and on PATH?")]
    Start { line: String, source: io::Error },

    /// A program ran and failed. Its own message has been printed.
    #[error("`{line}` failed ({status}); what it printed is above, and the line can be run alone")]
    Failed { line: String, status: String },

    /// A program printed something else than was to be read.
    #[error("`{line}` printed {what}; run it alone to see what it prints")]
    Output { line: String, what: &'static str },

    /// A file could not be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },

    /// A file could not be written.
    #[error("cannot write {}: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },

    /// A file does not hold the JSON that it should.
    #[error("{} is not as expected: {source}", .path.display())]
    Json { path: PathBuf, source: serde_json::Error },

    /// Requests cost something else than is written down. The findings have been printed.
    #[error("bench has {0} finding(s), listed above")]
    Dearer(usize),
}

impl Error {
    /// Returns the exit code: 2 after a wrong call, 1 after any other error.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}
