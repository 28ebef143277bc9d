//! The iterator over a skip list that owns what it needs.
//!
//! A position in the list borrows the list, so an iterator that is `'static` cannot keep one without unsafe code. It
//! keeps a batch of entries instead (they share the arena's bytes, nothing is copied), and searches the list again at the
//! end of a batch:
//!
//! ```text
//!   list:    a  b  c  d  e  f  g  h  i  j  k ...
//!   batch:         [c  d  e  f]                     next at f: search for what follows f, and take twice as many
//!                      ^ at                         prev at c: search for what precedes c, and take that one
//! ```
//!
//! Batches start small, for a seek that wants a few entries, and double, so that a flush searches once in 256 entries.
//! Backward they stay at one: in a list linked forward only, each step back is a search anyway.

use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use slice_types::{EntryIterator, EntryRef, Result, SeqNo, Trailer};

use super::SkipListMemTable;
use super::position::{Place, Position, StoredEntry};
use crate::MemTable;

/// The entries of the first batch after a seek.
const BATCH_MIN: usize = 16;
/// The entries that a batch grows to.
const BATCH_MAX: usize = 256;

/// An iterator over a [`SkipListMemTable`]. Its movements never fail.
pub struct SkipListIter {
    table: Arc<SkipListMemTable>,
    /// Neighbours in internal order; empty when it stands on none.
    batch: Vec<StoredEntry>,
    at: usize,
    /// How many entries the next batch takes.
    want: usize,
}

impl SkipListIter {
    pub(super) const fn new(table: Arc<SkipListMemTable>) -> Self {
        Self { table, batch: Vec::new(), at: 0, want: BATCH_MIN }
    }

    /// Key and value of the entry that it stands on, sharing the memtable's memory.
    pub fn shared(&self) -> Option<(Bytes, Bytes)> {
        self.batch.get(self.at).map(StoredEntry::shared)
    }

    /// The value of the entry that it stands on, sharing the memtable's memory.
    pub fn shared_value(&self) -> Option<Bytes> {
        self.batch.get(self.at).map(StoredEntry::shared_value)
    }

    /// The highest sequence number of an entry of the memtable, of any key.
    pub fn max_seqno(&self) -> SeqNo {
        self.table.max_seqno()
    }

    /// Stands on the first entry within `bound`, with those that follow in the batch.
    fn fill_forward(&mut self, bound: Bound<&dyn Position>) {
        self.batch.clear();
        self.at = 0;
        let mut entry = self.table.map.lower_bound(bound);
        while let Some(found) = entry {
            self.batch.push(found.key().clone());
            if self.batch.len() == self.want {
                break;
            }
            entry = found.next();
        }
        self.want = (self.want * 2).min(BATCH_MAX);
    }

    /// Stands on the last entry within `bound`, alone in the batch.
    fn fill_backward(&mut self, bound: Bound<&dyn Position>) {
        self.batch.clear();
        self.at = 0;
        self.batch.extend(self.table.map.upper_bound(bound).map(|found| found.key().clone()));
        self.want = BATCH_MIN;
    }
}

impl EntryIterator for SkipListIter {
    fn entry(&self) -> Option<EntryRef<'_>> {
        self.batch.get(self.at).map(StoredEntry::as_entry)
    }

    fn seek_to_first(&mut self) -> Result<()> {
        self.want = BATCH_MIN;
        self.fill_forward(Bound::Unbounded);
        Ok(())
    }

    fn seek_to_last(&mut self) -> Result<()> {
        self.fill_backward(Bound::Unbounded);
        Ok(())
    }

    fn seek(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        self.want = BATCH_MIN;
        self.fill_forward(Bound::Included(&Place::new(key, trailer)));
        Ok(())
    }

    fn seek_for_prev(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        self.fill_backward(Bound::Included(&Place::new(key, trailer)));
        Ok(())
    }

    fn next(&mut self) -> Result<()> {
        if self.at + 1 < self.batch.len() {
            self.at += 1;
        } else if let Some(last) = self.batch.pop() {
            self.fill_forward(Bound::Excluded(&last));
        }
        Ok(())
    }

    fn prev(&mut self) -> Result<()> {
        if self.at > 0 {
            self.at -= 1;
        } else if !self.batch.is_empty() {
            let first = self.batch.swap_remove(0);
            self.fill_backward(Bound::Excluded(&first));
        }
        Ok(())
    }
}

impl fmt::Debug for SkipListIter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SkipListIter").field("entry", &self.entry()).finish_non_exhaustive()
    }
}
