//! The primitives at which the users of a [`GroupSync`](crate::GroupSync) meet: `std`'s, or a model checker's.
//!
//! The engine's `primitives` tell more; `cargo xtask loom` and `cargo xtask shuttle` run the checks.

#[cfg(all(test, slice_loom))]
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard, atomic::AtomicU64};
#[cfg(slice_shuttle)]
pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard, atomic::AtomicU64};
#[cfg(not(any(all(test, slice_loom), slice_shuttle)))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, atomic::AtomicU64};
