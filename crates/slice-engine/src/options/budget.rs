//! One number for all the memory of a store, and how it is divided.
//!
//! ```text
//!   budget  |  memtables: up to 1/2  |  rows: up to 1/16  |  filters and indexes: as they are  |  blocks: the rest  |
//! ```
//!
//! Filters and indexes grow with the data (with 10 bits 1.25 bytes a key, and a fence a block), and reads without them
//! would be hopeless: so the block cache gives way to them, down to nothing. A budget below what they need is not held.

use super::Options;

/// Rows beyond this many bytes are not kept in the row cache, however large the budget: a thousand of them must be
/// bearable.
const ROW_MAX: usize = 64 << 10;
/// What a merge reads at once from each of its inputs, when there is memory enough.
const READAHEAD_MAX: usize = 512 << 10;
const READAHEAD_MIN: usize = 32 << 10;

/// The memory that a store may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    /// In bytes, for everything.
    total: usize,
}

impl Budget {
    /// What the options say, or else half of what the process may use; without bound when nobody knows.
    pub(crate) fn of(options: &Options, limit: Option<u64>) -> Self {
        let half = limit.and_then(|limit| usize::try_from(limit / 2).ok());
        Self { total: options.memory_budget.or(half).unwrap_or(usize::MAX) }
    }

    /// The options, with memtables no larger than half of the budget allows.
    pub(crate) fn cut(self, options: Options) -> Options {
        let memtables = options.max_frozen_memtables.saturating_add(1);
        let memtable_size = options.memtable_size.min((self.total / 2 / memtables).max(1 << 10));
        Options { memtable_size, ..options }
    }

    /// The most bytes that the memtables which take writes may take, over all keyspaces.
    pub(crate) fn for_active_memtables(self, options: &Options) -> usize {
        (self.total / 2 / options.max_frozen_memtables.saturating_add(1)).max(options.memtable_size)
    }

    /// The most bytes of blocks to keep, beside tables whose filters and indexes take `table_memory`.
    pub(crate) fn for_blocks(self, options: &Options, table_memory: usize) -> usize {
        let memtables = options.memtable_size.saturating_mul(options.max_frozen_memtables + 1);
        let rows = self.row_max(options.row_cache_entries).saturating_mul(options.row_cache_entries);
        let others = memtables.saturating_add(rows).saturating_add(table_memory);
        options.block_cache_bytes.min(self.total.saturating_sub(others))
    }

    /// The longest value that a row cache of so many entries keeps.
    pub(crate) fn row_max(self, entries: usize) -> usize {
        (self.total / 16).checked_div(entries).unwrap_or(0).min(ROW_MAX)
    }

    /// How much a merge reads at once from each of its inputs.
    pub(crate) fn readahead(self, options: &Options) -> usize {
        let inputs = (options.l0_compaction_trigger + 1) * options.compaction.max_concurrent_compactions;
        (self.total / 8 / inputs.max(1)).clamp(READAHEAD_MIN, READAHEAD_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn with_memory_enough_every_size_is_as_chosen() {
        let options = Options::default();
        let budget = Budget::of(&options, Some(64 << 30));
        assert_eq!(budget.cut(options.clone()), options);
        assert_eq!(budget.for_blocks(&options, 100 * MIB), options.block_cache_bytes);
        assert_eq!((budget.row_max(1000), budget.readahead(&options)), (ROW_MAX, READAHEAD_MAX));
    }

    #[test]
    fn a_small_container_gets_small_memtables_and_the_cache_what_is_left() {
        let options = Options::default();
        let budget = Budget::of(&options, Some(256 * MIB as u64));
        let options = budget.cut(options);
        assert_eq!(options.memtable_size, 128 * MIB / 2 / 3);
        let blocks = budget.for_blocks(&options, 0);
        assert!(blocks > 50 * MIB && blocks < 64 * MIB, "{blocks}");
        assert_eq!(budget.for_blocks(&options, 10 * MIB), blocks - 10 * MIB);
        assert_eq!(budget.for_blocks(&options, 500 * MIB), 0);
    }

    #[test]
    fn the_parts_never_exceed_the_whole() {
        for total in [4 * MIB, 32 * MIB, 300 * MIB] {
            for (row_cache_entries, table_memory) in [(0, 0), (1000, MIB), (1_000_000, 2 * MIB)] {
                let options = Options { memory_budget: Some(total), row_cache_entries, ..Options::default() };
                let budget = Budget::of(&options, Some(1 << 40));
                let options = budget.cut(options);
                let memtables = options.memtable_size * (options.max_frozen_memtables + 1);
                let rows = budget.row_max(row_cache_entries) * row_cache_entries;
                let sum = memtables + rows + table_memory + budget.for_blocks(&options, table_memory);
                assert!(sum <= total, "{sum} of {total}");
            }
        }
    }
}
