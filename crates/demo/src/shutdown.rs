use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

/// How long requests that are under way may take once the program was told to stop.
pub const GRACE_PERIOD: Duration = Duration::from_secs(8);

/// Resolves on SIGTERM or SIGINT.
///
/// The handlers are in place when this returns, so that no signal is missed between here and the first poll.
///
/// # Errors
///
/// When the signals cannot be listened for.
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
