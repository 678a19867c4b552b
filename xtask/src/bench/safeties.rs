//! What a request takes more with encryption at rest and with synced files, each beside the same without it.

use super::options::Options;
use super::programs::Programs;
use super::rounds::Rounds;
use crate::error::Result;

/// Measures and prints it.
pub(super) fn run(programs: &Programs, options: &Options) -> Result<()> {
    let dir = options.empty_dir()?;
    let line = programs.program("safeties").args([dir.path().to_string_lossy().into_owned()]);
    let mut measured = Rounds::default();
    measured.read(&line, &line.output()?.stdout)?;
    measured.micros().print("a request with what can be switched on: us, least / median");
    Ok(())
}
