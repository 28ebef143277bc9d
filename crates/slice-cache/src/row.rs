//! The row cache: single rows, counted in entries.
//!
//! A row is what one table has to say about one key. It is keyed by both, so it can never be stale: a table never changes,
//! and the number of one that is gone is never used again. A newer version of the key lives in another table, and has a
//! row of its own.

mod key;

use std::fmt;
use std::mem;
use std::num::NonZeroUsize;

use lru::LruCache;

use crate::shard::{PassThroughBuild, Shards, pick, split};
use crate::stats::{CacheStats, Counters};
use key::{Row, RowId, RowKey};

/// The fewest entries of a shard, unless it is the only one.
const SHARE_MIN: usize = 4096;

type Rows<V> = LruCache<RowKey, V, PassThroughBuild>;

/// A cache of rows: least recently used out first, capacity counted in entries.
///
/// Below 8,192 entries it is one LRU list, exact. From there on it is split into shards by the hash of the key, each an
/// exact LRU of its share; the shares are of 4,096 entries at least and add up to the capacity.
///
/// All methods may be called from any thread. A hit allocates nothing. Values are cloned out under a lock, so `V` should
/// be cheap to clone ([`Bytes`](bytes::Bytes), an `Arc`); they are dropped outside of it.
pub struct RowCache<V: Clone> {
    shards: Shards<RowShard<V>>,
    capacity: usize,
}

struct RowShard<V> {
    rows: Rows<V>,
    counters: Counters,
}

impl<V: Clone> RowCache<V> {
    /// A cache for `capacity` entries; with 0, one that stores nothing and counts nothing.
    pub fn new(capacity: usize) -> Self {
        Self { shards: split(capacity, SHARE_MIN, RowShard::new), capacity }
    }

    /// The row of `key` in `table`, which becomes the most recently used one.
    ///
    /// `hash` is xxh3-64 of `key`, or any other good hash of it; always the same one for a cache.
    #[inline]
    pub fn get(&self, table: u64, key: &[u8], hash: u64) -> Option<V> {
        let row = Row::new(table, key, hash);
        let mut shard = pick(&self.shards, row.hash())?.lock();
        let RowShard { rows, counters } = &mut *shard;
        counters.lookup(rows.get(&row as &dyn RowId)).cloned()
    }

    /// Puts in the row of `key` in `table`, as the most recently used one. The least recently used one of a full shard
    /// makes room.
    ///
    /// `hash` as in [`get`](Self::get).
    pub fn insert(&self, table: u64, key: &[u8], hash: u64, value: V) {
        let row = Row::new(table, key, hash);
        let Some(shard) = pick(&self.shards, row.hash()) else { return };
        let owned = RowKey::from(row);
        // Bound to a name, what was displaced outlives the lock: dropping it is not the next thread's time.
        let displaced = shard.lock().insert(&row, owned, value);
        drop(displaced);
    }

    /// Takes all rows out. The counters stay.
    pub fn clear(&self) {
        for shard in &self.shards {
            let rows = shard.lock().take();
            drop(rows);
        }
    }

    /// Its size in entries, and its counters.
    pub fn stats(&self) -> CacheStats {
        let shards = self.shards.iter().map(|shard| {
            let shard = shard.lock();
            (shard.rows.len(), shard.counters)
        });
        CacheStats::sum(self.capacity, shards)
    }

    /// How many rows are in it.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().rows.len()).sum()
    }

    /// Whether no row is in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The most rows that may be in it.
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Whether it stores anything at all.
    pub const fn is_enabled(&self) -> bool {
        self.capacity > 0
    }
}

impl<V> RowShard<V> {
    fn new(capacity: usize) -> Self {
        let capacity = NonZeroUsize::new(capacity).expect("a share of a capacity over 0 is over 0");
        Self { rows: empty(capacity), counters: Counters::default() }
    }

    /// Returns what was there for the row, or had to go for it.
    fn insert(&mut self, row: &Row<'_>, key: RowKey, value: V) -> Option<(RowKey, V)> {
        self.counters.insertions += 1;
        let displaced = self.rows.push(key, value);
        if displaced.as_ref().is_some_and(|(key, _)| key.row() != *row) {
            self.counters.evictions += 1;
        }
        displaced
    }

    /// Takes all rows, and leaves none.
    fn take(&mut self) -> Rows<V> {
        let capacity = self.rows.cap();
        mem::replace(&mut self.rows, empty(capacity))
    }
}

/// A list for `capacity` rows whose map grows as they come: most caches are never full.
fn empty<V>(capacity: NonZeroUsize) -> Rows<V> {
    let mut rows = LruCache::unbounded_with_hasher(PassThroughBuild::default());
    rows.resize(capacity);
    rows
}

impl<V: Clone> fmt::Debug for RowCache<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowCache").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
