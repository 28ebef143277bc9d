//! What can be read of a damaged table: its blocks one by one, each for itself.
//!
//! ```text
//!   .db     | header | block 0 | ?????? | block 2 | block 3 |     lost: block 1, and which keys it may have held
//!   .idx    whole: it says where blocks lie, and between which keys
//! ```
//!
//! Blocks do not say where they end: the index does. Without it [`find_blocks`] tries where a checksum fits, up to the
//! first block that is damaged. A filter is a convenience: without it, all is there.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Arc;

use bytes::Bytes;
use slice_types::{Error, HEADER_LEN, Result, TableId};

use crate::codec::{self, BlockSeed};
use crate::filter::TableFilter;
use crate::format::BLOCK_TRAILER_LEN;
use crate::index::{self, Index};
use crate::numbering::Numbering;
use crate::reader::BlockReader;
use crate::table::{check_data, check_len};
use crate::{Block, BlockStore, CachePolicy, ReadMode, Table, TableSources};

/// Where a block lies, and between which keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockPlace<'a> {
    /// The offset in the data file, in bytes.
    pub offset: u64,
    /// The stored length, in bytes.
    pub len: usize,
    /// No key of the block is below this one.
    pub from: &'a [u8],
    /// No key of the block is above this one.
    pub through: &'a [u8],
}

impl<S: BlockStore> Table<S> {
    /// Opens what is left of a table and tells all that [`open`](Self::open) would have refused it for; `None` when
    /// the index is not whole. With a damaged filter the table is one without; a damaged data file shows again as its
    /// blocks are read.
    pub fn open_damaged(
        id: TableId,
        sources: TableSources,
        store: &S,
        found: &mut dyn FnMut(Error),
    ) -> Option<Arc<Self>> {
        let TableSources { data, data_path, index, index_path, filter, filter_path } = sources;
        let Index { properties, filter: filter_properties, fences } =
            index::decode(&index).map_err(|e| found(e.with_file(index_path))).ok()?;
        let filter = check_len(filter.len() as u64, properties.filter_bytes)
            .and_then(|()| TableFilter::decode(&filter, filter_properties))
            .map_err(|e| found(e.with_file(filter_path)));
        if let Err(fault) = check_data(&*data, &data_path, properties.data_bytes) {
            found(fault);
        }
        let shelf = store.shelf(id, fences.len());
        let reader = BlockReader { table: id, file: data, path: data_path, shelf, salt: properties.salt };
        let filter = filter.unwrap_or(TableFilter::None);
        Some(Arc::new(Self { properties, fences, filter, reader, numbering: Numbering::OwnEach }))
    }

    /// Where the block of this number lies; `None` behind the last. They are numbered from 0 on, by key.
    pub fn block_place(&self, number: usize) -> Option<BlockPlace<'_>> {
        let handle = self.fences.handle(number)?;
        let from = match number.checked_sub(1) {
            Some(before) => self.fences.separator(before),
            None => &self.properties.smallest_key,
        };
        Some(BlockPlace {
            offset: handle.offset,
            len: handle.len,
            from,
            through: self.fences.separator(number),
        })
    }

    /// Reads the block of this number from the file, past the block store; `None` behind the last.
    ///
    /// # Errors
    ///
    /// [`Corruption`](slice_types::ErrorKind::Corruption) with file and offset; what the operating system says.
    pub fn read_block(&self, number: usize) -> Result<Option<Block>> {
        let Some(handle) = self.fences.handle(number) else { return Ok(None) };
        let len = self.reader.file.len().map_err(|e| Error::io("ask for the length of a table", e));
        let len = len.map_err(|e| self.reader.place(e, handle.offset))?;
        if handle.offset.checked_add(handle.len as u64).is_none_or(|end| end > len) {
            let cut = Error::corruption(format!("the file ends at byte {len}, before the block does"));
            return Err(self.reader.place(cut, handle.offset));
        }
        self.reader.read_block(number, handle, ReadMode::Wait, CachePolicy::Bypass).map(Some)
    }
}

/// How many bytes may be hashed for each byte of a data file that has no index.
const HASHING_FACTOR: u64 = 1024;

/// The blocks from the front of a data file on, without its index: each ends where its checksum fits. `salt` is the
/// table's ([`TableBuilder::with_salt`](crate::TableBuilder::with_salt)).
///
/// They end at the first damaged one, and where the search would take more than
/// time linear in the length of the file.
pub fn find_blocks(data: &Bytes, salt: u64) -> Vec<Block> {
    let mut hashing = (data.len() as u64).saturating_mul(HASHING_FACTOR);
    let (mut blocks, mut at) = (Vec::new(), HEADER_LEN);
    while let Some((block, end)) = find_block(data, at, salt, &mut hashing) {
        blocks.push(block);
        at = end;
    }
    blocks
}

/// The block at `at`, and where it ends.
fn find_block(data: &Bytes, at: usize, salt: u64, hashing: &mut u64) -> Option<(Block, usize)> {
    let place = BlockSeed::new(salt, at as u64);
    let mut scratch = Vec::new();
    for end in at.checked_add(BLOCK_TRAILER_LEN + 1)?..=data.len() {
        // The codec is the one byte that tells something without hashing.
        if data.get(end - BLOCK_TRAILER_LEN).is_none_or(|codec| *codec > 2) {
            continue;
        }
        *hashing = hashing.checked_sub((end - at) as u64)?;
        let stored = data.get(at..end)?;
        if let Ok(raw) = codec::open(stored, place, &mut scratch) {
            return Block::decode(raw).ok().map(|block| (block, end));
        }
    }
    None
}
