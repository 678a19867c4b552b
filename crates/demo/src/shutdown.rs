use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

/// The time that running requests have to finish after the program was told to stop.
pub const GRACE_PERIOD: Duration = Duration::from_secs(8);

/// Returns a future that resolves on SIGTERM or SIGINT.
///
/// The signal handlers are in place when this function returns, so no signal is missed before the first poll.
///
/// # Errors
///
/// Fails if the signal handlers cannot be installed.
pub fn shutdown_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
