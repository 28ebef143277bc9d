//! The block cache: blocks of tables, counted in bytes.
//!
//! A table's blocks are numbered, so they need no map: each open table has a [`Shelf`] with a slot for each of its blocks.
//! A hit is one load of a pointer, without a lock and without a write that other threads would feel.
//!
//! ```text
//!   table 7   Shelf   [ slot 0 | slot 1 | slot 2 | ... ]        which block; and one mark each: used since the hand passed
//!                         ^                 ^
//!   table 9   Shelf   [ slot 0 | slot 1 | ...  ^
//!                         ^        ^        |  |
//!   shard     ring    < entry | entry | entry | entry >          the order in which they came; its front is the clock's hand
//! ```
//!
//! Who needs room takes entries from the front of a ring: one whose block was used is marked no more and goes to the back,
//! the first other one is out. This is second chance, the clock of F. J. Corbató ("A Paging Experiment with the Multics
//! System", 1968).
//!
//! A block never goes stale: a table never changes. With its shelf, a table's blocks go at once.
//!
//! Invariants, at every moment at which a shard's lock is free: `used <= capacity`, and each block in a slot has one entry
//! in one ring, where it was charged. Slots are filled and emptied under that shard's lock, and read without it.

mod chance;
mod ring;
mod slots;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::RefCnt;

use crate::charge::Charge;
use crate::shard::{Shard, Shards, shares, split};
use crate::stats::CacheStats;
use crate::tally::Tally;
use ring::{Entry, Insertion, Ring};
pub use slots::Kept;
use slots::Slots;

/// The fewest bytes of a shard, unless it is the only one: a thousand blocks of 4 KiB, and room for a large one.
const SHARE_MIN: usize = 4 * 1024 * 1024;

/// What the allocator puts before a block, in bytes.
const ALLOCATOR_BYTES: usize = 16;

/// An odd number with no pattern: 2^64 divided by the golden ratio.
const SPREAD: usize = 0x9e37_79b9_7f4a_7c15;

/// A cache of blocks: what was not used for a round of the clock goes out first; capacity counted in bytes of memory.
///
/// It is split into shards of at least 4 MiB, over which the blocks of each table are dealt in turn; below 8 MiB it is one
/// ring. A block that exceeds its shard's share is not stored.
///
/// All methods may be called from any thread. A block `B` is a counted pointer ([`Arc`], `triomphe::ThinArc`). What goes
/// out is dropped under no lock.
pub struct BlockCache<B: RefCnt + Charge> {
    shards: Shards<Ring<B>>,
    capacity: AtomicUsize,
    /// How many shelves there were: each deals its blocks from another shard on.
    shelves: AtomicUsize,
    hits: Tally,
    misses: Tally,
}

impl<B: RefCnt + Charge> BlockCache<B> {
    /// What each block is charged in addition to its own [`Charge`], in bytes: its slot and mark, its entry in a ring that
    /// is three quarters full on average, and the allocator's header.
    pub const ENTRY_OVERHEAD: usize =
        Slots::<B>::SLOT_BYTES + size_of::<Entry<B>>() * 4 / 3 + ALLOCATOR_BYTES;

    /// A cache of this many bytes; with 0, one that stores nothing and counts nothing.
    pub fn new(capacity_bytes: usize) -> Self {
        Self {
            shards: split(capacity_bytes, SHARE_MIN, Ring::new),
            capacity: AtomicUsize::new(capacity_bytes),
            shelves: AtomicUsize::new(0),
            hits: Tally::default(),
            misses: Tally::default(),
        }
    }

    /// A shelf for a table of so many blocks.
    pub fn shelf(self: &Arc<Self>, blocks: usize) -> Shelf<B> {
        let slots = if self.shards.is_empty() { 0 } else { blocks };
        Shelf {
            first_shard: self.shelves.fetch_add(1, Ordering::Relaxed).wrapping_mul(SPREAD) >> 32,
            slots: Arc::new(Slots::new(slots)),
            cache: Arc::clone(self),
        }
    }

    /// Changes the capacity; when it shrinks, blocks go until the rest fits.
    ///
    /// The shards stay as many as they were made: a cache that grows far beyond its first capacity has fewer than a new
    /// one would, and one that was made with 0 stays empty.
    pub fn resize(&self, capacity_bytes: usize) {
        self.capacity.store(capacity_bytes, Ordering::Relaxed);
        for (shard, share) in self.shards.iter().zip(shares(capacity_bytes, self.shards.len())) {
            // The lock is taken anew for each block, so that nobody waits for more than one.
            while let Some(victim) = shard.lock().shrink(share) {
                drop(victim);
            }
        }
    }

