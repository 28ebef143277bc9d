//! Fetches blocks: from the store, else from the file.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use slice_types::{Error, ErrorKind, Result, TableId};
use slice_vfs::RandomAccessFile;

use crate::codec::{self, BlockSeed};
use crate::fence::BlockHandle;
use crate::{Block, BlockStore};

/// Whether a read may wait for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ReadMode {
    /// It waits.
    #[default]
    Wait,
    /// It takes what is in memory, in the block store or the page cache, and fails with
    /// [`WouldBlock`](ErrorKind::WouldBlock) for the rest.
    CachedOnly,
}

/// Whether blocks read from the file are offered to the block store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum CachePolicy {
    /// They are.
    #[default]
    Fill,
    /// They are not: a long scan would push out what others need. Blocks already in the store are still used.
    Bypass,
}

/// Reads a table's data file.
pub(crate) struct BlockReader<S> {
    pub(crate) table: TableId,
    pub(crate) file: Arc<dyn RandomAccessFile>,
    pub(crate) path: PathBuf,
    pub(crate) store: S,
    /// That of the table's blocks.
    pub(crate) salt: u64,
}

impl<S: BlockStore> BlockReader<S> {
    /// A block, from wherever it is.
    #[inline]
    pub(crate) fn block(&self, handle: BlockHandle, mode: ReadMode, policy: CachePolicy) -> Result<Block> {
        match self.store.get(self.table, handle.offset) {
            Some(block) => Ok(block),
            None => self.read_block(handle, mode, policy),
        }
    }

    /// A block, from the file.
    pub(crate) fn read_block(
        &self,
        handle: BlockHandle,
        mode: ReadMode,
        policy: CachePolicy,
    ) -> Result<Block> {
        let block = self.decode(&self.read(handle, mode)?, handle.offset)?;
        if policy == CachePolicy::Fill {
            self.store.insert(self.table, handle.offset, &block);
        }
        Ok(block)
    }

    /// Bytes of the file. The handle lies within it: that was checked when the table was opened.
    pub(crate) fn read(&self, handle: BlockHandle, mode: ReadMode) -> Result<Bytes> {
        let mut bytes = vec![0; handle.len];
        let read = match mode {
            ReadMode::Wait => self.file.read_exact_at(&mut bytes, handle.offset).map(|()| true),
            ReadMode::CachedOnly => self.file.try_read_exact_at(&mut bytes, handle.offset),
        };
        match read {
            Ok(true) => Ok(bytes.into()),
            Ok(false) => {
                Err(self
                    .place(Error::new(ErrorKind::WouldBlock, "the block is not in memory"), handle.offset))
            }
            Err(e) => Err(self.place(read_error(e), handle.offset)),
        }
    }

    /// The block in these stored bytes, which lie at `offset` of the file.
    pub(crate) fn decode(&self, stored: &Bytes, offset: u64) -> Result<Block> {
        codec::open(stored, BlockSeed::new(self.salt, offset))
            .and_then(Block::decode)
            .map_err(|e| self.place(e, offset))
    }

    /// Says where an error arose.
    #[cold]
    pub(crate) fn place(&self, error: Error, offset: u64) -> Error {
        error.with_file(&self.path).with_offset(offset)
    }
}

/// A file that ends before its last block has lost bytes; all else is the operating system's affair.
#[cold]
pub(crate) fn read_error(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return Error::corruption("the file ends in the midst of a block; restore it");
    }
    Error::io("read a block", error)
}
