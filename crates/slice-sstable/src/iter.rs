//! Walks a table's entries, both ways.
//!
//! ```text
//!   fences     | block 0 | block 1 | block 2 | ...
//!                             ^ the block, kept while inside; the cursor stands on an entry of it
//!   window          |-------- read ahead --------|
//! ```
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use slice_types::{EntryIterator, EntryRef, Result, TableId, Trailer};

use crate::block::BlockCursor;
use crate::numbering::Numbering;
use crate::pace::Pace;
use crate::window::{Direction, Window, reach};
use crate::{Block, BlockStore, CachePolicy, ReadMode, Table};

/// How a table is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct IterOptions {
    /// Whether blocks that it reads are offered to the block store.
    pub cache_policy: CachePolicy,
    /// How many bytes are read at once, whole blocks, in the direction of the walk; 0 for a block at a time. For
    /// merges and long scans, 256 KiB to 1 MiB. Not done in [`ReadMode::CachedOnly`].
    pub readahead_bytes: usize,
    /// Whether movements may wait for the disk.
    pub mode: ReadMode,
}

/// An iterator over a table's entries in internal order.
///
/// It owns what it needs: it may be sent to another thread, and outlive all other handles on the table.
pub struct TableIter<S: BlockStore> {
    table: Arc<Table<S>>,
    options: IterOptions,
    /// Invariant: where the cursor stands on an entry, this is the number of its block.
    block_index: usize,
    cursor: BlockCursor,
    /// The table's.
    numbering: Numbering,
    window: Window,
    pace: Pace,
    /// The pace in the table before, until a block of this one is read.
    earlier: Option<Pace>,
}

impl<S: BlockStore> TableIter<S> {
    pub(crate) fn new(table: Arc<Table<S>>, options: IterOptions) -> Self {
        let numbering = table.numbering;
        let (cursor, window, pace) = (BlockCursor::new(), Window::default(), Pace::default());
        Self { table, options, block_index: 0, cursor, numbering, window, pace, earlier: None }
    }

    /// The number of the table.
    pub fn table_id(&self) -> TableId {
        self.table.id()
    }

    /// The value of the entry that it stands on, sharing the block's memory.
    #[inline]
    pub fn value_bytes(&self) -> Option<Bytes> {
        self.cursor.value_bytes()
    }

    /// Whether movements from now on may wait for the disk: to go on after
    /// [`WouldBlock`](slice_types::ErrorKind::WouldBlock), change it and seek again.
    pub fn set_mode(&mut self, mode: ReadMode) {
        self.options.mode = mode;
    }

    /// Stands on the entry of block `block_index` that `pick` chooses; on none when it chooses one behind the last.
    fn enter(
        &mut self,
        block_index: usize,
        direction: Direction,
        pick: impl FnOnce(&Block) -> usize,
    ) -> Result<()> {
        let kept = self.cursor.leave().filter(|_| block_index == self.block_index);
        let block = match kept {
            Some(block) => Some(block),
            None => self.fetch(block_index, direction)?,
        };
        let Some(block) = block else { return Ok(()) };
        self.block_index = block_index;
        let index = pick(&block);
        self.cursor.enter(block, index);
        Ok(())
    }

    /// A block, or `None` behind the last: from the window, else from the store, else from the file.
    fn fetch(&mut self, block_index: usize, direction: Direction) -> Result<Option<Block>> {
        let Self { table, options, window, pace, earlier, .. } = self;
        let reader = &table.reader;
        let Some(handle) = table.fences.handle(block_index) else { return Ok(None) };
        if let Some(earlier) = earlier.take() {
            *pace = earlier.carry_over(block_index, direction);
        }
        pace.come_to(block_index, direction);
        if window.stored(handle).is_none()
            && let Some(block) = reader.kept(block_index)
        {
            pace.hit();
            return Ok(Some(block));
        }
        pace.miss();
        let policy = if pace.fills(options) { CachePolicy::Fill } else { CachePolicy::Bypass };
        if window.stored(handle).is_none() {
            let limit = pace.reach(options);
            if limit <= handle.len {
                return reader.read_block(block_index, handle, options.mode, policy).map(Some);
            }
            window.read(reader, reach(&table.fences, block_index, handle, direction, limit))?;
        }
        let block = reader.decode(window.stored(handle).unwrap_or_default(), handle.offset)?;
        if policy == CachePolicy::Fill {
            reader.keep(block_index, &block);
        }
        Ok(Some(block))
    }

