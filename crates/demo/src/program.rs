//! The things that every demo program does around its server.

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

/// Sends the log to standard error. `RUST_LOG` chooses the levels; without it, the log shows `info` and above.
pub fn log_to_stderr() {
    let filter = EnvFilter::builder().with_default_directive(tracing::Level::INFO.into()).from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
}

/// Says where the program listens, in the first line of standard output.
///
/// # Errors
///
/// Fails if standard output is closed.
pub fn announce(address: SocketAddr) -> io::Result<()> {
    writeln!(io::stdout(), "listening on http://{address}")
}

/// Says why the program does not start, in one line of standard error, and returns the exit status 2.
pub fn fail_to_start(error: &dyn Error) -> ExitCode {
    // Ignored: if standard error is closed, there is nobody to tell.
    let _ = writeln!(io::stderr(), "error: {error}");
    ExitCode::from(2)
}
