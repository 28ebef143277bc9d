//! The primitives of every build that is not for a model checker.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64};
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};

/// Threads that live long.
pub(crate) mod thread {
    pub(crate) use std::thread::{Builder, JoinHandle};

    /// Lets time pass.
    #[expect(clippy::disallowed_methods, reason = "it slows the caller down, and waits for nobody")]
    pub(crate) fn sleep(time: std::time::Duration) {
        std::thread::sleep(time);
    }
}

/// A value that is replaced as a whole, and read without a lock.
pub(crate) use arc_swap::ArcSwap as Swap;

/// What a load of it gives.
pub(crate) type Loaded<T> = arc_swap::Guard<std::sync::Arc<T>>;

/// Keeps what was loaded for longer than a moment.
pub(crate) fn keep<T>(loaded: Loaded<T>) -> std::sync::Arc<T> {
    arc_swap::Guard::into_inner(loaded)
}

/// The memtable in use.
pub(crate) type Memory = slice_memtable::AnyMemTable;

/// Such a memtable that is being made of many entries.
pub(crate) type Loader = slice_memtable::AnyLoader;

/// A value for each thread.
pub(crate) use std::thread_local as per_thread;

/// A value of the whole process.
macro_rules! global {
    (static $name:ident: $type:ty = $init:expr;) => {
        static $name: std::sync::LazyLock<$type> = std::sync::LazyLock::new(|| $init);
    };
}
pub(crate) use global;
