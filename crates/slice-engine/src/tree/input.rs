//! What a merge reads: a memtable, a table, or a run of disjoint tables as one.

use std::sync::Arc;

use slice_memtable::MemTable;
use slice_sstable::{IterOptions, TableIter};
use slice_types::{EntryIterator, EntryRef, Result, Trailer};

use super::caches::Blocks;
use super::{Memory, OpenTable};

/// An input of a merge.
pub(crate) enum Input {
    Memory(<Memory as MemTable>::Iter),
    Table(TableIter<Blocks>),
    Run(RunIter),
}

macro_rules! each {
    ($self:ident, $iter:ident => $call:expr) => {
        match $self {
            Self::Memory($iter) => $call,
            Self::Table($iter) => $call,
            Self::Run($iter) => $call,
        }
    };
}

impl EntryIterator for Input {
    fn entry(&self) -> Option<EntryRef<'_>> {
        each!(self, iter => iter.entry())
    }

    fn seek_to_first(&mut self) -> Result<()> {
        each!(self, iter => iter.seek_to_first())
    }

    fn seek_to_last(&mut self) -> Result<()> {
        each!(self, iter => iter.seek_to_last())
    }

    fn seek(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        each!(self, iter => iter.seek(key, trailer))
    }

    fn seek_for_prev(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        each!(self, iter => iter.seek_for_prev(key, trailer))
    }

    fn next(&mut self) -> Result<()> {
        each!(self, iter => iter.next())
    }

    fn prev(&mut self) -> Result<()> {
        each!(self, iter => iter.prev())
    }
}

/// Disjoint tables in key order, one after the other; only the one it stands in is open.
pub(crate) struct RunIter {
    tables: Vec<Arc<OpenTable>>,
    options: IterOptions,
    /// The place in `tables` that `current` reads; meaningless when there is none.
    at: usize,
    current: Option<TableIter<Blocks>>,
}

impl RunIter {
    pub(crate) fn new(tables: Vec<Arc<OpenTable>>, options: IterOptions) -> Self {
        Self { tables, options, at: 0, current: None }
    }

    /// Opens the table at `at`, or none beyond the ends, and positions it.
    fn enter(
        &mut self,
        at: Option<usize>,
        position: impl FnOnce(&mut TableIter<Blocks>) -> Result<()>,
    ) -> Result<()> {
        self.current = None;
        let Some((at, table)) = at.and_then(|at| Some((at, self.tables.get(at)?))) else { return Ok(()) };
        let mut iter = table.table.iter(self.options);
        position(&mut iter)?;
        self.at = at;
        self.current = Some(iter);
        Ok(())
    }

    fn stands(&self) -> bool {
        self.current.as_ref().is_some_and(|iter| iter.entry().is_some())
    }

    fn skip_forward(&mut self) -> Result<()> {
        while self.current.is_some() && !self.stands() {
            self.enter(Some(self.at + 1), TableIter::seek_to_first)?;
        }
        Ok(())
    }

    fn skip_backward(&mut self) -> Result<()> {
        while self.current.is_some() && !self.stands() {
            self.enter(self.at.checked_sub(1), TableIter::seek_to_last)?;
        }
        Ok(())
    }
}

impl EntryIterator for RunIter {
    fn entry(&self) -> Option<EntryRef<'_>> {
        self.current.as_ref()?.entry()
    }

    fn seek_to_first(&mut self) -> Result<()> {
        self.enter(Some(0), TableIter::seek_to_first)?;
        self.skip_forward()
    }

    fn seek_to_last(&mut self) -> Result<()> {
        self.enter(self.tables.len().checked_sub(1), TableIter::seek_to_last)?;
        self.skip_backward()
    }

    fn seek(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        let at = self.tables.partition_point(|table| *table.meta.largest < *key);
        self.enter(Some(at), |iter| iter.seek(key, trailer))?;
        self.skip_forward()
    }

    fn seek_for_prev(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        let behind = self.tables.partition_point(|table| *table.meta.smallest <= *key);
        self.enter(behind.checked_sub(1), |iter| iter.seek_for_prev(key, trailer))?;
        self.skip_backward()
    }

    fn next(&mut self) -> Result<()> {
        let Some(iter) = &mut self.current else { return Ok(()) };
        iter.next()?;
        self.skip_forward()
    }

    fn prev(&mut self) -> Result<()> {
        let Some(iter) = &mut self.current else { return Ok(()) };
        iter.prev()?;
        self.skip_backward()
    }
}