    /// Goes on as `before` did, in the table next to its one: reads as far ahead, into the same memory.
    pub fn follow(&mut self, before: Self) {
        self.window = before.window;
        self.window.forget();
        self.earlier = Some(before.pace);
    }

    /// Goes on from the last entry of a block; stays on none.
    #[cold]
    fn leave_forward(&mut self) -> Result<()> {
        if self.cursor.prefix().is_none() { Ok(()) } else { self.enter_first_of(self.block_index + 1) }
    }

    /// Goes on from the first entry of a block; stays on none.
    #[cold]
    fn leave_backward(&mut self) -> Result<()> {
        if self.cursor.prefix().is_none() { Ok(()) } else { self.enter_last_before(self.block_index) }
    }

    fn enter_first_of(&mut self, block_index: usize) -> Result<()> {
        self.enter(block_index, Direction::Forward, |_| 0)
    }

    /// Stands on the last entry of the block before `block_index`; on none when that is the first.
    fn enter_last_before(&mut self, block_index: usize) -> Result<()> {
        let Some(before) = block_index.checked_sub(1) else {
            self.cursor.leave();
            return Ok(());
        };
        self.enter(before, Direction::Backward, |block| block.count() - 1)
    }
}

impl<S: BlockStore> EntryIterator for TableIter<S> {
    #[inline]
    fn entry(&self) -> Option<EntryRef<'_>> {
        let entry = self.cursor.entry()?;
        Some(EntryRef { trailer: self.numbering.of(entry.trailer), ..entry })
    }

    #[inline]
    fn prefix(&self) -> Option<u128> {
        self.cursor.prefix()
    }

    #[inline]
    fn is_newest(&self) -> bool {
        self.cursor.is_newest_in_block()
    }

    fn seek_to_first(&mut self) -> Result<()> {
        self.enter_first_of(0)
    }

    fn seek_to_last(&mut self) -> Result<()> {
        self.enter_last_before(self.table.fences.len())
    }

    fn seek(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        let trailer = self.numbering.seek(trailer);
        let index = self.table.fences.find(key, trailer);
        self.enter(index, Direction::Forward, |block| block.lower_bound(key, trailer))?;
        // Between the block's last entry and its fence there is none: then the next block's first entry it is.
        if self.cursor.entry().is_none() { self.enter_first_of(index + 1) } else { Ok(()) }
    }

    fn seek_for_prev(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        let trailer = self.numbering.seek_for_prev(trailer);
        let index = self.table.fences.find(key, trailer);
        // With no entry at or before the target, the choice is behind the last, and so none.
        self.enter(index, Direction::Backward, |block| {
            block.upper_bound(key, trailer).checked_sub(1).unwrap_or(block.count())
        })?;
        if self.cursor.entry().is_none() { self.enter_last_before(index) } else { Ok(()) }
    }

    #[inline]
    fn next(&mut self) -> Result<()> {
        if self.cursor.next_in_block() { Ok(()) } else { self.leave_forward() }
    }

    #[inline]
    fn prev(&mut self) -> Result<()> {
        if self.cursor.prev_in_block() { Ok(()) } else { self.leave_backward() }
    }
}

impl<S: BlockStore> fmt::Debug for TableIter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableIter")
            .field("table", &self.table.id())
            .field("entry", &self.entry())
            .finish_non_exhaustive()
    }
}
