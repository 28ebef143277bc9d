//! Reads ahead: many blocks with one read.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use bytes::Bytes;
use slice_types::Result;

use crate::fence::{BlockHandle, Fences};
use crate::reader::BlockReader;
use crate::{Block, BlockShelf, BlockStore, CachePolicy, IterOptions, ReadMode, Table};

/// Which way a walk goes, and so which blocks it wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Forward,
    Backward,
}

/// A stretch of the data file in memory.
#[derive(Debug, Default)]
pub(crate) struct Window {
    offset: u64,
    bytes: Bytes,
}

impl Window {
    /// Block `index`: from the window, else from the store, else with a new window that reaches on from it.
    pub(crate) fn block<S: BlockStore>(
        &mut self,
        table: &Table<S>,
        index: usize,
        handle: BlockHandle,
        direction: Direction,
        options: &IterOptions,
    ) -> Result<Block> {
        let reader = &table.reader;
        if let Some(stored) = self.stored(handle) {
            return decode(reader, index, handle, &stored, options.cache_policy);
        }
        if let Some(block) = reader.kept(index) {
            return Ok(block);
        }
        let span = reach(&table.fences, index, handle, direction, options.readahead_bytes);
        // Freed before the next one is read, unless a block of it is still in use.
        self.bytes = Bytes::new();
        self.bytes = reader.read(span, ReadMode::Wait)?;
        self.offset = span.offset;
        let stored = self.stored(handle).unwrap_or_default();
        decode(reader, index, handle, &stored, options.cache_policy)
    }

    /// The stored bytes of a block that the window covers.
    fn stored(&self, handle: BlockHandle) -> Option<Bytes> {
        let start = usize::try_from(handle.offset.checked_sub(self.offset)?).ok()?;
        let end = start.checked_add(handle.len)?;
        if end <= self.bytes.len() { Some(self.bytes.slice(start..end)) } else { None }
    }
}

/// The block of this number in stored bytes of a window.
fn decode<S: BlockStore>(
    reader: &BlockReader<S>,
    number: usize,
    at: BlockHandle,
    stored: &[u8],
    policy: CachePolicy,
) -> Result<Block> {
    let block = reader.decode(stored, at.offset)?;
    if policy == CachePolicy::Fill {
        reader.shelf.insert(number, block.shared());
    }
    Ok(block)
}

/// The bytes of block `index` and of those next to it in the direction of the walk: whole blocks, `limit` at most.
fn reach(
    fences: &Fences,
    index: usize,
    handle: BlockHandle,
    direction: Direction,
    limit: usize,
) -> BlockHandle {
    let mut span = handle;
    let mut index = index;
    loop {
        let next = match direction {
            Direction::Forward => index.checked_add(1),
            Direction::Backward => index.checked_sub(1),
        };
        let Some((next, handle)) = next.and_then(|next| Some((next, fences.handle(next)?))) else {
            return span;
        };
        if handle.len > limit.saturating_sub(span.len) {
            return span;
        }
        index = next;
        span = BlockHandle { offset: span.offset.min(handle.offset), len: span.len + handle.len };
    }
}
