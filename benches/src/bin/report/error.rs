//! Why a report was not made.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// The answer of whatever measures or reports.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// Why a report was not made, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It was asked for in a way that is not known.
    #[error("{0}")]
    Usage(String),

    /// A program could not be started.
    #[error("cannot start `{line}`: {source}; is the program installed and on PATH?")]
    Start { line: String, source: io::Error },

    /// A program ran and failed; it has already said why.
    #[error("`{line}` failed ({status}); what it printed is above, and the line can be run alone")]
    Failed { line: String, status: String },

    /// A program printed something else than what is read from it.
    #[error("`{line}` printed {what}; run it alone to see what it prints")]
    Output { line: String, what: &'static str },

    /// A file could not be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },

    /// A file could not be written.
    #[error("cannot write {}: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },

    /// A file does not hold what it should.
    #[error("{} is not as expected: {source}", .path.display())]
    Json { path: PathBuf, source: serde_json::Error },

    /// Requests cost more than what was written down; the findings have already been printed.
    #[error("bench has {0} finding(s), listed above")]
    Dearer(usize),
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