    /// Takes all blocks out. The counters stay.
    pub fn clear(&self) {
        for shard in &self.shards {
            let blocks = shard.lock().take_all();
            drop(blocks);
        }
    }

    /// Its size in charged bytes, and its counters.
    pub fn stats(&self) -> CacheStats {
        let shards = self.shards.iter().map(|shard| {
            let ring = shard.lock();
            (ring.used(), ring.counters())
        });
        CacheStats::sum(self.capacity(), shards).with_lookups(self.hits.sum(), self.misses.sum())
    }

    /// How many blocks are in it.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    /// Whether no block is in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The most bytes that may be charged.
    pub fn capacity(&self) -> usize {
        self.capacity.load(Ordering::Relaxed)
    }

    /// Whether it stores anything at all.
    pub fn is_enabled(&self) -> bool {
        self.capacity() > 0
    }
}

/// A table's place in a [`BlockCache`]: a slot for each of its blocks. Dropped, it takes them out.
pub struct Shelf<B: RefCnt + Charge> {
    slots: Arc<Slots<B>>,
    first_shard: usize,
    cache: Arc<BlockCache<B>>,
}

impl<B: RefCnt + Charge> Shelf<B> {
    /// The block of this number, which is spared when the clock's hand comes by.
    ///
    /// What is got stays whole while it is held, even when it goes out of the cache. Hold it for moments only: after some
    /// eight that a thread holds at once, each costs a count that threads share.
    #[inline]
    pub fn get(&self, block: usize) -> Option<Kept<B>> {
        let kept = self.slots.get(block);
        if kept.is_some() {
            self.cache.hits.add();
        } else if block < self.slots.len() {
            self.cache.misses.add();
        }
        kept
    }

    /// Whether to put in the block of this number, which was not there a moment ago: while there is room for one as large as a
    /// five-hundredth of a shard, always; where another has to go for it, one time in eight.
    ///
    /// What is read again and again is in soon for all that; and where no block is read more often than others, few of those
    /// that are there go for no better ones. This is bimodal insertion (Qureshi et al., "Adaptive Insertion Policies
    /// for High Performance Caching", 2007).
    #[inline]
    pub fn wants(&self, block: usize) -> bool {
        let Some(shard) = self.shard(block) else { return false };
        chance::one_in_eight() || shard.lock().has_room()
    }

    /// Puts in the block of this number, once others have made room; if it is there, what is there stays. One that would
    /// not fit an empty shard is dropped, and pushes nothing out.
    pub fn insert(&self, block: usize, kept: B) {
        let Some(shard) = self.shard(block) else { return };
        let charge = kept.charge().saturating_add(BlockCache::<B>::ENTRY_OVERHEAD);
        let mut incoming = Some((Entry::new(&self.slots, block, charge), kept));
        while let Some(block) = incoming {
            // Bound to a name, what has to go outlives the lock: dropping it is not the next thread's time.
            let Insertion { left, out: _out } = shard.lock().insert(block);
            incoming = left;
        }
    }

    /// The memory that the shelf itself takes, in bytes.
    pub fn memory_used(&self) -> usize {
        self.slots.len() * Slots::<B>::SLOT_BYTES
    }

    /// The shard that has the block of this number; `None` where there is no such block, or the cache is disabled.
    fn shard(&self, block: usize) -> Option<&Shard<Ring<B>>> {
        let shards = &self.cache.shards;
        (block < self.slots.len()).then(|| &shards[self.first_shard.wrapping_add(block) % shards.len()])
    }
}

impl<B: RefCnt + Charge> Drop for Shelf<B> {
    fn drop(&mut self) {
        let count = self.cache.shards.len();
        for first in 0..count.min(self.slots.len()) {
            let Some(shard) = self.shard(first) else { return };
            let blocks = shard.lock().take_from(&self.slots, (first..self.slots.len()).step_by(count));
            drop(blocks);
        }
    }
}

impl<B: RefCnt + Charge> fmt::Debug for Shelf<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf").field("blocks", &self.slots.len()).finish_non_exhaustive()
    }
}

impl<B: RefCnt + Charge> fmt::Debug for BlockCache<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockCache").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
