//! Walks over what can be read of a table, and notes what cannot.

use std::sync::Arc;

use slice_sstable::block::BlockCursor;
use slice_sstable::{Block, BlockPlace};
use slice_types::{EntryIterator, EntryRef, Error, ErrorKind, Result, SeqNo, Trailer, internal_cmp};

use super::report::Lost;
use crate::primitives::Mutex;
use crate::signal::lock;
use crate::verify::PlainTable;

/// The losses of a repair, noted as they are met.
pub(super) type Losses = Arc<Mutex<Vec<Lost>>>;

/// An iterator over the entries of the blocks that can be read. It walks forward only, which is all that a merge asks.
pub(super) struct ReadableBlocks {
    table: PlainTable,
    /// The number of the next block to read.
    next: usize,
    cursor: BlockCursor,
    last: Option<(Vec<u8>, Trailer)>,
    /// The sequence number of entries that are written without one.
    number: SeqNo,
    losses: Losses,
}

impl ReadableBlocks {
    pub(super) fn new(table: PlainTable, number: SeqNo, losses: Losses) -> Self {
        Self { table, next: 0, cursor: BlockCursor::new(), last: None, number, losses }
    }

    /// Enters the next block that can be read; stands on no entry behind the last.
    fn enter_next(&mut self) {
        self.cursor.leave();
        let table = Arc::clone(&self.table);
        while let Some(place) = table.block_place(self.next) {
            let block = table.read_block(self.next).and_then(|block| self.in_order(block));
            self.next += 1;
            match block {
                Ok(Some(block)) => {
                    self.cursor.enter(block, 0);
                    return;
                }
                Ok(None) => {}
                Err(error) => lock(&self.losses).push(lost_block(place, &error)),
            }
        }
    }

    /// The block, if its entries stand in order and behind all before: another would make a table that lies.
    fn in_order(&mut self, block: Option<Block>) -> Result<Option<Block>> {
        let Some(block) = block else { return Ok(None) };
        let mut last = self.last.clone();
        for i in 0..block.count() {
            let mut key = Vec::new();
            block.key_into(i, &mut key);
            let entry = (key, block.trailer(i));
            if last.as_ref().is_some_and(|last| internal_cmp((&last.0, last.1), (&entry.0, entry.1)).is_ge())
            {
                return Err(Error::corruption("the entries of a block are out of order"));
            }
            last = Some(entry);
        }
        self.last = last;
        Ok(Some(block))
    }
}

fn lost_block(place: BlockPlace<'_>, error: &Error) -> Lost {
    Lost {
        file: error.file().map(ToOwned::to_owned).unwrap_or_default(),
        offset: Some(place.offset),
        keys: Some((place.from.to_vec(), place.through.to_vec())),
        message: error.message().to_owned(),
    }
}

/// The trailer of an entry in a table of that number: it counts for what was loaded in bulk.
pub(super) fn numbered(written: Trailer, number: SeqNo) -> Trailer {
    if written.seqno() == SeqNo::ZERO { Trailer::new(number, written.kind()) } else { written }
}

fn forward_only() -> Error {
    Error::new(ErrorKind::Unsupported, "what is salvaged is read forward, once")
}

impl EntryIterator for ReadableBlocks {
    fn entry(&self) -> Option<EntryRef<'_>> {
        let entry = self.cursor.entry()?;
        Some(EntryRef { trailer: numbered(entry.trailer, self.number), ..entry })
    }

    fn seek_to_first(&mut self) -> Result<()> {
        if self.next == 0 {
            self.enter_next();
            return Ok(());
        }
        Err(forward_only())
    }

    fn seek_to_last(&mut self) -> Result<()> {
        Err(forward_only())
    }

    fn seek(&mut self, _: &[u8], _: Trailer) -> Result<()> {
        Err(forward_only())
    }

    fn seek_for_prev(&mut self, _: &[u8], _: Trailer) -> Result<()> {
        Err(forward_only())
    }

    fn next(&mut self) -> Result<()> {
        if !self.cursor.next_in_block() && self.cursor.entry().is_some() {
            self.enter_next();
        }
        Ok(())
    }

    fn prev(&mut self) -> Result<()> {
        Err(forward_only())
    }
}
