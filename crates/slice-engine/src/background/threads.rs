//! The one place that starts threads: named, and joined when the database closes.

use std::sync::Mutex;
use std::thread::{Builder, JoinHandle};

use slice_types::{Error, Result};

use crate::signal::lock;

/// The long-lived threads of a database.
#[derive(Default)]
pub(crate) struct Threads(Mutex<Vec<JoinHandle<()>>>);

impl Threads {
    /// Starts a thread at a lower priority than the foreground's.
    pub(crate) fn start(&self, name: String, body: impl FnOnce() + Send + 'static) -> Result<()> {
        let run = move || {
            slice_vfs::lower_thread_priority();
            body();
        };
        let handle =
            Builder::new().name(name).spawn(run).map_err(|error| Error::io("start a thread", error))?;
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

/// Runs `parts` at once, one thread each, and gives their results in order.
///
/// # Panics
///
/// When one of them does.
pub(crate) fn in_parallel<T: Send>(parts: Vec<impl FnOnce() -> T + Send>) -> Vec<T> {
    std::thread::scope(|scope| {
        let started: Vec<_> = parts
            .into_iter()
            .map(|part| {
                let run = move || {
                    slice_vfs::lower_thread_priority();
                    part()
                };
                Builder::new().name("slice-merge".to_owned()).spawn_scoped(scope, run)
            })
            .collect();
        started
            .into_iter()
            .map(|handle| {
                let handle = handle.expect("the operating system starts a thread");
                handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    })
}
