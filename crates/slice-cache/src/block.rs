//! The block cache: blocks of tables, counted in bytes.
//!
//! A block is keyed by its table and its offset in it, and never goes stale, for the reason a row does not: a table never
//! changes, and its number is never used again. What belongs to tables that are gone ages out.
//!
//! Each shard keeps `used <= capacity` at every moment at which its lock is free:
//!
//! ```text
//!   insert:  lock -> does it fit? --yes--> put in, unlock
//!              ^         | no
//!              |         v
//!              +-- take out the least recently used one, unlock, drop it
//! ```

use std::fmt;
use std::hash::{Hash, Hasher};
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};

use lru::LruCache;
use xxhash_rust::xxh3::xxh3_64;

use crate::charge::Charge;
use crate::shard::{PassThroughBuild, Shards, pick, shares, split};
use crate::stats::{CacheStats, Counters};

/// The fewest bytes of a shard, unless it is the only one: a thousand blocks of 4 KiB, and room for a large one.
const SHARE_MIN: usize = 4 * 1024 * 1024;

/// What an entry takes besides its key and its block, in bytes: two links and a length in its node, two pointers and a
/// tag in a map that is half full, and the allocator's header.
const NODE_BYTES: usize = 3 * 8 + 2 * (2 * 8 + 1) + 16;

/// A cache of blocks: least recently used out first, capacity counted in bytes of memory.
///
/// It is split into shards of at least 4 MiB by the hash of table and offset; below 8 MiB it is one LRU list. A block
/// that exceeds its shard's share is not stored.
///
/// All methods may be called from any thread. Blocks are cloned out under a lock, so `B` should be cheap to clone
/// ([`Bytes`](bytes::Bytes), an `Arc`); they are dropped outside of it.
pub struct BlockCache<B: Clone + Charge> {
    shards: Shards<BlockShard<B>>,
    capacity: AtomicUsize,
}

struct BlockShard<B> {
    blocks: Blocks<B>,
    /// The charges of `blocks`, added up.
    used: usize,
    capacity: usize,
    counters: Counters,
}

type Blocks<B> = LruCache<BlockKey, Charged<B>, PassThroughBuild>;

/// A block, and what it was charged when it came.
struct Charged<B> {
    block: B,
    charge: usize,
}

impl<B: Clone + Charge> BlockCache<B> {
    /// What each block is charged in addition to its own [`Charge`], in bytes.
    pub const ENTRY_OVERHEAD: usize = size_of::<BlockKey>() + size_of::<B>() + NODE_BYTES;

    /// A cache of this many bytes; with 0, one that stores nothing and counts nothing.
    pub fn new(capacity_bytes: usize) -> Self {
        Self {
            shards: split(capacity_bytes, SHARE_MIN, BlockShard::new),
            capacity: AtomicUsize::new(capacity_bytes),
        }
    }

    /// The block at `offset` of `table`, which becomes the most recently used one.
    #[inline]
    pub fn get(&self, table: u64, offset: u64) -> Option<B> {
        let key = BlockKey::new(table, offset);
        let mut shard = pick(&self.shards, key.hash)?.lock();
        let BlockShard { blocks, counters, .. } = &mut *shard;
        counters.lookup(blocks.get(&key)).map(|charged| charged.block.clone())
    }

    /// Puts in the block at `offset` of `table`, as the most recently used one, once the least recently used ones have
    /// made room. One that would not fit an empty shard is dropped, and pushes nothing out.
    pub fn insert(&self, table: u64, offset: u64, block: B) {
        let key = BlockKey::new(table, offset);
        let Some(shard) = pick(&self.shards, key.hash) else { return };
        let charge = block.charge().saturating_add(Self::ENTRY_OVERHEAD);
        let mut incoming = Charged { block, charge };
        loop {
            // Bound to a name, what has to go outlives the lock: dropping it is not the next thread's time.
            let step = shard.lock().insert(key, incoming);
            match step {
                Insertion::Done(_replaced) => return,
                Insertion::Evicted(_victim, again) => incoming = again,
            }
        }
    }

    /// Changes the capacity; when it shrinks, the least recently used blocks go until the rest fits.
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
            let blocks = shard.lock().take();
            drop(blocks);
        }
    }

    /// Its size in charged bytes, and its counters.
    pub fn stats(&self) -> CacheStats {
        let shards = self.shards.iter().map(|shard| {
            let shard = shard.lock();
            (shard.used, shard.counters)
        });
        CacheStats::sum(self.capacity(), shards)
    }

    /// How many blocks are in it.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().blocks.len()).sum()
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

/// One step of an insertion. Both carry what the caller is to drop, without the lock.
enum Insertion<B> {
    /// It is over. Here is the block that was there before, or the one that never fits.
    Done(Option<Charged<B>>),
    /// A block had to go, and the new one is to be tried again.
    Evicted(Charged<B>, Charged<B>),
}

impl<B> BlockShard<B> {
    fn new(capacity: usize) -> Self {
        Self { blocks: empty(), used: 0, capacity, counters: Counters::default() }
    }

    fn insert(&mut self, key: BlockKey, incoming: Charged<B>) -> Insertion<B> {
        if incoming.charge > self.capacity {
            return Insertion::Done(Some(incoming));
        }
        let freed = self.blocks.peek(&key).map_or(0, |old| old.charge);
        if self.used - freed + incoming.charge <= self.capacity {
            self.used = self.used - freed + incoming.charge;
            self.counters.insertions += 1;
            return Insertion::Done(self.blocks.put(key, incoming));
        }
        let (_, victim) = self.blocks.pop_lru().expect("an empty shard has room for what fits it");
        self.used -= victim.charge;
        self.counters.evictions += 1;
        Insertion::Evicted(victim, incoming)
    }

    /// Sets the capacity, and takes out one of the blocks that are too many by now.
    fn shrink(&mut self, capacity: usize) -> Option<Charged<B>> {
        self.capacity = capacity;
        if self.used <= capacity {
            return None;
        }
        let (_, victim) = self.blocks.pop_lru()?;
        self.used -= victim.charge;
        self.counters.evictions += 1;
        Some(victim)
    }

    /// Takes all blocks, and leaves none.
    fn take(&mut self) -> Blocks<B> {
        self.used = 0;
        mem::replace(&mut self.blocks, empty())
    }
}

fn empty<B>() -> Blocks<B> {
    LruCache::unbounded_with_hasher(PassThroughBuild::default())
}

/// A block's identity, with its hash.
#[derive(Clone, Copy, PartialEq, Eq)]
struct BlockKey {
    hash: u64,
    table: u64,
    offset: u64,
}

impl BlockKey {
    #[inline]
    fn new(table: u64, offset: u64) -> Self {
        let joined = u128::from(table) << 64 | u128::from(offset);
        Self { hash: xxh3_64(&joined.to_le_bytes()), table, offset }
    }
}

impl Hash for BlockKey {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl<B: Clone + Charge> fmt::Debug for BlockCache<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockCache").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
