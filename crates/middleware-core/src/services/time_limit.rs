use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::error::Elapsed;

/// Waits for calls of the store, but not longer than `limit`.
///
/// Calls that are ready at once, as with a store in memory, need no timer, which would cost more than the call.
///
/// # Panics
///
/// Panics if it has to wait outside of a Tokio runtime with time enabled.
// The caller pins the future: it is some hundred bytes long, and each function that it is passed through would copy it.
pub(crate) async fn within<T>(limit: Duration, mut calls: Pin<&mut impl Future<Output = T>>) -> Result<T, Elapsed> {
    if let Poll::Ready(answer) = poll_fn(|context| Poll::Ready(calls.as_mut().poll(context))).await {
        return Ok(answer);
    }
    // Boxed, because a timer takes more room than all else in a request's future, which has that room all the time.
    Box::pin(tokio::time::timeout(limit, calls)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};
    use std::pin::pin;

    const LIMIT: Duration = Duration::from_secs(5);

    #[test]
    fn a_call_that_is_ready_needs_no_runtime() {
        let mut calls = pin!(ready(7));
        let mut answer = pin!(within(LIMIT, calls.as_mut()));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(matches!(answer.as_mut().poll(&mut context), Poll::Ready(Ok(7))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_call_is_waited_for_up_to_the_limit() {
        let before = tokio::time::Instant::now();
        let late = async {
            tokio::time::sleep(LIMIT - Duration::from_millis(1)).await;
            7
        };
        assert!(matches!(within(LIMIT, pin!(late)).await, Ok(7)));
        assert!(within(LIMIT, pin!(pending::<()>())).await.is_err());
        assert_eq!(before.elapsed().as_millis(), LIMIT.as_millis() * 2 - 1);
    }
}
