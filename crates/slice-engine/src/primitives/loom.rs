//! The primitives that loom checks, within `loom::model`: every order, and every value that the memory model lets a
//! load return.

use std::sync::atomic::Ordering;

pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};

/// A store in a model has `Background::Inline`, and starts none: the model's own threads do the work.
pub(crate) mod thread {
    pub(crate) use std::thread::{Builder, JoinHandle};

    /// Time does not pass in a model.
    pub(crate) fn sleep(_time: std::time::Duration) {
        loom::thread::yield_now();
    }
}

/// Says to loom that what comes next may not change places with what other threads do here.
///
/// Of an atomic, loom 0.7 remembers the last use only. A store behind a load by the same thread looks harmless then,
/// whoever else loaded before, and their other order is never tried. Every use of this depends on every other, so all
/// their orders are tried. Relaxed: it orders nothing within the model.
#[derive(Debug)]
struct Crossing(loom::sync::atomic::AtomicUsize);

impl Crossing {
    fn new() -> Self {
        Self(loom::sync::atomic::AtomicUsize::new(0))
    }

    fn pass(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

macro_rules! atomic {
    ($name:ident, $type:ty) => {
        #[derive(Debug)]
        pub(crate) struct $name {
            crossing: Crossing,
            value: loom::sync::atomic::$name,
        }

        impl $name {
            pub(crate) fn new(value: $type) -> Self {
                Self { crossing: Crossing::new(), value: loom::sync::atomic::$name::new(value) }
            }

            pub(crate) fn load(&self, order: Ordering) -> $type {
                self.crossing.pass();
                self.value.load(order)
            }

            pub(crate) fn store(&self, value: $type, order: Ordering) {
                self.crossing.pass();
                self.value.store(value, order);
            }
        }
    };
}

atomic!(AtomicBool, bool);
atomic!(AtomicU64, u64);

impl AtomicBool {
    pub(crate) fn swap(&self, value: bool, order: Ordering) -> bool {
        self.crossing.pass();
        self.value.swap(value, order)
    }
}

/// One value for each of the model's threads.
macro_rules! per_thread {
    (static $name:ident: $type:ty = const { $init:expr };) => {
        loom::thread_local! { static $name: $type = $init; }
    };
}
pub(crate) use per_thread;

/// A value of one run of a model.
macro_rules! global {
    (static $name:ident: $type:ty = $init:expr;) => {
        loom::lazy_static! { static ref $name: $type = $init; }
    };
}
pub(crate) use global;
