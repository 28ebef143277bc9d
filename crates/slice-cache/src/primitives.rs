//! What threads share: `std`'s locks and atomics and `arc-swap`'s pointers, or those that loom checks. `cargo xtask loom`
//! runs the checks.

#[cfg(all(test, slice_loom))]
pub(crate) use loom::sync::atomic::AtomicU8;
#[cfg(all(test, slice_loom))]
pub(crate) use loom::sync::{Mutex, MutexGuard};
#[cfg(not(all(test, slice_loom)))]
pub(crate) use std::sync::atomic::AtomicU8;
#[cfg(not(all(test, slice_loom)))]
pub(crate) use std::sync::{Mutex, MutexGuard};

/// A counted pointer that is replaced as a whole, and read without a lock.
#[cfg(not(all(test, slice_loom)))]
pub(crate) type Slot<B> = arc_swap::ArcSwapAny<Option<B>>;

/// What a load of it gives.
#[cfg(not(all(test, slice_loom)))]
pub(crate) type Loaded<B> = arc_swap::Guard<Option<B>>;

#[cfg(all(test, slice_loom))]
pub(crate) use checked::{Loaded, Slot};

/// What `arc-swap` promises, as loom can check its users: each load, store and swap happens at once.
#[cfg(all(test, slice_loom))]
mod checked {
    use std::sync::PoisonError;

    use super::Mutex;

    pub(crate) type Loaded<B> = Box<Option<B>>;

    pub(crate) struct Slot<B>(Mutex<Option<B>>);

    impl<B> From<Option<B>> for Slot<B> {
        fn from(value: Option<B>) -> Self {
            Self(Mutex::new(value))
        }
    }

    impl<B: Clone> Slot<B> {
        pub(crate) fn load(&self) -> Loaded<B> {
            Box::new(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
        }

        pub(crate) fn swap(&self, value: Option<B>) -> Option<B> {
            std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), value)
        }

        pub(crate) fn store(&self, value: Option<B>) {
            drop(self.swap(value));
        }
    }
}
