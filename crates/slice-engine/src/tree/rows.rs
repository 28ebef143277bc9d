//! The row cache, as long as it pays.
//!
//! A row that is found spares the search of a table, and the read of a block that is in no cache. A row that is not found
//! costs a lock, a copy, and another row its place. Where all keys are read alike, or where the blocks are in memory anyway,
//! that is a loss: so the cache is watched, and left alone while it does not pay.
//!
//! ```text
//!                     few hits, or blocks in memory
//!        asked  ------------------------------------->  left alone
//!          ^                                                |
//!          +------------------------------------------------+
//!               blocks come from files again: a trial, after ever longer pauses while trials fail
//! ```
//!
//! It is judged once in so many lookups, counted by the hashes of the keys: of about a thousand keys one is a *sample*.
//! Until the first judgement it is an exact list of the rows that were read last.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::{ArcSwap, Guard};
use bytes::Bytes;
use slice_cache::{CacheStats, RowCache};
use slice_types::Trailer;

use crate::primitives::Mutex;
use crate::signal::lock;

/// The newest version of a key within one table: `None` when the table's filter was wrong about the key.
pub(crate) type Row = Option<(Trailer, Bytes)>;

/// One key of so many is a sample: the low bits of its hash are zeros.
const SAMPLE_MASK: u64 = 0x3ff;
/// So many samples between two judgements: about 16,000 lookups.
const SAMPLES: u64 = 16;
/// No judgement is made on fewer lookups of rows.
const LOOKUPS_MIN: u64 = 4096;
/// The longest pause between two trials, in judgements.
const PAUSE_MAX: u32 = 64;

/// The row cache of a store.
pub(crate) struct Rows {
    cache: ArcSwap<RowCache<Row>>,
    /// Whether it is left alone. Read by every lookup, written by judgements.
    rests: AtomicBool,
    samples: AtomicU64,
    judge: Mutex<Judge>,
}

impl Rows {
    pub(crate) fn new(entries: usize) -> Self {
        Self {
            cache: ArcSwap::from_pointee(RowCache::new(entries)),
            rests: AtomicBool::new(entries == 0),
            samples: AtomicU64::new(0),
            judge: Mutex::new(Judge::default()),
        }
    }

    /// The cache, whether it pays or not.
    pub(crate) fn cache(&self) -> Guard<Arc<RowCache<Row>>> {
        self.cache.load()
    }

    /// The cache, for the lookup of a key with this hash; `None` while it is better left alone. `blocks` are the counts of
    /// the block cache.
    #[inline]
    pub(crate) fn for_lookup(
        &self,
        hash: u64,
        blocks: impl FnOnce() -> CacheStats,
    ) -> Option<Guard<Arc<RowCache<Row>>>> {
        if hash & SAMPLE_MASK == 0 {
            self.sample(blocks);
        }
        if self.rests.load(Ordering::Relaxed) { None } else { Some(self.cache.load()) }
    }

    /// Gives it another capacity, unless it has it; what was in it is forgotten then, and the judgement of it.
    pub(crate) fn resize(&self, entries: usize) {
        if self.cache().capacity() != entries {
            self.cache.store(Arc::new(RowCache::new(entries)));
            *lock(&self.judge) = Judge::default();
            self.rests.store(entries == 0, Ordering::Relaxed);
        }
    }

    #[cold]
    fn sample(&self, blocks: impl FnOnce() -> CacheStats) {
        let cache = self.cache.load();
        if (self.samples.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(SAMPLES) && cache.is_enabled() {
            let rests = lock(&self.judge).rests(&cache.stats(), blocks().misses);
            self.rests.store(rests, Ordering::Relaxed);
        }
    }
}

/// Decides whether the cache rests until the next judgement.
#[derive(Debug, Default)]
struct Judge {
    /// The counts at the judgement before.
    hits: u64,
    misses: u64,
    block_misses: u64,
    rests: bool,
    /// Judgements until the next trial may be, and how many it will be after one more failure.
    pause: u32,
    next_pause: u32,
}

impl Judge {
    fn rests(&mut self, rows: &CacheStats, block_misses: u64) -> bool {
        let (hits, misses) = (rows.hits - self.hits, rows.misses - self.misses);
        let from_files = block_misses.saturating_sub(self.block_misses);
        if !self.rests && hits + misses < LOOKUPS_MIN {
            return false;
        }
        (self.hits, self.misses, self.block_misses) = (rows.hits, rows.misses, block_misses);
        self.rests =
            if self.rests { self.goes_on_resting(from_files) } else { self.fails(hits, misses, from_files) };
        self.rests
    }

