//! Commands that are run for their output.

use std::process::Command;

use crate::error::{Error, Result};

/// The output of a command that succeeded.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    line: String,
}

impl Output {
    /// Makes the error for an output with something else in it than was to be read.
    pub(crate) fn unexpected(&self, what: &'static str) -> Error {
        Error::Output { line: self.line.clone(), what }
    }
}

/// Runs a command and returns its output. Prints the output if the command fails.
pub(crate) fn output(command: &mut Command) -> Result<Output> {
    // The program and its arguments in quotes, after the variables that are set for it: a shell can run that.
    let line = format!("{command:?}");
    let output = command.output().map_err(|source| Error::Start { line: line.clone(), source })?;
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    if output.status.success() {
        return Ok(Output { stdout, stderr, line });
    }
    print!("$ {line}\n{stdout}{stderr}");
    Err(Error::Failed { line, status: output.status.to_string() })
}

/// Runs a command and returns whether it succeeds. Prints nothing: this asks for a program that may be missing.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_output_of_a_program_is_returned() {
        let output = output(&mut sh("echo out; echo err >&2")).unwrap();
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("out\n", "err\n"));
        assert_eq!(output.unexpected("no rate").to_string().split(';').next(), Some(r#"`"sh" "-c" "echo out"#));
    }

    #[test]
    fn a_program_that_fails_is_an_error() {
        assert!(!succeeds(&mut sh("exit 3")));
        assert!(matches!(output(&mut sh("exit 3")), Err(Error::Failed { .. })));
    }

    #[test]
    fn a_program_that_is_missing_is_named() {
        let error = output(&mut Command::new("no-such-program")).unwrap_err();
        assert!(error.to_string().contains("no-such-program"), "{error}");
        assert!(!succeeds(&mut Command::new("no-such-program")));
    }
}
