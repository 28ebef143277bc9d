//! Where decoded blocks are kept between reads.

use slice_types::TableId;

use crate::Block;

/// Keeps decoded blocks: the seam where a block cache is plugged in.
///
/// A clone is another handle on the same store. Static dispatch, because [`get`](BlockStore::get) is on the path of
/// every cached read.
pub trait BlockStore: Clone + Send + Sync + 'static {
    /// The block of this table at this offset of its data file, if it is kept.
    fn get(&self, table: TableId, offset: u64) -> Option<Block>;

    /// Offers a block. Keeping it is the store's choice.
    fn insert(&self, table: TableId, offset: u64, block: &Block);
}

/// Keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBlockStore;

impl BlockStore for NoBlockStore {
    fn get(&self, _: TableId, _: u64) -> Option<Block> {
        None
    }

    fn insert(&self, _: TableId, _: u64, _: &Block) {}
}
