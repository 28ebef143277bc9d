//! Reads ahead: many blocks with one read.
//!
//! ```text
//!   data file   | block | block | block | block | block | ...
//!   window              |<-- one read, into memory that the next read uses again -->|
//! ```
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use slice_types::Result;

use crate::fence::{BlockHandle, Fences};
use crate::reader::BlockReader;
use crate::{BlockStore, ReadMode};

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
    /// Of them, the first `len` are the stretch.
    bytes: Vec<u8>,
    len: usize,
}

impl Window {
    /// Reads a stretch of the file in place of the one before.
    pub(crate) fn read<S: BlockStore>(&mut self, reader: &BlockReader<S>, span: BlockHandle) -> Result<()> {
        self.forget();
        if self.bytes.len() < span.len {
            // What was there is not wanted, so it is not copied either.
            self.bytes = vec![0; span.len];
        }
        let bytes = self.bytes.get_mut(..span.len).unwrap_or_default();
        reader.read_into(bytes, span.offset, ReadMode::Wait)?;
        (self.offset, self.len) = (span.offset, span.len);
        Ok(())
    }

    /// Covers nothing from here on; the memory stays.
    pub(crate) fn forget(&mut self) {
        self.len = 0;
    }

    /// The stored bytes of a block that the window covers.
    #[inline]
    pub(crate) fn stored(&self, handle: BlockHandle) -> Option<&[u8]> {
        let start = usize::try_from(handle.offset.checked_sub(self.offset)?).ok()?;
        let end = start.checked_add(handle.len)?;
        self.bytes.get(..self.len)?.get(start..end)
    }
}

/// The bytes of block `index` and of those next to it in the direction of the walk: whole blocks, `limit` at most.
pub(crate) fn reach(
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
