//! Where decoded blocks are kept between reads.

use std::convert::Infallible;
use std::fmt;
use std::ops::Deref;

use slice_types::TableId;

use crate::block::SharedBlock;

/// Keeps decoded blocks: the seam where a block cache is plugged in.
///
/// A clone is another handle on the same store. Static dispatch, because [`BlockShelf::get`] is on the path of every cached
/// read.
pub trait BlockStore: Clone + Send + Sync + 'static {
    /// What it keeps of one table.
    type Shelf: BlockShelf;

    /// A shelf for a table that is being opened, of so many blocks. Dropped with the table.
    fn shelf(&self, table: TableId, blocks: usize) -> Self::Shelf;
}

/// The blocks of one table, by their numbers from 0 on.
pub trait BlockShelf: Send + Sync + 'static {
    /// A block that is held for a moment, without counting who holds it.
    type Kept: Deref<Target = SharedBlock>;

    /// A block, if it is kept.
    fn get(&self, block: usize) -> Option<Self::Kept>;

    /// Whether a block that was just read from the file is worth an offer. Asked before memory is taken for it.
    fn wants(&self, block: usize) -> bool {
        let _ = block;
        true
    }

    /// Offers a block. Keeping it is the store's choice.
    fn insert(&self, block: usize, kept: &SharedBlock);

    /// The memory that the shelf takes without its blocks, in bytes.
    fn memory_used(&self) -> usize {
        0
    }
}

/// Keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBlockStore;

impl BlockStore for NoBlockStore {
    type Shelf = Self;

    fn shelf(&self, _: TableId, _: usize) -> Self {
        Self
    }
}

impl BlockShelf for NoBlockStore {
    type Kept = NeverKept;

    fn get(&self, _: usize) -> Option<NeverKept> {
        None
    }

    fn wants(&self, _: usize) -> bool {
        false
    }

    fn insert(&self, _: usize, _: &SharedBlock) {}
}

/// A block of [`NoBlockStore`]: there is none.
#[derive(Clone, Copy)]
pub struct NeverKept(Infallible);

impl Deref for NeverKept {
    type Target = SharedBlock;

    fn deref(&self) -> &SharedBlock {
        match self.0 {}
    }
}

impl fmt::Debug for NeverKept {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {}
    }
}
