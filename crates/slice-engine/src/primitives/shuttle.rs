//! The primitives that shuttle schedules: threads run one at a time, and are switched at each use of these.

pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU64};
pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard};

/// Threads that live long. Waits with a time limit have none: what only a timer would end is a deadlock.
pub(crate) mod thread {
    pub(crate) use shuttle::thread::{Builder, JoinHandle, sleep};
}

/// A value for each thread.
pub(crate) use shuttle::thread_local as per_thread;

/// A value of one run.
macro_rules! global {
    (static $name:ident: $type:ty = $init:expr;) => {
        shuttle::lazy_static! { static ref $name: $type = $init; }
    };
}
pub(crate) use global;
