use std::env;
use std::path::PathBuf;

use crate::error::{Error, Result};

/// The options of a bench that writes files.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// The directory for the files. It also decides on which file system they are.
    dir: PathBuf,
    sessions: Option<usize>,
}

impl Options {
    pub(crate) fn parse(args: &[&str]) -> Result<Self> {
        let mut options = Self { dir: env::temp_dir(), sessions: None };
        for arg in args.chunks(2) {
            match *arg {
                ["--dir", dir] => options.dir = PathBuf::from(dir),
                ["--sessions", sessions] => options.sessions = Some(sessions.parse().map_err(|_| usage())?),
                _ => return Err(usage()),
            }
        }
        Ok(options)
    }

    /// Returns the largest number of sessions.
    pub(crate) fn sessions_or(&self, default: usize) -> usize {
        self.sessions.unwrap_or(default)
    }

    /// Makes a directory. Dropping the answer removes it with its content.
    pub(crate) fn empty_dir(&self) -> Result<tempfile::TempDir> {
        tempfile::tempdir_in(&self.dir).map_err(|source| Error::Write { path: self.dir.clone(), source })
    }
}

fn usage() -> Error {
    Error::Usage("this bench takes `--dir DIR`, a directory that is there, and `--sessions N`, a number".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_options_are_read_and_others_are_refused() {
        let options = Options::parse(&["--sessions", "5", "--dir", "/var/tmp"]).unwrap();
        assert_eq!(options, Options { dir: PathBuf::from("/var/tmp"), sessions: Some(5) });
        assert_eq!((options.sessions_or(7), Options::parse(&[]).unwrap().sessions_or(7)), (5, 7));
        for wrong in [&["--sessions", "many"][..], &["--sessions"], &["--sweeps", "5"]] {
            assert!(matches!(Options::parse(wrong), Err(Error::Usage(_))), "{wrong:?}");
        }
    }

    #[test]
    fn a_directory_that_is_missing_is_named() {
        let error = Options::parse(&["--dir", "no/such/directory"]).unwrap().empty_dir().unwrap_err();
        assert!(error.to_string().contains("no/such/directory"), "{error}");
    }
}
