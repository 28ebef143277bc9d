//! What both caches share: how a key finds its shard, and a hasher that passes on a hash that is there already.
//!
//! ```text
//!   64-bit hash:   [ 7 bits: tag in the map |  ...  | shard, from bit 32 up | ...  bucket in the map ]
//! ```
//!
//! A shard is chosen by bits of the hash that its map does not use first: chosen by the lowest, all keys of a shard
//! would agree in the bits that should spread them over its buckets.

use std::hash::{BuildHasherDefault, Hasher};
use std::sync::PoisonError;

use crate::primitives::{Mutex, MutexGuard};

/// The most shards of a cache: well over the threads that are inside it at one time.
const SHARDS_MAX: usize = 64;

/// A lock on a cache line (and its prefetched neighbour) of its own: threads in different shards do not meet.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Shard<T>(Mutex<T>);

impl<T> Shard<T> {
    /// Takes the lock.
    ///
    /// Only cloning a cached value runs foreign code under it, and at that moment the shard is whole: a panic there
    /// is of no concern to the next one.
    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The shards of a cache: a power of two, or none where the capacity is 0.
pub(crate) type Shards<T> = Box<[Shard<T>]>;

/// Makes shards whose capacities add up to `capacity`; each is at least `share_min`, except that a lone one may be less.
pub(crate) fn split<T>(capacity: usize, share_min: usize, make: impl Fn(usize) -> T) -> Shards<T> {
    if capacity == 0 {
        return Box::default();
    }
    let count = 1 << (capacity / share_min).clamp(1, SHARDS_MAX).ilog2();
    shares(capacity, count).map(|share| Shard(Mutex::new(make(share)))).collect()
}

/// A capacity, divided among so many shards.
pub(crate) fn shares(capacity: usize, count: usize) -> impl Iterator<Item = usize> {
    let (share, rest) = (capacity.checked_div(count).unwrap_or(0), capacity.checked_rem(count).unwrap_or(0));
    (0..count).map(move |i| share + usize::from(i < rest))
}

/// The shard that this hash belongs to; `None` in a cache that is disabled.
#[inline]
pub(crate) fn pick<T>(shards: &[Shard<T>], hash: u64) -> Option<&Shard<T>> {
    shards.get((hash >> 32) as usize & shards.len().wrapping_sub(1))
}

/// Passes on the one `u64` that it is given: the keys carry their hash.
#[derive(Clone, Copy, Default)]
pub(crate) struct PassThrough(u64);

/// Makes [`PassThrough`] hashers.
pub(crate) type PassThroughBuild = BuildHasherDefault<PassThrough>;

impl Hasher for PassThrough {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("the keys of a cache hash to one u64");
    }

    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
