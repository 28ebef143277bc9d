//! The iterator: the entries of one leaf at a time, in order.
//!
//! It keeps the numbers of a leaf's entries, sorted, and goes down the tree again at either end of them. The leaf may have
//! been replaced since; its bounds lead to where its neighbours are now.

use std::cmp::Ordering;
use std::fmt;
use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use slice_types::{EntryIterator, EntryRef, Result, SeqNo, Trailer};

use super::inner::Side;
use super::leaf::Slot;
use super::skip::Bounds;
use super::target::Target;
use super::{BTreeMemTable, EntryId, Found};
use crate::MemTable;

/// An iterator over a [`BTreeMemTable`]. Its movements never fail.
pub struct BTreeIter {
    table: Arc<BTreeMemTable>,
    /// The entries of a leaf, in order; empty when it stands on none.
    batch: Vec<Slot>,
    at: usize,
    bounds: Bounds,
    /// How many leaves it has crossed into since the last seek.
    crossed: u32,
}

impl BTreeIter {
    pub(super) const fn new(table: Arc<BTreeMemTable>) -> Self {
        Self { table, batch: Vec::new(), at: 0, bounds: Bounds { lower: None, upper: None }, crossed: 0 }
    }

    /// Key and value of the entry that it stands on, sharing the memtable's memory.
    pub fn shared(&self) -> Option<(Bytes, Bytes)> {
        self.batch.get(self.at).map(|(_, id)| self.table.entries.share(*id))
    }

    /// The value of the entry that it stands on, sharing the memtable's memory.
    pub fn shared_value(&self) -> Option<Bytes> {
        self.batch.get(self.at).map(|(_, id)| self.table.entries.share_value(*id))
    }

    /// The highest sequence number of an entry of the memtable, of any key.
    pub fn max_seqno(&self) -> SeqNo {
        self.table.max_seqno()
    }

    /// Stands on the first entry at or behind the target.
    fn forward(&mut self, target: &Target<'_>) {
        let table = Arc::clone(&self.table);
        let visit = table.visitors.enter();
        let found = table.find(target, Side::Behind);
        self.take(&found);
        self.at = found.leaf.count_before(&self.batch, target, Ordering::is_lt, &table.entries);
        drop(visit);
        if self.at == self.batch.len() {
            self.cross_forward();
        }
    }

    /// Stands on the last entry before the target, or at it if `side` says so.
    fn backward(&mut self, target: &Target<'_>, side: Side) {
        let table = Arc::clone(&self.table);
        let visit = table.visitors.enter();
        let found = table.find(target, side);
        self.take(&found);
        let is_before = |order: Ordering| order.is_lt() || side == Side::Behind && order.is_eq();
        let before = found.leaf.count_before(&self.batch, target, is_before, &table.entries);
        drop(visit);
        match before.checked_sub(1) {
            Some(at) => self.at = at,
            None => self.cross_backward(),
        }
    }

    /// Goes on behind the upper bound of the leaf.
    fn cross_forward(&mut self) {
        self.batch.clear();
        let Some(upper) = self.bounds.upper else { return };
        let table = Arc::clone(&self.table);
        self.forward(&table.entries.get(upper).into());
        self.touch();
    }

    /// Goes on before the lower bound of the leaf.
    fn cross_backward(&mut self) {
        self.batch.clear();
        let Some(lower) = self.bounds.lower else { return };
        let table = Arc::clone(&self.table);
        self.backward(&table.entries.get(lower).into(), Side::Before);
        self.touch();
    }

    /// Takes what a leaf has within its bounds.
    fn take(&mut self, found: &Found<'_>) {
        let entries = &self.table.entries;
        found.leaf.collect(&mut self.batch, entries);
        (self.at, self.bounds) = (0, found.bounds);
        if found.leaf.is_split() {
            let is_before = |id: EntryId, bound: EntryId| entries.get(id).order(&entries.get(bound)).is_lt();
            let Bounds { lower, upper } = found.bounds;
            self.batch.retain(|(_, id)| {
                !lower.is_some_and(|lower| is_before(*id, lower))
                    && upper.is_none_or(|upper| is_before(*id, upper))
            });
        }
    }

    /// Looks at all entries of the batch, in a scan that is a long one: their cache misses are waited for together, and not
    /// one after the other as they are come to.
    fn touch(&mut self) {
        self.crossed += 1;
        if self.crossed > 1 {
            let touched = self.batch.iter().map(|(_, id)| self.table.entries.touch(*id));
            black_box(touched.fold(0, |all, byte| all | byte));
        }
    }
}

impl EntryIterator for BTreeIter {
    #[inline]
    fn entry(&self) -> Option<EntryRef<'_>> {
        self.batch.get(self.at).map(|(_, id)| self.table.entries.get(*id))
    }

    fn seek_to_first(&mut self) -> Result<()> {
        self.crossed = 0;
        self.forward(&Target { key: b"", trailer: Trailer::FIRST });
        Ok(())
    }

    fn seek_to_last(&mut self) -> Result<()> {
        self.crossed = 0;
        let table = Arc::clone(&self.table);
        let _visit = table.visitors.enter();
        self.take(&table.find_last());
        self.at = self.batch.len().saturating_sub(1);
        Ok(())
    }

    fn seek(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        self.crossed = 0;
        self.forward(&Target { key, trailer });
        Ok(())
    }

    fn seek_for_prev(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        self.crossed = 0;
        self.backward(&Target { key, trailer }, Side::Behind);
        Ok(())
    }

    #[inline]
    fn next(&mut self) -> Result<()> {
        if self.at + 1 < self.batch.len() {
            self.at += 1;
        } else if !self.batch.is_empty() {
            self.cross_forward();
        }
        Ok(())
    }

    #[inline]
    fn prev(&mut self) -> Result<()> {
        if self.at > 0 {
            self.at -= 1;
        } else if !self.batch.is_empty() {
            self.cross_backward();
        }
        Ok(())
    }
}

impl fmt::Debug for BTreeIter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BTreeIter").field("entry", &self.entry()).finish_non_exhaustive()
    }
}
