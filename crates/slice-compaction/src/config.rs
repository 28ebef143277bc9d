//! What can be set: the four knobs of a database, and the numbers that shape a tree.

use slice_types::{Error, Result};

/// How much compaction may do at once. The four fields are the whole of it, for ever: a struct literal works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompactionConfig {
    /// Jobs that run at the same time. Default 2.
    pub max_concurrent_compactions: usize,
    /// Key ranges that one job is split into, merged in parallel. Default 4.
    pub merge_parallelism: usize,
    /// Tables that one job reads; see [`StrategyOptions::max_sstables_per_job`]. Default 10.
    pub max_sstables_per_job: usize,
    /// Whether a job is split at all. Default true.
    pub enable_parallel_merge: bool,
}

impl Default for CompactionConfig {
    fn default() -> Self {
        Self {
            max_concurrent_compactions: 2,
            merge_parallelism: 4,
            max_sstables_per_job: 10,
            enable_parallel_merge: true,
        }
    }
}

impl CompactionConfig {
    /// Refuses what cannot work.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](slice_types::ErrorKind::InvalidArgument), with the name of the field that is zero.
    pub fn validate(&self) -> Result<()> {
        at_least(1, "max_concurrent_compactions", self.max_concurrent_compactions as u64)?;
        at_least(1, "merge_parallelism", self.merge_parallelism as u64)?;
        at_least(1, "max_sstables_per_job", self.max_sstables_per_job as u64)
    }
}

/// The numbers that a [`CompactionStrategy`](crate::CompactionStrategy) decides by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrategyOptions {
    /// Levels of the tree, level 0 included. Default 7, at least 2.
    pub levels: usize,
    /// Tables in level 0 (leveled) or sorted runs in all (tiered) from which on there is something to do. Default 4.
    pub l0_trigger: usize,
    /// The most that the base level is meant to hold, in bytes. Default 256 MiB.
    pub level_base_bytes: u64,
    /// How many times larger each level is than the one above. Default 10, at least 2.
    pub level_multiplier: u64,
    /// The size at which a job ends a table and starts another, in bytes. Default 64 MiB.
    pub target_table_bytes: u64,
    /// The most tables that one job reads. Default 10.
    ///
    /// Leveled: a bound on the inputs of all levels together, unless a single source table overlaps more than that by
    /// itself: then the job is that table and what it overlaps, since less would break the order of the level below.
    ///
    /// Tiered: a bound on the *runs* of a job, at least 2. A run joins whole or not at all.
    pub max_sstables_per_job: usize,
    /// Tiered: how much larger than all newer ones together the next older run may be and still join them, in
    /// percent. Default 1.
    pub size_ratio_percent: u64,
    /// Tiered: how many bytes the newer runs may hold for every 100 bytes of the oldest. Default 200.
    pub space_amplification_percent: u64,
    /// The share of tombstones, in percent, above which a table (tiered: a run) is rewritten towards the bottom for
    /// their sake alone. Default 50; 100 turns it off.
    pub tombstone_percent: u64,
    /// How many tombstones a table of level 0 (tiered: a run) has at least to be rewritten for their sake: fewer cost a
    /// scan less than the rewrite. Default 4096.
    pub tombstones_min: u64,
}

const MIB: u64 = 1024 * 1024;

impl Default for StrategyOptions {
    fn default() -> Self {
        Self {
            levels: 7,
            l0_trigger: 4,
            level_base_bytes: 256 * MIB,
            level_multiplier: 10,
            target_table_bytes: 64 * MIB,
            max_sstables_per_job: 10,
            size_ratio_percent: 1,
            space_amplification_percent: 200,
            tombstone_percent: 50,
            tombstones_min: 4096,
        }
    }
}

impl StrategyOptions {
    /// Refuses what cannot work.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](slice_types::ErrorKind::InvalidArgument), with the name of the field.
    pub fn validate(&self) -> Result<()> {
        at_least(2, "levels", self.levels as u64)?;
        at_least(1, "l0_trigger", self.l0_trigger as u64)?;
        at_least(1, "level_base_bytes", self.level_base_bytes)?;
        at_least(2, "level_multiplier", self.level_multiplier)?;
        at_least(1, "target_table_bytes", self.target_table_bytes)?;
        at_least(1, "max_sstables_per_job", self.max_sstables_per_job as u64)?;
        if self.levels > 1 + usize::from(u8::MAX) {
            return Err(Error::invalid_argument("levels must be at most 256: a level's number is one byte"));
        }
        Ok(())
    }

    /// The most bytes of grandparents (tables of the level below the output) that one output table may overlap: ten
    /// tables' worth, as LevelDB has it. More would make the table's own compaction, later, a huge one.
    pub const fn max_grandparent_bytes(&self) -> u64 {
        max_grandparent_bytes(self.target_table_bytes)
    }
}

/// See [`StrategyOptions::max_grandparent_bytes`].
pub(crate) const fn max_grandparent_bytes(target_table_bytes: u64) -> u64 {
    target_table_bytes.saturating_mul(10)
}

fn at_least(least: u64, field: &str, value: u64) -> Result<()> {
    if value >= least {
        return Ok(());
    }
    Err(Error::invalid_argument(format!("{field} must be at least {least}, and is {value}")))
}
