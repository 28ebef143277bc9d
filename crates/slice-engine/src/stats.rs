//! What a store has done, and what shape it is in.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use slice_cache::CacheStats;

/// A picture of a store at one moment; made by [`LSMTree::stats`](crate::LSMTree::stats).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct LSMStats {
    /// For each level that holds anything: its number, its tables, and their bytes on disk.
    pub level_stats: Vec<(usize, usize, u64)>,
    /// Memtables that take no more writes and wait for their flush.
    pub immutable_memtables: usize,
    /// The row cache, in entries.
    pub cache_stats: CacheStats,
    /// The block cache, in bytes.
    pub block_cache_stats: CacheStats,
    /// What compactions have done since the store was opened.
    pub compaction_stats: CompactionStats,
    /// What flushes have done since the store was opened.
    pub flush_stats: FlushStats,
    /// How often writers were made to wait since the store was opened, and for how long in all.
    pub write_delays: (u64, Duration),
    /// The same time, by what writers waited for.
    pub write_delays_by_cause: WriteDelays,
    /// Bytes that the memtable in use holds, overhead counted.
    pub memtable_bytes: usize,
    /// Bytes of memory that the tables' indexes and filters take.
    pub table_memory: usize,
    /// Range tombstones that are in no memtable any more, and still cover something in a table, or may.
    pub range_tombstones: usize,
    /// The sequence number of the newest write.
    pub last_seqno: u64,
    /// Transactions that are open.
    pub open_transactions: usize,
    /// Keys and ranges that are kept in memory to detect conflicts: those written since the oldest of the open
    /// transactions began, most of them once.
    pub conflict_index_entries: usize,
}

/// For how long writers were made to wait, by what they waited for. Writers that wait side by side each count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WriteDelays {
    /// All memtables were full: they stood still until one was flushed.
    pub memtables_full: Duration,
    /// Memtables waited for their flush: they were slowed to the rate at which flushes get done.
    pub flush_rate: Duration,
    /// Level 0 had too many tables: they were slowed to the rate at which compaction clears it.
    pub level_0_rate: Duration,
}

impl WriteDelays {
    pub(crate) fn sum(&self) -> Duration {
        self.memtables_full + self.flush_rate + self.level_0_rate
    }
}

/// What compactions have done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompactionStats {
    /// Compactions that have ended well, trivial moves included.
    pub total_compactions: u64,
    /// Compactions that run now.
    pub concurrent_compactions: u64,
    /// Key ranges that were merged beside others of the same compaction.
    pub parallel_merges: u64,
    /// Bytes of tables that were read by compactions.
    pub bytes_compacted: u64,
    /// Tables that were read by compactions.
    pub sstables_compacted: u64,
    /// Bytes of tables that were written by compactions.
    pub bytes_written: u64,
    /// Compactions that only gave tables another level.
    pub trivial_moves: u64,
    /// Tables given up unread, because deleted ranges cover all that is in them.
    pub tables_unlinked: u64,
    /// Tombstones that were dropped, with nothing left below them to hide.
    pub tombstones_dropped: u64,
    /// Values that had expired: dropped, or turned into tombstones where something may lie below.
    pub values_expired: u64,
    /// Operands of merges that were folded into another or into their value.
    pub operands_folded: u64,
}

/// What flushes have done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlushStats {
    /// Memtables that became tables.
    pub flushes: u64,
    /// Bytes of tables that were written by flushes.
    pub bytes_written: u64,
}

impl LSMStats {
    /// Prints the picture to the standard output; the same text that `Display` gives.
    #[expect(clippy::print_stdout, reason = "printing is what it is asked for")]
    pub fn print(&self) {
        print!("{self}");
    }
}

