//! Fetches blocks: from the store, else from the file.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use std::cell::Cell;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use slice_types::{Error, ErrorKind, Result, TableId};
use slice_vfs::RandomAccessFile;

use crate::block::{BlockRef, Layout};
use crate::codec::{self, BlockSeed};
use crate::fence::BlockHandle;
use crate::{Block, BlockShelf, BlockStore};

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
    /// Of a walk, by how long it is: as `Fill` to begin with; once block after block comes from the file, it reads
    /// ahead, more and more, and after some hundred KiB as `Bypass`.
    Scan,
}

/// Reads a table's data file.
pub(crate) struct BlockReader<S: BlockStore> {
    pub(crate) table: TableId,
    pub(crate) file: Arc<dyn RandomAccessFile>,
    pub(crate) path: PathBuf,
    pub(crate) shelf: S::Shelf,
    /// That of the table's blocks.
    pub(crate) salt: u64,
}

impl<S: BlockStore> BlockReader<S> {
    /// The block of this number, if the store has it.
    #[inline]
    pub(crate) fn kept(&self, number: usize) -> Option<Block> {
        self.shelf.get(number).map(|kept| Block::from_shared(kept.clone()))
    }

    /// A block, from the file.
    pub(crate) fn read_block(
        &self,
        number: usize,
        handle: BlockHandle,
        mode: ReadMode,
        policy: CachePolicy,
    ) -> Result<Block> {
        let block = self.with_raw(handle, mode, |raw| Block::decode(raw))?;
        if policy != CachePolicy::Bypass {
            self.keep(number, &block);
        }
        Ok(block)
    }

    /// What `look` finds in a block, from the file. Memory is taken for the block only if the store wants it: then it is told
    /// whose memory it looks at.
    pub(crate) fn look_at_block<T>(
        &self,
        number: usize,
        handle: BlockHandle,
        mode: ReadMode,
        look: impl FnOnce(BlockRef<'_>, Option<&Block>) -> T,
    ) -> Result<T> {
        if self.shelf.wants(number) {
            let block = self.with_raw(handle, mode, |raw| Block::decode(raw))?;
            self.shelf.insert(number, block.shared());
            return Ok(look(block.view(), Some(&block)));
        }
        self.with_raw(handle, mode, |raw| Ok(look(BlockRef::new(&Layout::decode(raw)?, raw), None)))
    }

    /// Lends the raw bytes of a block, from the file.
    fn with_raw<T>(
        &self,
        handle: BlockHandle,
        mode: ReadMode,
        work: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<T> {
        with_scratch(|Scratch { stored, raw }| {
            if stored.len() < handle.len {
                stored.resize(handle.len, 0);
            }
            let stored = stored.get_mut(..handle.len).unwrap_or_default();
            self.read_into(stored, handle.offset, mode)?;
            self.open_with(stored, handle.offset, raw, work)
        })
    }

    /// Offers a block to the store, if it wants it.
    pub(crate) fn keep(&self, number: usize, block: &Block) {
        if self.shelf.wants(number) {
            self.shelf.insert(number, block.shared());
        }
    }

    /// The bytes of the file from `offset` on, as many as there is room for. They lie within it: that was checked when the table
    /// was opened.
    pub(crate) fn read_into(&self, bytes: &mut [u8], offset: u64, mode: ReadMode) -> Result<()> {
        let read = match mode {
            ReadMode::Wait => self.file.read_exact_at(bytes, offset).map(|()| true),
            ReadMode::CachedOnly => self.file.try_read_exact_at(bytes, offset),
        };
        match read {
            Ok(true) => Ok(()),
            Ok(false) => {
                Err(self.place(Error::new(ErrorKind::WouldBlock, "the block is not in memory"), offset))
            }
            Err(e) => Err(self.place(read_error(e), offset)),
        }
    }

    /// The block in these stored bytes, which lie at `offset` of the file.
    pub(crate) fn decode(&self, stored: &[u8], offset: u64) -> Result<Block> {
        with_scratch(|Scratch { raw, .. }| self.open_with(stored, offset, raw, |raw| Block::decode(raw)))
    }

    fn open_with<T>(
        &self,
        stored: &[u8],
        offset: u64,
        raw: &mut Vec<u8>,
        work: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<T> {
        codec::open(stored, BlockSeed::new(self.salt, offset), raw)
            .and_then(work)
            .map_err(|e| self.place(e, offset))
    }

    /// Says where an error arose.
    #[cold]
    pub(crate) fn place(&self, error: Error, offset: u64) -> Error {
        error.with_file(&self.path).with_offset(offset)
    }
}

/// Buffers for a block on its way from the file.
#[derive(Default)]
struct Scratch {
    stored: Vec<u8>,
    raw: Vec<u8>,
}

/// Scratch memory beyond this many bytes is given back at once: blocks of that size are rare.
const SCRATCH_MAX: usize = 1 << 20;

/// Lends the buffers of the thread, which are kept from one block to the next.
fn with_scratch<T>(work: impl FnOnce(&mut Scratch) -> T) -> T {
    thread_local! {
        static SCRATCH: Cell<Option<Scratch>> = const { Cell::new(None) };
    }
    let mut scratch = SCRATCH.take().unwrap_or_default();
    let result = work(&mut scratch);
    if scratch.stored.capacity() + scratch.raw.capacity() <= SCRATCH_MAX {
        SCRATCH.set(Some(scratch));
    }
    result
}

/// A file that ends before its last block has lost bytes; all else is the operating system's affair.
#[cold]
pub(crate) fn read_error(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return Error::corruption("the file ends in the midst of a block; restore it");
    }
    Error::io("read a block", error)
}