    /// A trial is due when blocks come from files for at least an eighth of the lookups.
    fn goes_on_resting(&mut self, from_files: u64) -> bool {
        self.pause = self.pause.saturating_sub(1);
        self.pause > 0 || from_files < SAMPLES * (SAMPLE_MASK + 1) / 8
    }

    /// A row spares about three times what it costs to miss it, where its block comes from a file, and a third where not.
    fn fails(&mut self, hits: u64, misses: u64, from_files: u64) -> bool {
        let blocks_are_in_memory = from_files < misses / 8;
        let fails = if blocks_are_in_memory { hits / 3 < misses } else { hits * 8 < misses };
        self.next_pause = if fails { (self.next_pause * 2).clamp(1, PAUSE_MAX) } else { 0 };
        self.pause = self.next_pause;
        fails
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(hits: u64, misses: u64) -> CacheStats {
        CacheStats { hits, misses, ..CacheStats::default() }
    }

    #[test]
    fn it_is_asked_until_enough_lookups_have_shown_that_it_does_not_pay() {
        let mut judge = Judge::default();
        assert!(!judge.rests(&counts(0, LOOKUPS_MIN - 1), 0));
        assert!(judge.rests(&counts(0, LOOKUPS_MIN), 0));
    }

    #[test]
    fn where_blocks_are_in_memory_it_has_to_hit_most_of_the_time() {
        for (hits, misses, rests) in [(10_000, 2_000, false), (5_000, 5_000, true), (0, 9_000, true)] {
            assert_eq!(Judge::default().rests(&counts(hits, misses), 0), rests, "{hits} hits");
        }
    }

    #[test]
    fn where_blocks_come_from_files_a_few_hits_are_enough() {
        for (hits, misses, rests) in [(2_000, 8_000, false), (500, 9_000, true)] {
            assert_eq!(Judge::default().rests(&counts(hits, misses), misses), rests, "{hits} hits");
        }
    }

    #[test]
    fn it_is_tried_again_when_blocks_come_from_files_and_ever_less_often() {
        let (mut judge, mut misses, mut blocks) = (Judge::default(), 0, 0);
        let mut trials = Vec::new();
        for round in 0..40 {
            blocks += 16_000;
            if !judge.rests {
                misses += 16_000;
                trials.push(round);
            }
            judge.rests(&counts(0, misses), blocks);
        }
        assert_eq!(trials, [0, 2, 5, 10, 19, 36]);
    }

    #[test]
    fn it_rests_on_while_blocks_are_in_memory() {
        let mut judge = Judge::default();
        assert!((0..100).all(|_| judge.rests(&counts(0, 10_000), 0)));
    }

    #[test]
    fn a_store_that_reads_all_keys_alike_stops_asking_and_one_with_a_new_cache_asks_again() {
        let rows = Rows::new(10);
        let mut asked = 0;
        for hash in 0..200_000_u64 {
            if let Some(cache) = rows.for_lookup(hash, CacheStats::default) {
                assert_eq!(cache.get(1, &hash.to_le_bytes(), hash), None);
                asked += 1;
            }
        }
        assert!((4_096..40_000).contains(&asked), "{asked}");
        rows.resize(20);
        assert!(rows.for_lookup(1, CacheStats::default).is_some());
        rows.resize(0);
        assert!(rows.for_lookup(1, CacheStats::default).is_none());
    }
}
