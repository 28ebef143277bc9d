//! What can be chosen about a store, with defaults that need no tuning.
//!
//! [`Options`] is plain data; [`Builder`] fills one in; `Options::validate` is the one place that
//! refuses a value, before any file is touched.

mod budget;
mod builder;
mod keyspace;
mod profile;
mod validate;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use slice_compaction::CompactionConfig;
use slice_memtable::MemTableKind;
use slice_sstable::Compression;
use slice_wal::RecoveryMode;

use crate::planted::Planted;
use crate::values::{Clock, CompactionFilterFactory, MergeOperator};
pub(crate) use budget::Budget;
pub use builder::Builder;
pub use keyspace::KeyspaceOptions;
pub use profile::Profile;

/// When an acknowledged write is safe, and from what.
///
/// | level | survives the end of the process | survives a power failure |
/// |---|---|---|
/// | `Buffered` | yes, `kill -9` included | what the kernel has written back by then |
/// | `Interval(d)` | yes | all but about the last `d` |
/// | `Fsync` | yes | yes |
///
/// Whatever is lost, it is lost from the end: what is left is a prefix of the history, with batches whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Durability {
    /// Acknowledged once the write is in the operating system's hands. The default, as in RocksDB and fjall.
    #[default]
    Buffered,
    /// As `Buffered`, with an fsync of the log in the background whenever this much time has passed since the last.
    Interval(Duration),
    /// Acknowledged once the write is on the disk. Writers that wait at the same time share one fsync.
    Fsync,
}

/// How tables are chosen for compaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Strategy {
    /// Each level is one sorted run, ten times the size of the one above: least space, fast reads. The default.
    #[default]
    Leveled,
    /// Runs of like size are merged together: least writing, more space, slower reads.
    Tiered,
}

/// Who does the background work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Background {
    /// Threads of the store's own: flushes and compactions run beside reads and writes.
    #[default]
    Threads,
    /// The callers of `flush`, `compact` and, when a memtable is full, of a write. Nothing happens on its own, so
    /// that a test with a seed is repeatable; not for production.
    Inline,
}

/// The most levels that a tree may have.
pub(crate) const LEVELS_MAX: usize = 20;

