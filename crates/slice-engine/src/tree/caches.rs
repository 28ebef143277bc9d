//! The caches that all tables of a database share, in the shapes that the tables ask for.

use std::sync::Arc;

use slice_cache::{BlockCache, CacheStats, Kept, Shelf};
use slice_sstable::{BlockShelf, BlockStore, SharedBlock};
use slice_types::TableId;

use super::rows::Rows;
use crate::options::{Budget, Options};

/// Both caches of a database.
pub(crate) struct Caches {
    pub(crate) rows: Rows,
    pub(crate) blocks: Blocks,
    budget: Budget,
}

impl Caches {
    pub(crate) fn new(options: &Options, budget: Budget) -> Self {
        Self {
            rows: Rows::new(options.row_cache_entries),
            blocks: Blocks(Arc::new(BlockCache::new(budget.for_blocks(options, 0)))),
            budget,
        }
    }

    /// The row cache counts entries, so it takes no value beyond this many bytes.
    pub(crate) fn row_max(&self) -> usize {
        self.budget.row_max(self.rows.cache().capacity())
    }

    /// Leaves the block cache what the filters and indexes of the open tables leave of the budget.
    pub(crate) fn make_room(&self, options: &Options, table_memory: usize) {
        let capacity = self.budget.for_blocks(options, table_memory);
        if self.blocks.0.capacity() != capacity {
            self.blocks.0.resize(capacity);
        }
    }

    pub(crate) fn clear(&self) {
        self.rows.cache().clear();
        self.blocks.0.clear();
    }
}

/// The block cache, as tables see it.
#[derive(Clone)]
pub(crate) struct Blocks(Arc<BlockCache<SharedBlock>>);

impl Blocks {
    pub(crate) fn stats(&self) -> CacheStats {
        self.0.stats()
    }
}

impl BlockStore for Blocks {
    type Shelf = TableBlocks;

    fn shelf(&self, _: TableId, blocks: usize) -> TableBlocks {
        TableBlocks(self.0.shelf(blocks))
    }
}

/// The blocks of a table that are in the cache.
pub(crate) struct TableBlocks(Shelf<SharedBlock>);

impl BlockShelf for TableBlocks {
    type Kept = Kept<SharedBlock>;

    #[inline]
    fn get(&self, block: usize) -> Option<Kept<SharedBlock>> {
        self.0.get(block)
    }

    #[inline]
    fn wants(&self, block: usize) -> bool {
        self.0.wants(block)
    }

    fn insert(&self, block: usize, kept: &SharedBlock) {
        self.0.insert(block, kept.clone());
    }

    fn memory_used(&self) -> usize {
        self.0.memory_used()
    }
}
