//! What can be read of a damaged table: its blocks one by one, each for itself.
//!
//! ```text
//!   .db     | header | block 0 | ?????? | block 2 | block 3 |     lost: block 1, and which keys it may have held
//!   .idx    whole: it says where blocks lie, and between which keys
//! ```
//!
//! The index has to be whole, for blocks do not say where they end. The filter is not looked at.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::PathBuf;
use std::sync::Arc;

use slice_types::{Error, Result, TableId};
use slice_vfs::RandomAccessFile;

use crate::filter::TableFilter;
use crate::index;
use crate::reader::BlockReader;
use crate::{Block, BlockStore, CachePolicy, ReadMode, Table};

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
    /// Opens what is left of a table, for [`read_block`](Self::read_block): the filter is taken to be lost, and the
    /// data file is not looked at.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), for the index.
    pub fn open_damaged(
        id: TableId,
        (data, data_path): (Arc<dyn RandomAccessFile>, PathBuf),
        (index, index_path): (&[u8], PathBuf),
        store: S,
    ) -> Result<Arc<Self>> {
        let index = index::decode(index).map_err(|e| e.with_file(index_path))?;
        let reader = BlockReader { table: id, file: data, path: data_path, store };
        Ok(Arc::new(Self {
            properties: index.properties,
            fences: index.fences,
            filter: TableFilter::None,
            reader,
        }))
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
        self.reader.read_block(handle, ReadMode::Wait, CachePolicy::Bypass).map(Some)
    }
}
