use std::pin::Pin;
use std::task::{Context, Poll, ready};

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
        let Some(work) = &mut self.0 else { return Poll::Pending };
        let done = ready!(work.as_mut().poll(context));
        self.0 = None;
        Poll::Ready(done)
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
    async fn what_is_done_is_not_done_again() {
        let mut runs = ToTheEnd::new(async { 7 });
        assert_eq!((&mut runs).await, 7);
        drop(runs);
    }
}
