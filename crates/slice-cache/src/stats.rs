//! What a cache says about itself.

/// The state of a cache, and what it did since it was made.
///
/// Each shard is read under its lock, one after another: under load the sums are of slightly different moments.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CacheStats {
    /// What is in it: entries in a row cache, charged bytes in a block cache.
    pub size: usize,
    /// The most that may be in it, in the same unit.
    pub capacity: usize,
    /// `hits` of all lookups, from 0.0 to 1.0; 0.0 before the first.
    pub hit_ratio: f64,
    /// Lookups that found their entry.
    pub hits: u64,
    /// Lookups that did not.
    pub misses: u64,
    /// Entries that were put in, again or for the first time.
    pub insertions: u64,
    /// Entries that were pushed out by others. Not those that [`clear`](crate::RowCache::clear) took.
    pub evictions: u64,
}

/// The counters of one shard, under its lock: a shared atomic would be a cache line that all threads write.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) insertions: u64,
    pub(crate) evictions: u64,
}

impl Counters {
    /// Counts a lookup, and passes on what it found.
    #[inline]
    pub(crate) fn lookup<T>(&mut self, found: Option<T>) -> Option<T> {
        if found.is_some() {
            self.hits += 1;
        } else {
            self.misses += 1;
        }
        found
    }
}

impl CacheStats {
    /// Adds up shards: what is in each, and its counters.
    pub(crate) fn sum(capacity: usize, shards: impl Iterator<Item = (usize, Counters)>) -> Self {
        let mut stats = Self { capacity, ..Self::default() };
        for (size, counters) in shards {
            stats.size += size;
            stats.hits += counters.hits;
            stats.misses += counters.misses;
            stats.insertions += counters.insertions;
            stats.evictions += counters.evictions;
        }
        stats.with_lookups(0, 0)
    }

    /// The same with lookups that were counted elsewhere.
    pub(crate) fn with_lookups(mut self, hits: u64, misses: u64) -> Self {
        self.hits += hits;
        self.misses += misses;
        let lookups = self.hits + self.misses;
        if lookups > 0 {
            self.hit_ratio = self.hits as f64 / lookups as f64;
        }
        self
    }
}
