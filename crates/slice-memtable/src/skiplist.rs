//! The memtable on `crossbeam-skiplist`: lock-free readers, and no unsafe code of our own.
//!
//! ```text
//!   skip list node:   [ head: 16 bytes of the key | trailer | key length | Bytes | tower ... ]
//!                                                                            |
//!   arena chunk:      [ ... | key | value | ... ]  <-------------------------+
//! ```
//!
//! A search pays a cache miss a node. Keeping the front of the key in the node spares it the second one, into the chunk,
//! wherever two keys differ in their first 16 bytes or have no more than that.
//!
//! Skip lists are from W. Pugh, "Skip Lists: A Probabilistic Alternative to Balanced Trees" (1990).

mod iter;
mod position;

use std::fmt;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use crossbeam_skiplist::SkipMap;
use slice_types::{
    EntryKind, KeyRange, MAX_KEY_LEN, MAX_VALUE_LEN, RangeIndex, RangeTombstone, SeqNo, Trailer,
};

use crate::MemTable;
use crate::arena::Arena;
use crate::ranges::RangeTombstones;
use position::{Place, Position, StoredEntry};

pub use iter::SkipListIter;

/// What a node takes, in bytes: the entry, a reference count, two links (a tower is two high on average, since each
/// next level has half the nodes), and the allocator's header.
const NODE_BYTES: usize = size_of::<StoredEntry>() + size_of::<usize>() * 4;

/// A memtable on a lock-free skip list.
///
/// A second writer is safe too, and waits for the first.
pub struct SkipListMemTable {
    map: SkipMap<StoredEntry, ()>,
    ranges: RangeTombstones,
    /// The writer's part. Readers never take the lock.
    writer: Mutex<Writer>,
    // Stored under the lock, loaded by anyone.
    memory_used: AtomicUsize,
    tombstones: AtomicUsize,
    max_seqno: AtomicU64,
}

/// What the writer keeps track of.
#[derive(Default)]
struct Writer {
    arena: Arena,
    /// What the range tombstones take, in bytes.
    range_bytes: usize,
}

impl MemTable for SkipListMemTable {
    type Iter = SkipListIter;

    fn new() -> Self {
        Self {
            map: SkipMap::new(),
            ranges: RangeTombstones::default(),
            writer: Mutex::default(),
            memory_used: AtomicUsize::new(size_of::<Self>()),
            tombstones: AtomicUsize::new(0),
            max_seqno: AtomicU64::new(0),
        }
    }

    fn insert(&self, key: &[u8], trailer: Trailer, value: &[u8]) {
        assert!(key.len() <= MAX_KEY_LEN, "a key of {} bytes passed the door", key.len());
        assert!(value.len() <= MAX_VALUE_LEN, "a value of {} bytes passed the door", value.len());
        let kind = trailer.kind();

        // A panic inside (memory ran out) leaves the arena whole, so poison means nothing here.
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.len();
        if kind == EntryKind::RangeDelete {
            let range = KeyRange::from_bytes(key, value).expect("a range without keys passed the door");
            writer.range_bytes += self.ranges.insert(RangeTombstone { range, seqno: trailer.seqno() });
        } else {
            let entry = StoredEntry::new(writer.arena.store(key, value), key.len(), trailer);
            self.map.get_or_insert(entry, ());
        }
        self.count(self.len() - before, trailer.seqno(), kind, &writer);
    }

    fn get(&self, key: &[u8], at: SeqNo) -> Option<(Trailer, Bytes)> {
        let place = Place::new(key, Trailer::seek(at));
        let entry = self.map.lower_bound(Bound::Included(&place as &dyn Position))?;
        let found = entry.key();
        found.place().same_key(&place).then(|| (found.trailer(), found.shared_value()))
    }

    #[inline]
    fn covering(&self, key: &[u8], at: SeqNo) -> Option<SeqNo> {
        self.ranges.covering(key, at)
    }

    fn range_tombstones(&self) -> Vec<Arc<RangeIndex>> {
        self.ranges.indexes()
    }

    fn iter(self: &Arc<Self>) -> SkipListIter {
        SkipListIter::new(Arc::clone(self))
    }

    fn memory_used(&self) -> usize {
        self.memory_used.load(Ordering::Relaxed)
    }

    fn len(&self) -> usize {
        self.map.len() + self.ranges.len()
    }

    fn tombstones(&self) -> usize {
        self.tombstones.load(Ordering::Relaxed)
    }

    fn max_seqno(&self) -> SeqNo {
        SeqNo::new(self.max_seqno.load(Ordering::Relaxed))
    }
}

impl SkipListMemTable {
    /// Brings the counters up to date. Called under the lock, so that plain loads and stores are enough.
    fn count(&self, inserted: usize, seqno: SeqNo, kind: EntryKind, writer: &Writer) {
        let tombstone = matches!(kind, EntryKind::Delete | EntryKind::RangeDelete);
        if tombstone {
            self.tombstones.store(self.tombstones() + inserted, Ordering::Relaxed);
        }
        self.max_seqno.store(self.max_seqno().max(seqno).get(), Ordering::Relaxed);
        let nodes = self.map.len() * NODE_BYTES;
        let bytes = size_of::<Self>() + nodes + writer.arena.allocated() + writer.range_bytes;
        self.memory_used.store(bytes, Ordering::Relaxed);
    }
}

impl Default for SkipListMemTable {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SkipListMemTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SkipListMemTable")
            .field("len", &self.len())
            .field("tombstones", &self.tombstones())
            .field("memory_used", &self.memory_used())
            .field("max_seqno", &self.max_seqno())
            .finish()
    }
}

#[cfg(test)]
mod tests;