impl fmt::Display for LSMStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "levels")?;
        for (level, tables, bytes) in &self.level_stats {
            writeln!(f, "  L{level}: {tables} tables, {}", Bytes(*bytes))?;
        }
        let (memtable, waiting) = (Bytes(self.memtable_bytes as u64), self.immutable_memtables);
        writeln!(f, "memtable: {memtable}, and {waiting} waiting for a flush")?;
        let rows = &self.cache_stats;
        writeln!(
            f,
            "row cache: {} of {} entries, hit ratio {:.1} %",
            rows.size,
            rows.capacity,
            rows.hit_ratio * 100.0
        )?;
        let blocks = &self.block_cache_stats;
        let (size, capacity) = (Bytes(blocks.size as u64), Bytes(blocks.capacity as u64));
        writeln!(f, "block cache: {size} of {capacity}, hit ratio {:.1} %", blocks.hit_ratio * 100.0)?;
        writeln!(f, "indexes and filters: {}", Bytes(self.table_memory as u64))?;
        writeln!(f, "flushes: {}, {}", self.flush_stats.flushes, Bytes(self.flush_stats.bytes_written))?;
        writeln!(f, "compactions: {}", self.compaction_stats)?;
        let (delays, time) = self.write_delays;
        let WriteDelays { memtables_full, flush_rate, level_0_rate } = self.write_delays_by_cause;
        writeln!(
            f,
            "writers delayed: {delays} times, {time:.1?} in all: {memtables_full:.1?} for full memtables, \
             {flush_rate:.1?} for flushes to keep up, {level_0_rate:.1?} for level 0"
        )
    }
}

impl fmt::Display for CompactionStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (read, written) = (Bytes(self.bytes_compacted), Bytes(self.bytes_written));
        write!(
            f,
            "{} done ({} moves), {} running, {} tables and {read} read, {written} written, {} merges in parallel",
            self.total_compactions,
            self.trivial_moves,
            self.concurrent_compactions,
            self.sstables_compacted,
            self.parallel_merges,
        )
    }
}

/// Bytes for people.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
        let unit = (self.0.checked_ilog2().unwrap_or(0) as usize / 10).min(UNITS.len() - 1);
        let amount = self.0 as f64 / 1024_f64.powf(unit as f64);
        let decimals = usize::from(unit > 0);
        write!(f, "{amount:.decimals$} {}", UNITS[unit])
    }
}

/// A number that many threads count up.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn sub(&self, n: u64) {
        self.0.fetch_sub(n, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The running numbers behind [`CompactionStats`] and [`FlushStats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) compactions: Counter,
    pub(crate) running: Counter,
    pub(crate) parallel_merges: Counter,
    pub(crate) bytes_compacted: Counter,
    pub(crate) tables_compacted: Counter,
    pub(crate) compaction_written: Counter,
    pub(crate) moves: Counter,
    pub(crate) unlinked: Counter,
    pub(crate) tombstones_dropped: Counter,
    pub(crate) values_expired: Counter,
    pub(crate) operands_folded: Counter,
    pub(crate) flushes: Counter,
    pub(crate) flush_written: Counter,
}

impl Counters {
    pub(crate) fn compaction_stats(&self) -> CompactionStats {
        CompactionStats {
            total_compactions: self.compactions.get(),
            concurrent_compactions: self.running.get(),
            parallel_merges: self.parallel_merges.get(),
            bytes_compacted: self.bytes_compacted.get(),
            sstables_compacted: self.tables_compacted.get(),
            bytes_written: self.compaction_written.get(),
            trivial_moves: self.moves.get(),
            tables_unlinked: self.unlinked.get(),
            tombstones_dropped: self.tombstones_dropped.get(),
            values_expired: self.values_expired.get(),
            operands_folded: self.operands_folded.get(),
        }
    }

    pub(crate) fn flush_stats(&self) -> FlushStats {
        FlushStats { flushes: self.flushes.get(), bytes_written: self.flush_written.get() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_in_the_largest_fitting_unit() {
        let shown = [0, 1023, 1024, 1_572_864, 1 << 40, u64::MAX].map(|n| Bytes(n).to_string());
        assert_eq!(shown, ["0 B", "1023 B", "1.0 KiB", "1.5 MiB", "1.0 TiB", "16777216.0 TiB"]);
    }

    #[test]
    fn the_printed_picture_shows_hit_ratio_and_size_of_the_cache() {
        let cache_stats = CacheStats { size: 7, capacity: 50, hit_ratio: 0.25, ..CacheStats::default() };
        let stats = LSMStats { cache_stats, level_stats: vec![(0, 2, 2048)], ..LSMStats::default() };
        let text = stats.to_string();
        assert!(text.contains("row cache: 7 of 50 entries, hit ratio 25.0 %"), "{text}");
        assert!(text.contains("L0: 2 tables, 2.0 KiB"), "{text}");
    }
}
