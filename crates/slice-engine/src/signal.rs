//! "Something changed": waited for by threads and by tasks alike.
//!
//! A waiter gives a question; it is asked at once, and again after every [`Signal::raise`], until it has an answer.
//! The state that the question looks at must be changed *before* the signal is raised; then no wake-up is lost:
//! threads ask under the lock that `raise` takes, tasks register before they ask.

use std::sync::PoisonError;

use tokio::sync::Notify;

use crate::primitives::{Condvar, Mutex, MutexGuard};

#[derive(Debug, Default)]
pub(crate) struct Signal {
    lock: Mutex<()>,
    threads: Condvar,
    tasks: Notify,
}

impl Signal {
    /// Wakes every waiter, to ask again.
    pub(crate) fn raise(&self) {
        drop(lock(&self.lock));
        self.threads.notify_all();
        self.tasks.notify_waiters();
    }

    /// Waits as a thread.
    pub(crate) fn wait<T>(&self, mut question: impl FnMut() -> Option<T>) -> T {
        let mut guard = lock(&self.lock);
        loop {
            if let Some(answer) = question() {
                return answer;
            }
            guard = self.threads.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits as a task.
    pub(crate) async fn waited<T>(&self, mut question: impl FnMut() -> Option<T>) -> T {
        loop {
            let mut change = std::pin::pin!(self.tasks.notified());
            change.as_mut().enable();
            if let Some(answer) = question() {
                return answer;
            }
            change.await;
        }
    }
}

/// Locks, also when a thread panicked while it held the lock: what these locks guard is changed in one step, or
/// checked by its user.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Counts a shared number up, raising the signal each time, while `waiters` wait for every step of it.
    fn count_up(signal: &Signal, number: &AtomicU32, steps: u32) {
        for step in 1..=steps {
            number.store(step, Ordering::SeqCst);
            signal.raise();
        }
    }

    fn reached(number: &AtomicU32, step: u32) -> Option<u32> {
        let now = number.load(Ordering::SeqCst);
        (now >= step).then_some(now)
    }

    #[test]
    fn no_wake_up_is_lost_by_threads() {
        let (signal, number) = (Signal::default(), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for step in 1..=2000 {
                        assert!(signal.wait(|| reached(&number, step)) >= step);
                    }
                });
            }
            scope.spawn(|| count_up(&signal, &number, 2000));
        });
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_wake_up_is_lost_by_tasks() {
        let shared = Arc::new((Signal::default(), AtomicU32::new(0)));
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    for step in 1..=2000 {
                        assert!(shared.0.waited(|| reached(&shared.1, step)).await >= step);
                    }
                })
            })
            .collect();
        count_up(&shared.0, &shared.1, 2000);
        for waiter in waiters {
            waiter.await.unwrap();
        }
    }
}
