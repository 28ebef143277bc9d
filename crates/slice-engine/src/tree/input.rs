//! What merges and scans read: a memtable, a table, a run of disjoint tables as one, or what a transaction wrote.

use std::sync::Arc;

use bytes::Bytes;
use slice_memtable::MemTable;
use slice_sstable::{IterOptions, ReadMode, TableIter};
use slice_types::{EntryIterator, EntryRef, Result, SeqNo, Trailer};

use super::caches::Blocks;
use super::{Memory, OpenTable, Version};
use crate::scan::OverlayIter;

/// An input of a merge or a scan.
pub(crate) enum Input {
    Memory(<Memory as MemTable>::Iter),
    /// Also the highest sequence number in the table.
    Table(TableIter<Blocks>, SeqNo),
    Run(RunIter),
    Overlay(OverlayIter),
}

macro_rules! each {
    ($self:ident, $iter:ident => $call:expr) => {
        match $self {
            Self::Memory($iter) => $call,
            Self::Table($iter, _) => $call,
            Self::Run($iter) => $call,
            Self::Overlay($iter) => $call,
        }
    };
}

impl Input {
    /// Key and value of the entry that it stands on. The value shares the memory of its block or memtable; the key
    /// does in a memtable, and is a copy of one in a block, which keeps keys in pieces.
    pub(crate) fn shared(&self) -> Option<(Bytes, Bytes)> {
        match self {
            Self::Memory(iter) => iter.shared(),
            Self::Table(iter, _) => shared(iter),
            Self::Run(iter) => shared(iter.current.as_ref()?),
            Self::Overlay(iter) => iter.shared(),
        }
    }

    /// The value of the entry that it stands on, sharing the memory that it is in.
    pub(crate) fn value(&self) -> Option<Bytes> {
        match self {
            Self::Memory(iter) => iter.shared_value(),
            Self::Table(iter, _) => iter.value_bytes(),
            Self::Run(iter) => iter.current.as_ref()?.value_bytes(),
            Self::Overlay(iter) => iter.value(),
        }
    }

    /// Whether movements from now on may wait for the disk.
    pub(crate) fn set_mode(&mut self, mode: ReadMode) {
        match self {
            Self::Table(iter, _) => iter.set_mode(mode),
            Self::Run(iter) => iter.set_mode(mode),
            Self::Memory(_) | Self::Overlay(_) => {}
        }
    }
}

impl Input {
    /// Of a table, as a run of its own.
    pub(crate) fn of_table(table: &OpenTable, options: IterOptions) -> Self {
        Self::Table(table.table.iter(options), table.meta.max_seqno)
    }

    /// Passes over entries before `end`, forward, all of which are deleted if they are below `newest`; `None` for no end.
    /// Does nothing where newer ones may be among them. What is passed over is not read.
    pub(crate) fn pass_up_to(&mut self, end: Option<&Bytes>, newest: SeqNo) -> Result<()> {
        if self.entry().is_none_or(|entry| end.is_some_and(|end| entry.key >= &**end)) {
            return Ok(());
        }
        match self {
            // A tombstone has a number of its own.
            Self::Memory(iter) if iter.max_seqno() <= newest => seek_up_to(iter, end),
            Self::Table(iter, max_seqno) if *max_seqno < newest => seek_up_to(iter, end),
            Self::Run(iter) => iter.pass_up_to(end, newest),
            Self::Memory(_) | Self::Table(..) | Self::Overlay(_) => Ok(()),
        }
    }

    /// The same backward, over entries from `start` on.
    pub(crate) fn pass_down_to(&mut self, start: &Bytes, newest: SeqNo) -> Result<()> {
        if self.entry().is_none_or(|entry| entry.key < &**start) {
            return Ok(());
        }
        match self {
            Self::Memory(iter) if iter.max_seqno() <= newest => iter.seek_for_prev(start, Trailer::FIRST),
            Self::Table(iter, max_seqno) if *max_seqno < newest => iter.seek_for_prev(start, Trailer::FIRST),
            Self::Run(iter) => iter.pass_down_to(start, newest),
            Self::Memory(_) | Self::Table(..) | Self::Overlay(_) => Ok(()),
        }
    }
}

fn seek_up_to(iter: &mut impl EntryIterator, end: Option<&Bytes>) -> Result<()> {
    let Some(end) = end else {
        iter.seek_to_last()?;
        return iter.next();
    };
    iter.seek(end, Trailer::FIRST)
}

fn shared(iter: &TableIter<Blocks>) -> Option<(Bytes, Bytes)> {
    Some((Bytes::copy_from_slice(iter.entry()?.key), iter.value_bytes()?))
}

impl EntryIterator for Input {
    #[inline]
    fn entry(&self) -> Option<EntryRef<'_>> {
        each!(self, iter => iter.entry())
    }

    #[inline]
    fn prefix(&self) -> Option<u128> {
        each!(self, iter => iter.prefix())
    }

    #[inline]
    fn is_newest(&self) -> bool {
        each!(self, iter => iter.is_newest())
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

    #[inline]
    fn next(&mut self) -> Result<()> {
        each!(self, iter => iter.next())
    }

    #[inline]
    fn prev(&mut self) -> Result<()> {
        each!(self, iter => iter.prev())
    }
}

/// The tables of a run, by key.
pub(crate) enum Run {
    /// Some tables of a level.
    Tables(Vec<Arc<OpenTable>>),
    /// All tables of a level below 0.
    Level(Arc<Version>, usize),
}

impl Run {
    fn tables(&self) -> &[Arc<OpenTable>] {
        match self {
            Self::Tables(tables) => tables,
            Self::Level(version, level) => version.levels().get(*level).map_or(&[], |tables| &tables[..]),
        }
    }
}