/// All that can be chosen about a store.
///
/// Sizes are in bytes. The defaults are those of [`Options::default`], written at each field with its bounds, and with when
/// to choose otherwise. Most stores need none of it; [`Profile`] has sets for kinds of use.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// The structure of memtables. [`MemTableKind::BTree`]. It is a matter of speed and of memory only, so there is hardly a
    /// reason to change it; the other one is older and has no unsafe code of this store's own.
    pub memtable_kind: MemTableKind,
    /// A memtable is frozen and flushed when it holds this much, keys, values and overhead counted, with what its flush
    /// will take beside it. 64 MiB; at least 1 KiB. Larger ones absorb more overwriting and take longer to replay after a crash.
    pub memtable_size: usize,
    /// How many frozen memtables may wait for their flush before writers wait for them. 2; at least 1. The memory
    /// for writes is bounded by `memtable_size * (max_frozen_memtables + 1)`. More for writes that come in bursts.
    pub max_frozen_memtables: usize,
    /// A memtable is flushed when its oldest entry is this old, full or not. 5 minutes; 1 ms to a year. Less where a
    /// recovery must be short; more where little is written and much of it overwritten.
    pub memtable_max_age: Duration,
    /// The memory that memtables, caches, and the filters and indexes of tables may take together, in bytes. `None` for
    /// half of what the process may use (its control groups' limit, else the machine's memory); else at least 4 MiB.
    /// It only ever lowers: `memtable_size` is cut to what half of the budget allows, and the block cache has what the
    /// others leave. Set it where the store shares a small machine with others. The buffers of running merges come on top,
    /// up to an eighth of it.
    pub memory_budget: Option<usize>,
    /// Rows of tables that are kept in memory, counted in entries. 1000; 0 keeps none. More where few keys
    /// are read again and again, and their values are small.
    pub row_cache_entries: usize,
    /// Blocks of tables that are kept in memory, counted in bytes. 64 MiB; 0 keeps none. About the size
    /// of the data that is read often.
    pub block_cache_bytes: usize,
    /// The size that a data block of a table is cut at, before compression. 4 KiB; 64 bytes to 16 MiB.
    /// Larger for long scans and better compression; smaller for tiny values that are read at random.
    pub block_size: usize,
    /// How data blocks are compressed. LZ4. None for data that are compressed already; Zstandard (a feature) for less disk
    /// and more CPU.
    pub compression: Compression,
    /// How they are compressed on each level, from level 0 on; levels beyond are as the last one named. None named: all
    /// as `compression`. Little compression above and more below suits data that are overwritten soon.
    pub compression_by_level: Vec<Compression>,
    /// Bits of filter for each key of a table. 10, for about 1 % of needless block reads; 0 for no filter; up to 50.
    /// More where many keys are asked for that are not there; none where all reads are scans.
    pub filter_bits_per_key: f64,
    /// When a write is acknowledged. [`Durability::Buffered`]. [`Durability::Fsync`] where a power failure must not take
    /// what was acknowledged.
    pub durability: Durability,
    /// What to do about a damaged log at open. [`RecoveryMode::TolerateTornTail`]. Others to save what is left after
    /// damage.
    pub recovery_mode: RecoveryMode,
    /// How tables are chosen for compaction. [`Strategy::Leveled`]. [`Strategy::Tiered`] where writing counts for more
    /// than disk and reads.
    pub strategy: Strategy,
    /// How much of it is done at once. 2 jobs, of up to 10 tables, merged in up to 4 parts. More with many processors and a
    /// fast disk.
    pub compaction: CompactionConfig,
    /// Levels of the tree, level 0 included. 7; 2 to 20. Enough for 250 TiB; there is hardly a reason to change it.
    pub max_levels: usize,
    /// Tables in level 0 that start a compaction. 4; 1 to 1000. Fewer for faster reads, more for less writing.
    pub l0_compaction_trigger: usize,
    /// Tables in level 0 from which on writers are slowed down. 12; at least `l0_compaction_trigger`, at most
    /// 10,000. More for longer bursts of writes, which reads pay for.
    pub l0_slowdown_trigger: usize,
    /// The size that the first level below 0 may have. 256 MiB; 1 KiB to 1 TiB. About four
    /// memtables.
    pub level_base_bytes: u64,
    /// How many times larger each level may be than the one above. 10; 2 to 100. Smaller for less space and more writing.
    pub level_multiplier: u64,
    /// The size that compactions cut tables at. 64 MiB; 1 KiB to 1 TiB. Smaller for shorter jobs and more files.
    pub target_table_bytes: u64,
    /// From how many bytes on a part of a merge is worth a thread of its own. 8 MiB; 1 KiB to 1 TiB. For tests,
    /// mostly.
    pub merge_part_bytes: u64,
    /// How often to look for old memtables to flush, and to try failed flushes again. 1 second; 1 ms to a year.
    pub flush_interval: Duration,
    /// How often to look for tables to compact, beside after each flush and compaction. 10 seconds; 1 ms to a
    /// year.
    pub compaction_interval: Duration,
    /// Whether to make the directory, and a store in it, when there is none. Yes. No where a wrong path must not pass.
    pub create_if_missing: bool,
    /// Whether to read only: beside others who do, and without writing a byte, so without threads too. No.
    pub read_only: bool,
    /// Who does the background work. [`Background::Threads`].
    pub background: Background,
    /// How long values stay that are put without a time of their own. None: for ever; at least 1 ms. Operands of merges
    /// always stay.
    pub default_ttl: Option<Duration>,
    /// What merges mean: see [`MergeOperator`]. None: merges are refused.
    pub merge_operator: Option<Arc<dyn MergeOperator>>,
    /// What compactions take away: see [`CompactionFilterFactory`]. None: nothing.
    pub compaction_filter: Option<Arc<dyn CompactionFilterFactory>>,
    /// What time it is, for values that expire. None: the operating system's clock. While the store is open its time
    /// does not go back, whatever the clock does.
    pub clock: Option<Arc<dyn Clock>>,
    pub(crate) planted: Planted,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            memtable_kind: MemTableKind::default(),
            memtable_size: 64 << 20,
            max_frozen_memtables: 2,
            memtable_max_age: Duration::from_secs(300),
            memory_budget: None,
            row_cache_entries: 1000,
            block_cache_bytes: 64 << 20,
            block_size: 4 << 10,
            compression: Compression::Lz4,
            compression_by_level: Vec::new(),
            filter_bits_per_key: 10.0,
            durability: Durability::default(),
            recovery_mode: RecoveryMode::default(),
            strategy: Strategy::default(),
            compaction: CompactionConfig::default(),
            max_levels: 7,
            l0_compaction_trigger: 4,
            l0_slowdown_trigger: 12,
            level_base_bytes: 256 << 20,
            level_multiplier: 10,
            target_table_bytes: 64 << 20,
            merge_part_bytes: 8 << 20,
            flush_interval: Duration::from_secs(1),
            compaction_interval: Duration::from_secs(10),
            create_if_missing: true,
            read_only: false,
            background: Background::default(),
            default_ttl: None,
            merge_operator: None,
            compaction_filter: None,
            clock: None,
            planted: Planted::default(),
        }
    }
}
