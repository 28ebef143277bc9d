//! A memtable whose structure is chosen when it is made.
//!
//! A `match` before each call, and not a trait object: the branch is always taken the same way, the calls behind it can be
//! inlined, and the trait has an associated type.

use std::sync::Arc;

use bytes::Bytes;
use slice_types::{EntryIterator, EntryRef, RangeIndex, Result, SeqNo, Trailer};

use crate::btree::{BTreeIter, BTreeLoader};
use crate::skiplist::SkipListIter;
use crate::{BTreeMemTable, MemTable, SkipListMemTable};

/// The structure of a memtable. It is a matter of speed and of memory only: all answer alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum MemTableKind {
    /// [`BTreeMemTable`]: the faster, and the smaller.
    #[default]
    BTree,
    /// [`SkipListMemTable`]: code that many others use as well, and no unsafe code of this crate's own.
    SkipList,
}

/// A memtable of either kind.
#[derive(Debug)]
pub enum AnyMemTable {
    /// On a B+-tree.
    BTree(Arc<BTreeMemTable>),
    /// On a skip list.
    SkipList(Arc<SkipListMemTable>),
}

/// An [`AnyMemTable`] that is being made of many entries, faster than by inserting them.
#[derive(Debug)]
pub enum AnyLoader {
    /// On a B+-tree.
    BTree(Box<BTreeLoader>),
    /// On a skip list, which gains nothing by it.
    SkipList(Arc<SkipListMemTable>),
}

/// An iterator over an [`AnyMemTable`].
#[derive(Debug)]
pub enum AnyIter {
    /// Over a B+-tree.
    BTree(BTreeIter),
    /// Over a skip list.
    SkipList(SkipListIter),
}

macro_rules! each {
    ($enum:ident, $self:ident, $it:ident => $call:expr) => {
        match $self {
            $enum::BTree($it) => $call,
            $enum::SkipList($it) => $call,
        }
    };
}

impl AnyMemTable {
    /// An empty memtable of this kind.
    pub fn of(kind: MemTableKind) -> Self {
        match kind {
            MemTableKind::BTree => Self::BTree(Arc::default()),
            MemTableKind::SkipList => Self::SkipList(Arc::default()),
        }
    }
}

impl AnyLoader {
    /// Of no entries.
    pub fn of(kind: MemTableKind) -> Self {
        match kind {
            MemTableKind::BTree => Self::BTree(Box::default()),
            MemTableKind::SkipList => Self::SkipList(Arc::default()),
        }
    }

    /// Adds an entry, in whatever order. Of two with the same key and trailer one stays.
    ///
    /// # Panics
    ///
    /// As [`MemTable::insert`].
    #[inline]
    pub fn add(&mut self, key: &[u8], trailer: Trailer, value: &[u8]) {
        match self {
            Self::BTree(loader) => loader.add(key, trailer, value),
            Self::SkipList(table) => table.insert(key, trailer, value),
        }
    }

    /// The table with all that was added. Made by two threads if the caller has one to spare.
    pub fn finish(self, has_helper: bool) -> AnyMemTable {
        match self {
            Self::BTree(loader) => AnyMemTable::BTree(Arc::new(loader.finish(has_helper))),
            Self::SkipList(table) => AnyMemTable::SkipList(table),
        }
    }
}

impl Default for AnyMemTable {
    fn default() -> Self {
        Self::of(MemTableKind::default())
    }
}

impl MemTable for AnyMemTable {
    type Iter = AnyIter;

    fn new() -> Self {
        Self::default()
    }

    #[inline]
    fn insert(&self, key: &[u8], trailer: Trailer, value: &[u8]) {
        each!(Self, self, table => table.insert(key, trailer, value));
    }

    #[inline]
    fn get(&self, key: &[u8], at: SeqNo) -> Option<(Trailer, Bytes)> {
        each!(Self, self, table => table.get(key, at))
    }

    #[inline]
    fn covering(&self, key: &[u8], at: SeqNo) -> Option<SeqNo> {
        each!(Self, self, table => table.covering(key, at))
    }

    fn range_tombstones(&self) -> Vec<Arc<RangeIndex>> {
        each!(Self, self, table => table.range_tombstones())
    }

    fn iter(self: &Arc<Self>) -> AnyIter {
        match &**self {
            Self::BTree(table) => AnyIter::BTree(table.iter()),
            Self::SkipList(table) => AnyIter::SkipList(table.iter()),
        }
    }

    #[inline]
    fn memory_used(&self) -> usize {
        each!(Self, self, table => table.memory_used())
    }

    fn len(&self) -> usize {
        each!(Self, self, table => table.len())
    }

    fn tombstones(&self) -> usize {
        each!(Self, self, table => table.tombstones())
    }

    #[inline]
    fn max_seqno(&self) -> SeqNo {
        each!(Self, self, table => table.max_seqno())
    }
}

impl AnyIter {
    /// Key and value of the entry that it stands on, sharing the memtable's memory where that is not being filled.
    pub fn shared(&self) -> Option<(Bytes, Bytes)> {
        each!(Self, self, iter => iter.shared())
    }

    /// The value of the entry that it stands on, as [`shared`](Self::shared) gives it.
    pub fn shared_value(&self) -> Option<Bytes> {
        each!(Self, self, iter => iter.shared_value())
    }

    /// The highest sequence number of an entry of the memtable, of any key.
    pub fn max_seqno(&self) -> SeqNo {
        each!(Self, self, iter => iter.max_seqno())
    }
}

impl EntryIterator for AnyIter {
    #[inline]
    fn entry(&self) -> Option<EntryRef<'_>> {
        each!(Self, self, iter => iter.entry())
    }

    fn seek_to_first(&mut self) -> Result<()> {
        each!(Self, self, iter => iter.seek_to_first())
    }

    fn seek_to_last(&mut self) -> Result<()> {
        each!(Self, self, iter => iter.seek_to_last())
    }

    fn seek(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        each!(Self, self, iter => iter.seek(key, trailer))
    }

    fn seek_for_prev(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        each!(Self, self, iter => iter.seek_for_prev(key, trailer))
    }

    #[inline]
    fn next(&mut self) -> Result<()> {
        each!(Self, self, iter => iter.next())
    }

    #[inline]
    fn prev(&mut self) -> Result<()> {
        each!(Self, self, iter => iter.prev())
    }
}
