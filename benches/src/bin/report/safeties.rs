//! The table of requests with encryption at rest and with synced files, each beside the same request without it.

use crate::command::output;
use crate::error::Result;
use crate::options::Options;
use crate::programs::Programs;
use crate::rounds::Rounds;

/// Measures the requests and prints the table.
pub(crate) fn run(programs: &Programs, options: &Options) -> Result<()> {
    let dir = options.empty_dir()?;
    let mut measured = Rounds::default();
    measured.read(&output(programs.program("safeties").arg(dir.path()))?)?;
    measured.micros().print("a request with what can be switched on: us, least / median");
    Ok(())
}
