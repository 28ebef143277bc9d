//! The one place that starts threads: named, and joined when the database closes, or before the call returns.

use std::sync::PoisonError;
use std::thread::{Scope, ScopedJoinHandle};

use slice_types::{Error, Result};

use crate::primitives::Mutex;
use crate::primitives::thread::{Builder, JoinHandle};
use crate::signal::lock;

/// The long-lived threads of a database.
#[derive(Default)]
pub(crate) struct Threads(Mutex<Vec<JoinHandle<()>>>);

impl Threads {
    /// Starts a thread.
    pub(crate) fn start(&self, name: String, body: impl FnOnce() + Send + 'static) -> Result<()> {
        let handle =
            Builder::new().name(name).spawn(body).map_err(|error| Error::io("start a thread", error))?;
        lock(&self.0).push(handle);
        Ok(())
    }

    /// Waits for all of them to end; they must have been told to.
    pub(crate) fn join(&self) {
        let handles = std::mem::take(&mut *lock(&self.0));
        for handle in handles {
            if handle.join().is_err() {
                tracing::error!("a background thread panicked");
            }
        }
    }
}

/// Starts a thread that ends with the scope. One that the operating system refuses only makes the work slower.
pub(crate) fn helper<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    body: impl FnOnce() -> T + Send + 'scope,
) -> Option<ScopedJoinHandle<'scope, T>> {
    let started = std::thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, body);
    started.inspect_err(|error| tracing::warn!(%error, "{name} goes on with fewer threads")).ok()
}

/// Runs `parts` side by side, on as many threads as there are processors, this one included, and gives their results
/// in order. A thread that the operating system refuses only makes it slower.
///
/// # Panics
///
/// When one of them does.
pub(crate) fn in_parallel<T: Send>(parts: Vec<impl FnOnce() -> T + Send>) -> Vec<T> {
    let helpers = std::thread::available_parallelism().map_or(1, usize::from).min(parts.len()) - 1;
    let results: Vec<_> = parts.iter().map(|_| Mutex::new(None)).collect();
    let waiting = Mutex::new(parts.into_iter().zip(&results));
    let work = || {
        loop {
            // Bound to a name, so that the lock is free again while the part runs.
            let next = lock(&waiting).next();
            let Some((part, result)) = next else { return };
            *lock(result) = Some(part());
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..helpers {
            // The scope waits for it, and panics if it does.
            let _started = helper(scope, "slice-merge", || {
                slice_vfs::lower_thread_priority();
                work();
            });
        }
        work();
    });
    let result = |result: Mutex<Option<T>>| result.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.into_iter().map(|part| result(part).expect("every part has run")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_run_in_parallel_give_their_results_in_order() {
        for count in [1, 2, 7, 100] {
            let results = in_parallel((0..count).map(|n| move || n * n).collect());
            assert_eq!(results, (0..count).map(|n| n * n).collect::<Vec<_>>());
        }
    }
}
