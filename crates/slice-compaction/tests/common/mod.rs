//! What the tests and the bench share: entries in memory, an iterator over them, a sink that keeps its tables.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(unreachable_pub, reason = "a module of several programs")]

use std::sync::Arc;

use slice_compaction::{TableMeta, TableSink};
use slice_types::{EntryIterator, EntryKind, EntryRef, Result, SeqNo, TableId, Trailer, internal_cmp};

/// An entry that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub key: Vec<u8>,
    pub trailer: Trailer,
    pub value: Vec<u8>,
}

impl Entry {
    pub fn new(key: &[u8], seqno: u64, kind: EntryKind, value: &[u8]) -> Self {
        Self { key: key.to_vec(), trailer: Trailer::new(SeqNo::new(seqno), kind), value: value.to_vec() }
    }

    pub fn as_ref(&self) -> EntryRef<'_> {
        EntryRef::new(&self.key, self.trailer, &self.value)
    }
}

/// Sorts into internal order.
pub fn sort(entries: &mut [Entry]) {
    entries.sort_by(|left, right| left.as_ref().order(&right.as_ref()));
}

/// An iterator over sorted entries.
#[derive(Clone, Debug)]
pub struct VecIter {
    entries: Arc<[Entry]>,
    place: Option<usize>,
}

impl VecIter {
    pub fn new(entries: impl Into<Arc<[Entry]>>) -> Self {
        Self { entries: entries.into(), place: None }
    }

    #[expect(clippy::unnecessary_wraps, reason = "the movements that end in it can fail")]
    fn stand(&mut self, place: Option<usize>) -> Result<()> {
        self.place = place.filter(|&place| place < self.entries.len());
        Ok(())
    }

    fn before(&self, key: &[u8], trailer: Trailer, equal: bool) -> usize {
        self.entries.partition_point(|entry| {
            let order = internal_cmp((&entry.key, entry.trailer), (key, trailer));
            order.is_lt() || (equal && order.is_eq())
        })
    }
}

impl EntryIterator for VecIter {
    fn entry(&self) -> Option<EntryRef<'_>> {
        self.place.map(|place| self.entries[place].as_ref())
    }

    fn seek_to_first(&mut self) -> Result<()> {
        self.stand(Some(0))
    }

    fn seek_to_last(&mut self) -> Result<()> {
        self.stand(self.entries.len().checked_sub(1))
    }

    fn seek(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        self.stand(Some(self.before(key, trailer, false)))
    }

    fn seek_for_prev(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        self.stand(self.before(key, trailer, true).checked_sub(1))
    }

    fn next(&mut self) -> Result<()> {
        self.stand(self.place.map(|place| place + 1))
    }

    fn prev(&mut self) -> Result<()> {
        self.stand(self.place.and_then(|place| place.checked_sub(1)))
    }
}

/// A sink that keeps its tables. An entry counts as many bytes as its key and value have.
#[derive(Debug, Default)]
pub struct VecSink {
    pub tables: Vec<Vec<Entry>>,
    current: Vec<Entry>,
    bytes: u64,
}

impl VecSink {
    /// Entries of the table in progress.
    pub fn pending(&self) -> usize {
        self.current.len()
    }
}

impl TableSink for VecSink {
    fn add(&mut self, entry: EntryRef<'_>) -> Result<()> {
        self.bytes += (entry.key.len() + entry.value.len()) as u64;
        self.current.push(Entry {
            key: entry.key.to_vec(),
            trailer: entry.trailer,
            value: entry.value.to_vec(),
        });
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn cut(&mut self) -> Result<()> {
        assert!(!self.current.is_empty(), "an empty table was ended");
        self.tables.push(std::mem::take(&mut self.current));
        self.bytes = 0;
        Ok(())
    }
}

/// What is known of a table with these entries, of which there must be one.
pub fn meta_of(id: u64, entries: &[Entry]) -> Arc<TableMeta> {
    let seqnos = || entries.iter().map(|entry| entry.trailer.seqno());
    let tombstones = entries.iter().filter(|entry| entry.trailer.kind() == EntryKind::Delete).count();
    Arc::new(TableMeta {
        id: TableId(id),
        smallest: entries[0].key.as_slice().into(),
        largest: entries[entries.len() - 1].key.as_slice().into(),
        bytes: entries.iter().map(|entry| (entry.key.len() + entry.value.len()) as u64).sum(),
        entries: entries.len() as u64,
        tombstones: tombstones as u64,
        min_seqno: seqnos().min().expect("a table has entries"),
        max_seqno: seqnos().max().expect("a table has entries"),
        purged: SeqNo::ZERO,
    })
}
