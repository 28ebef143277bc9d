//! Options for kinds of use, for who knows the use and not the options.

use slice_compaction::CompactionConfig;

use super::{Options, Strategy};

const MIB: u64 = 1 << 20;

/// What a store is mostly for. Each is a set of [`Options`]; single ones can be changed after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Profile {
    /// Reads and writes in like measure: [`Options::default`].
    #[default]
    Balanced,
    /// Many more reads than writes: larger caches, sharper filters, few tables in level 0. Takes about 300 MiB more.
    ReadHeavy,
    /// Many more writes than reads: larger memtables, and tables of like size merged together, which writes least and
    /// takes up to twice the disk.
    WriteHeavy,
    /// A small machine, or many stores in one process: all within 32 MiB, one compaction at a time.
    SmallMemory,
}

impl Options {
    /// The options of a profile.
    pub fn for_profile(profile: Profile) -> Self {
        let options = Self::default();
        match profile {
            Profile::Balanced => options,
            Profile::ReadHeavy => Self {
                row_cache_entries: 20_000,
                block_cache_bytes: 256 << 20,
                filter_bits_per_key: 14.0,
                l0_compaction_trigger: 2,
                l0_slowdown_trigger: 8,
                ..options
            },
            Profile::WriteHeavy => Self {
                memtable_size: 128 << 20,
                strategy: Strategy::Tiered,
                l0_slowdown_trigger: 24,
                level_base_bytes: 512 * MIB,
                ..options
            },
            Profile::SmallMemory => Self {
                memory_budget: Some(32 << 20),
                memtable_size: 4 << 20,
                max_frozen_memtables: 1,
                row_cache_entries: 100,
                block_cache_bytes: 16 << 20,
                compaction: CompactionConfig {
                    max_concurrent_compactions: 1,
                    merge_parallelism: 1,
                    enable_parallel_merge: false,
                    ..options.compaction
                },
                level_base_bytes: 32 * MIB,
                target_table_bytes: 8 * MIB,
                ..options
            },
        }
    }
}
