//! The lock of a shard: `std`'s, or the one that loom checks. `cargo xtask loom` runs the checks.

#[cfg(all(test, slice_loom))]
pub(crate) use loom::sync::{Mutex, MutexGuard};
#[cfg(not(all(test, slice_loom)))]
pub(crate) use std::sync::{Mutex, MutexGuard};
