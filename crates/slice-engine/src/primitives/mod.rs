//! The primitives at which the engine's threads meet: the real ones, or those of a model checker, which tries the
//! orders in which threads may run. The code that uses them is the same.
//!
//! | build | locks, conditions, atomics, threads | [`Swap`], [`Memory`] | who uses it |
//! |---|---|---|---|
//! | any | `std` | `arc-swap`, the memtable | everyone |
//! | `--cfg slice_loom`, tests of this crate only | loom | doubles in `model.rs` | `cargo xtask loom` |
//! | `--cfg slice_shuttle` | shuttle | doubles in `model.rs` | `cargo xtask shuttle` |
//!
//! What no thread waits for and no order hangs on stays with `std` in every build, invisible to the checkers: counters,
//! rates, reference counts, the flag that cancels a merge. So does what holds a lock without a call out: file systems
//! in memory, caches, the memtable's arena. A checker switches threads at its own primitives only.

/// Whether a model checker decides which thread runs: then threads that it does not know of are of no use.
pub(crate) const IS_CHECKED: bool = cfg!(any(all(test, slice_loom), slice_shuttle));

/// Channels. They are `std`'s in every build: who uses them does without where [`IS_CHECKED`].
pub(crate) mod channels {
    pub(crate) use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
}

#[cfg(all(test, slice_loom))]
mod loom;
#[cfg(any(all(test, slice_loom), slice_shuttle))]
mod model;
#[cfg(not(any(all(test, slice_loom), slice_shuttle)))]
mod real;
#[cfg(slice_shuttle)]
mod shuttle;

#[cfg(all(test, slice_loom))]
pub(crate) use self::loom::*;
#[cfg(any(all(test, slice_loom), slice_shuttle))]
pub(crate) use self::model::{Loaded, Loader, Memory, Swap, keep};
#[cfg(not(any(all(test, slice_loom), slice_shuttle)))]
pub(crate) use self::real::*;
#[cfg(slice_shuttle)]
pub(crate) use self::shuttle::*;
