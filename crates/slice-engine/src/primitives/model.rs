//! Doubles of the structures without locks that come from other crates, whose insides a model checker cannot see.
//!
//! Each promises what the original documents, and no more: a thread finds what it has a reason to find by the memory
//! model, and of the rest whatever the checker likes.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use slice_memtable::{MemTable, MemTableKind, SkipListMemTable};
use slice_types::{RangeIndex, SeqNo, Trailer};

use super::AtomicU64;

/// In place of `arc_swap::ArcSwap`: a store releases, a load acquires. One store at a time.
pub(crate) struct Swap<T> {
    /// The number of the newest value. The checker chooses which of the stores a load sees.
    newest: AtomicU64,
    values: Mutex<BTreeMap<u64, Arc<T>>>,
}

/// What a load of it gives.
pub(crate) type Loaded<T> = Arc<T>;

/// Keeps what was loaded for longer than a moment.
pub(crate) fn keep<T>(loaded: Loaded<T>) -> Arc<T> {
    loaded
}

impl<T> Swap<T> {
    pub(crate) fn from_pointee(value: T) -> Self {
        Self { newest: AtomicU64::new(0), values: Mutex::new(BTreeMap::from([(0, Arc::new(value))])) }
    }

    pub(crate) fn load(&self) -> Arc<T> {
        let number = self.newest.load(Ordering::Acquire);
        Arc::clone(&self.values()[&number])
    }

    pub(crate) fn store(&self, value: Arc<T>) {
        let number = *self.values().last_key_value().expect("there is always a value").0 + 1;
        self.values().insert(number, value);
        self.newest.store(number, Ordering::Release);
        drop(self.take_unreachable(number));
    }

    /// With shuttle, whose loads see the last store, older values go as they do in truth: dropping one may be the end
    /// of a table. With loom a load may still see them.
    fn take_unreachable(&self, newest: u64) -> BTreeMap<u64, Arc<T>> {
        let oldest = if cfg!(slice_shuttle) { newest } else { 0 };
        let mut values = self.values();
        let reachable = values.split_off(&oldest);
        std::mem::replace(&mut values, reachable)
    }

    fn values(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Arc<T>>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// In place of the memtable: a reader finds those inserts that happened before its read, and perhaps a few more.
pub(crate) struct Memory {
    entries: Arc<SkipListMemTable>,
    /// The number of the last entry. Stored and loaded relaxed: nothing is promised beyond what the engine sees to.
    last: AtomicU64,
}

impl Memory {
    /// What the kind is does not matter to who is promised no more than the double keeps.
    pub(crate) fn of(_kind: MemTableKind) -> Self {
        Self { entries: Arc::new(SkipListMemTable::new()), last: AtomicU64::new(0) }
    }
}

/// In place of what makes a memtable of many entries.
pub(crate) struct Loader(SkipListMemTable);

impl Loader {
    pub(crate) fn of(_kind: MemTableKind) -> Self {
        Self(SkipListMemTable::new())
    }

    pub(crate) fn add(&mut self, key: &[u8], trailer: Trailer, value: &[u8]) {
        self.0.insert(key, trailer, value);
    }

    pub(crate) fn finish(self, _has_helper: bool) -> Memory {
        let last = AtomicU64::new(self.0.max_seqno().get());
        Memory { entries: Arc::new(self.0), last }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl MemTable for Memory {
    type Iter = <SkipListMemTable as MemTable>::Iter;

    fn new() -> Self {
        Self::of(MemTableKind::default())
    }

    fn insert(&self, key: &[u8], trailer: Trailer, value: &[u8]) {
        self.entries.insert(key, trailer, value);
        self.last.store(trailer.seqno().get(), Ordering::Relaxed);
    }

    fn get(&self, key: &[u8], at: SeqNo) -> Option<(Trailer, Bytes)> {
        let known = SeqNo::new(self.last.load(Ordering::Relaxed));
        self.entries.get(key, at.min(known))
    }

    fn covering(&self, key: &[u8], at: SeqNo) -> Option<SeqNo> {
        let known = SeqNo::new(self.last.load(Ordering::Relaxed));
        self.entries.covering(key, at.min(known))
    }

    fn range_tombstones(&self) -> Vec<Arc<RangeIndex>> {
        self.entries.range_tombstones()
    }

    fn iter(self: &Arc<Self>) -> Self::Iter {
        let known = SeqNo::new(self.last.load(Ordering::Relaxed));
        assert_eq!(known, self.entries.max_seqno(), "who flushes a memtable knows of every insert");
        self.entries.iter()
    }

    fn memory_used(&self) -> usize {
        self.entries.memory_used()
    }

    fn len(&self) -> usize {
        self.entries.len()
    }

    fn tombstones(&self) -> usize {
        self.entries.tombstones()
    }

    fn max_seqno(&self) -> SeqNo {
        self.entries.max_seqno()
    }
}