/// Disjoint tables in key order, one after the other; only the one it stands in is open.
pub(crate) struct RunIter {
    run: Run,
    options: IterOptions,
    /// The place in the run that `current` reads; meaningless when there is none.
    at: usize,
    current: Option<TableIter<Blocks>>,
}

impl RunIter {
    pub(crate) fn new(run: Run, options: IterOptions) -> Self {
        Self { run, options, at: 0, current: None }
    }

    fn set_mode(&mut self, mode: ReadMode) {
        self.options.mode = mode;
        if let Some(iter) = &mut self.current {
            iter.set_mode(mode);
        }
    }

    /// Positions the table at `at`, opening it if need be; stands on none beyond the ends.
    fn enter(
        &mut self,
        at: Option<usize>,
        position: impl FnOnce(&mut TableIter<Blocks>) -> Result<()>,
    ) -> Result<()> {
        match &mut self.current {
            Some(iter) if at == Some(self.at) => return position(iter),
            current => *current = None,
        }
        self.go_on(at, position)
    }

    /// The same, for the table next to that in which it stands: it goes on as it did there.
    fn go_on(
        &mut self,
        at: Option<usize>,
        position: impl FnOnce(&mut TableIter<Blocks>) -> Result<()>,
    ) -> Result<()> {
        let before = self.current.take();
        let Some((at, table)) = at.and_then(|at| Some((at, self.run.tables().get(at)?))) else {
            return Ok(());
        };
        let mut iter = table.table.iter(self.options);
        if let Some(before) = before {
            iter.follow(before);
        }
        position(&mut iter)?;
        self.at = at;
        self.current = Some(iter);
        Ok(())
    }

    #[inline]
    fn stands(&self) -> bool {
        self.prefix().is_some()
    }

    /// See [`Input::pass_up_to`]. Tables that end before `end` are not opened.
    fn pass_up_to(&mut self, end: Option<&Bytes>, newest: SeqNo) -> Result<()> {
        let is_passed = |table: &&Arc<OpenTable>| {
            table.meta.max_seqno < newest && end.is_none_or(|end| *table.meta.largest < **end)
        };
        let passed = self.run.tables()[self.at..].iter().take_while(is_passed).count();
        if passed > 0 {
            self.enter(Some(self.at + passed), TableIter::seek_to_first)?;
            self.skip_forward()?;
        }
        match &mut self.current {
            Some(iter)
                if self.run.tables()[self.at].meta.max_seqno < newest
                    && iter.entry().is_some_and(|entry| end.is_none_or(|end| entry.key < &**end)) =>
            {
                seek_up_to(iter, end)?;
                self.skip_forward()
            }
            _ => Ok(()),
        }
    }

    /// See [`Input::pass_down_to`].
    fn pass_down_to(&mut self, start: &Bytes, newest: SeqNo) -> Result<()> {
        let is_passed =
            |table: &&Arc<OpenTable>| table.meta.max_seqno < newest && *table.meta.smallest >= **start;
        let passed = self.run.tables()[..=self.at].iter().rev().take_while(is_passed).count();
        if passed > 0 {
            self.enter(self.at.checked_sub(passed), TableIter::seek_to_last)?;
            self.skip_backward()?;
        }
        match &mut self.current {
            Some(iter)
                if self.run.tables()[self.at].meta.max_seqno < newest
                    && iter.entry().is_some_and(|entry| entry.key >= &**start) =>
            {
                iter.seek_for_prev(start, Trailer::FIRST)?;
                self.skip_backward()
            }
            _ => Ok(()),
        }
    }

    fn skip_forward(&mut self) -> Result<()> {
        while self.current.is_some() && !self.stands() {
            self.go_on(Some(self.at + 1), TableIter::seek_to_first)?;
        }
        Ok(())
    }

    fn skip_backward(&mut self) -> Result<()> {
        while self.current.is_some() && !self.stands() {
            self.go_on(self.at.checked_sub(1), TableIter::seek_to_last)?;
        }
        Ok(())
    }
}

impl EntryIterator for RunIter {
    #[inline]
    fn entry(&self) -> Option<EntryRef<'_>> {
        self.current.as_ref()?.entry()
    }

    #[inline]
    fn prefix(&self) -> Option<u128> {
        self.current.as_ref()?.prefix()
    }

    #[inline]
    fn is_newest(&self) -> bool {
        self.current.as_ref().is_some_and(TableIter::is_newest)
    }

    fn seek_to_first(&mut self) -> Result<()> {
        self.enter(Some(0), TableIter::seek_to_first)?;
        self.skip_forward()
    }

    fn seek_to_last(&mut self) -> Result<()> {
        self.enter(self.run.tables().len().checked_sub(1), TableIter::seek_to_last)?;
        self.skip_backward()
    }

    fn seek(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        let at = self.run.tables().partition_point(|table| *table.meta.largest < *key);
        self.enter(Some(at), |iter| iter.seek(key, trailer))?;
        self.skip_forward()
    }

    fn seek_for_prev(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        let behind = self.run.tables().partition_point(|table| *table.meta.smallest <= *key);
        self.enter(behind.checked_sub(1), |iter| iter.seek_for_prev(key, trailer))?;
        self.skip_backward()
    }

    #[inline]
    fn next(&mut self) -> Result<()> {
        let Some(iter) = &mut self.current else { return Ok(()) };
        iter.next()?;
        if self.stands() { Ok(()) } else { self.skip_forward() }
    }

    #[inline]
    fn prev(&mut self) -> Result<()> {
        let Some(iter) = &mut self.current else { return Ok(()) };
        iter.prev()?;
        if self.stands() { Ok(()) } else { self.skip_backward() }
    }
}
