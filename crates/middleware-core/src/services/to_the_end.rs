use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

/// A future that runs to its end, also if nobody waits for it any more: when it is dropped, it goes on as a task.
pub(crate) struct ToTheEnd<T: Send + 'static>(Option<Pin<Box<dyn Future<Output = T> + Send>>>);

impl<T: Send + 'static> ToTheEnd<T> {
    pub(crate) fn new(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Some(Box::pin(work)))
    }
}

impl<T: Send + 'static> Future for ToTheEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // Taken, so that work which panics is not polled again by the drop.
        let Some(mut work) = self.0.take() else { return Poll::Pending };
        let polled = work.as_mut().poll(context);
        if polled.is_pending() {
            self.0 = Some(work);
        }
        polled
    }
}

impl<T: Send + 'static> Drop for ToTheEnd<T> {
    fn drop(&mut self) {
        // Without a runtime there is nobody left who could go on.
        if let (Some(work), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            drop(runtime.spawn(work));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn what_nobody_waits_for_goes_on() {
        let (begin, begun) = oneshot::channel::<()>();
        let (done, heard) = oneshot::channel();
        let mut work = ToTheEnd::new(async move {
            begun.await.unwrap();
            done.send(7).unwrap();
        });
        let waker = std::task::Waker::noop();
        assert!(Pin::new(&mut work).poll(&mut Context::from_waker(waker)).is_pending());
        drop(work);
        begin.send(()).unwrap();
        assert_eq!(heard.await, Ok(7));
    }

    #[tokio::test]
    async fn what_panics_is_not_polled_again() {
        let polls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&polls);
        let work = ToTheEnd::new(std::future::poll_fn(move |_| -> Poll<()> {
            counted.fetch_add(1, Ordering::Relaxed);
            panic!("the store has a fault");
        }));
        assert!(tokio::spawn(work).await.unwrap_err().is_panic());
        tokio::task::yield_now().await;
        assert_eq!(polls.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn what_is_done_is_not_done_again() {
        let mut runs = ToTheEnd::new(async { 7 });
        assert_eq!((&mut runs).await, 7);
        drop(runs);
    }
}
