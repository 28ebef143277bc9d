//! Runs a future on this thread, without a runtime.
//!
//! The futures of blocking engines are ready at the first poll, and then this costs nothing. One that is not is waited
//! for asleep.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// The output of a future.
#[inline]
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        // The first waker wakes nobody, so it is polled anew with one that does before anybody sleeps.
        Poll::Pending => park_on(future),
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cold]
fn park_on<T>(mut future: std::pin::Pin<&mut impl Future<Output = T>>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ready_future_and_one_that_another_thread_completes_are_run() {
        assert_eq!(block_on(std::future::ready(1)), 1);
        let (sender, receiver) = tokio::sync::oneshot::channel();
        thread::scope(|scope| {
            scope.spawn(|| sender.send(2));
            assert_eq!(block_on(receiver), Ok(2));
        });
    }
}
