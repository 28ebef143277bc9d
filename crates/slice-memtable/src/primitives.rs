//! The atomics at which the tree's writer meets its readers: `std`'s, or those that loom checks (`cargo xtask loom`).
//!
//! Memory that is no atomic is watched through [`Watched`], which is nothing at all in a build that is not checked.

#[cfg(all(test, slice_loom))]
pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, fence};
#[cfg(not(all(test, slice_loom)))]
pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, fence};

/// Tells the checker which granules of a piece of memory are written and read, so that it finds the races between them.
#[cfg(all(test, slice_loom))]
pub(crate) struct Watched(Vec<loom::cell::UnsafeCell<()>>);

#[cfg(all(test, slice_loom))]
impl Watched {
    pub(crate) fn new(granules: usize) -> Self {
        Self((0..granules).map(|_| loom::cell::UnsafeCell::new(())).collect())
    }

    pub(crate) fn write(&self, granules: std::ops::Range<usize>) {
        self.0[granules].iter().for_each(|granule| granule.with_mut(|_| ()));
    }

    pub(crate) fn read(&self, granules: std::ops::Range<usize>) {
        self.0[granules].iter().for_each(|granule| granule.with(|_| ()));
    }
}

/// Nothing, where nobody checks.
#[cfg(not(all(test, slice_loom)))]
pub(crate) struct Watched;

#[cfg(not(all(test, slice_loom)))]
impl Watched {
    pub(crate) const fn new(_granules: usize) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "the checked one needs it")]
    pub(crate) const fn write(&self, _granules: std::ops::Range<usize>) {}

    #[expect(clippy::unused_self, reason = "the checked one needs it")]
    pub(crate) const fn read(&self, _granules: std::ops::Range<usize>) {}
}
