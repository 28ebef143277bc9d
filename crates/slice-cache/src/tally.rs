//! Counts lookups without a cache line that all threads write.

use std::sync::atomic::{AtomicU64, Ordering};

use thread_local::ThreadLocal;

/// A count of which each thread has a part that only it writes.
#[derive(Default)]
pub(crate) struct Tally(ThreadLocal<Part>);

/// On a cache line (and its prefetched neighbour) of its own.
#[derive(Default)]
#[repr(align(128))]
struct Part(AtomicU64);

impl Tally {
    /// Counts one.
    #[inline]
    pub(crate) fn add(&self) {
        let Part(count) = self.0.get_or_default();
        // A load and a store, since nobody else stores: a third of the time of an atomic addition.
        count.store(count.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// All that was counted.
    pub(crate) fn sum(&self) -> u64 {
        self.0.iter().map(|Part(count)| count.load(Ordering::Relaxed)).sum()
    }
}
