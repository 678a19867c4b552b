//! A program, its arguments and its environment, printed before it runs.

use std::{env, fmt, path::PathBuf, process::Command};

use crate::error::{Error, Result};

/// One call of a program, as a person would type it.
#[derive(Clone, Debug)]
pub(crate) struct CommandLine {
    program: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    dir: PathBuf,
}

impl CommandLine {
    /// Makes a call of `program` in the folder `dir`.
    pub(crate) fn new(program: &str, dir: impl Into<PathBuf>) -> Self {
        Self { program: program.to_owned(), args: Vec::new(), env: Vec::new(), dir: dir.into() }
    }

    /// Makes a call of cargo from one text, such as `"test --workspace"`. No argument may contain a space.
    pub(crate) fn cargo(args: &str, dir: impl Into<PathBuf>) -> Self {
        Self::new("cargo", dir).args(args.split_whitespace())
    }

    /// Adds arguments.
    pub(crate) fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of the environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Prints the line, runs it, and waits until it ends. Its output goes where ours goes.
    pub(crate) fn run(&self) -> Result<()> {
        println!("$ {self}");
        let status = self.command().status().map_err(|source| Error::Start { line: self.to_string(), source })?;
        if status.success() {
            return Ok(());
        }
        Err(Error::Failed { line: self.to_string(), status: status.to_string() })
    }

    /// Runs the line and returns whether it succeeds. Prints nothing: this asks for a program that may be missing.
    pub(crate) fn succeeds(&self) -> bool {
        self.command().output().is_ok_and(|output| output.status.success())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(is_of_our_own_build) {
                command.env_remove(name);
            }
        }
        command.args(&self.args).current_dir(&self.dir);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.env {
            write!(f, "{name}={} ", quoted(value))?;
        }
        f.write_str(&quoted(&self.program))?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", quoted(arg)))
    }
}

/// Returns whether a variable describes the package `xtask`: `cargo run` sets such variables for this process.
///
/// A build script may watch such a variable, as ring's does. It would see the variable come and go between `cargo
/// xtask` and plain cargo, and everything on top of that crate would be built again each time.
fn is_of_our_own_build(name: &str) -> bool {
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}

/// Quotes a text for a shell, where it needs quotes.
fn quoted(text: &str) -> String {
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || "\"'$&|;<>*?()\\`".contains(c)) {
        format!("'{}'", text.replace('\'', r"'\''"))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_can_be_pasted_into_a_shell() {
        let line = CommandLine::cargo("doc --no-deps", ".").env("RUSTDOCFLAGS", "-D warnings").args(["it's"]);
        assert_eq!(line.to_string(), r"RUSTDOCFLAGS='-D warnings' cargo doc --no-deps 'it'\''s'");
    }

    #[test]
    fn a_program_that_is_missing_is_named() {
        let error = CommandLine::new("no-such-program", ".").run().unwrap_err();
        assert!(error.to_string().contains("`no-such-program`"), "{error}");
    }

    #[test]
    fn a_program_that_fails_is_an_error() {
        let line = CommandLine::new("sh", ".").args(["-c", "exit 3"]);
        assert!(!line.succeeds());
        assert!(matches!(line.run(), Err(Error::Failed { .. })));
    }
}
