//! The caches that all tables of a database share, in the shapes that the tables ask for.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use bytes::Bytes;
use slice_cache::{BlockCache, CacheStats, Charge, RowCache};
use slice_sstable::{Block, BlockStore};
use slice_types::{TableId, Trailer};

use crate::options::{Budget, Options};

/// The newest version of a key within one table: `None` when the table's filter was wrong about the key.
pub(crate) type Row = Option<(Trailer, Bytes)>;

/// Both caches of a database.
pub(crate) struct Caches {
    rows: ArcSwap<RowCache<Row>>,
    pub(crate) blocks: Blocks,
    budget: Budget,
}

impl Caches {
    pub(crate) fn new(options: &Options, budget: Budget) -> Self {
        Self {
            rows: ArcSwap::from_pointee(RowCache::new(options.row_cache_entries)),
            blocks: Blocks(Arc::new(BlockCache::new(budget.for_blocks(options, 0)))),
            budget,
        }
    }

    pub(crate) fn rows(&self) -> Guard<Arc<RowCache<Row>>> {
        self.rows.load()
    }

    /// Gives the row cache another capacity, unless it has it; what was in it is forgotten then.
    pub(crate) fn resize_rows(&self, entries: usize) {
        if self.rows().capacity() != entries {
            self.rows.store(Arc::new(RowCache::new(entries)));
        }
    }

    /// The row cache counts entries, so it takes no value beyond this many bytes.
    pub(crate) fn row_max(&self) -> usize {
        self.budget.row_max(self.rows().capacity())
    }

    /// Leaves the block cache what the filters and indexes of the open tables leave of the budget.
    pub(crate) fn make_room(&self, options: &Options, table_memory: usize) {
        let capacity = self.budget.for_blocks(options, table_memory);
        if self.blocks.0.capacity() != capacity {
            self.blocks.0.resize(capacity);
        }
    }

    pub(crate) fn clear(&self) {
        self.rows().clear();
        self.blocks.0.clear();
    }
}

/// The block cache, as tables see it.
#[derive(Clone)]
pub(crate) struct Blocks(Arc<BlockCache<Charged>>);

impl Blocks {
    pub(crate) fn stats(&self) -> CacheStats {
        self.0.stats()
    }
}

impl BlockStore for Blocks {
    fn get(&self, table: TableId, offset: u64) -> Option<Block> {
        self.0.get(table.0, offset).map(|charged| charged.0)
    }

    fn insert(&self, table: TableId, offset: u64, block: &Block) {
        self.0.insert(table.0, offset, Charged(block.clone()));
    }
}

#[derive(Clone)]
struct Charged(Block);

impl Charge for Charged {
    fn charge(&self) -> usize {
        self.0.memory_used()
    }
}
