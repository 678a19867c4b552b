//! What every demo program does around its server.

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

/// Sends the log to standard error; `RUST_LOG` chooses what of it, `info` and above unless set.
pub fn log_to_stderr() {
    let filter = EnvFilter::builder().with_default_directive(tracing::Level::INFO.into()).from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
}

/// Tells whoever started the program that it is there, in the first line of standard output.
///
/// # Errors
///
/// When standard output is closed.
pub fn announce(address: SocketAddr) -> io::Result<()> {
    writeln!(io::stdout(), "listening on http://{address}")
}

/// Says in one line of standard error why the program does not start.
pub fn fail_to_start(error: &dyn Error) -> ExitCode {
    // Whoever closed standard error does not want to know.
    let _ = writeln!(io::stderr(), "error: {error}");
    ExitCode::from(2)
}
