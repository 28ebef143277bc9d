//! The range tombstones of a memtable: they come one by one, and are read without a lock.
//!
//! An index of them does not change, so it takes several to let one come in: each at least twice as large as the next,
//! like the digits of a binary number.
//!
//! ```text
//!   13 tombstones:   [ 8 ] [ 4 ] [ 1 ]        one more:   [ 8 ] [ 4 ] [ 2 ]        two more:   [ 16 ]
//! ```
//!
//! A tombstone is put into a new index O(log n) times in all, and a lookup asks O(log n) of them. This is the
//! logarithmic method of Bentley and Saxe, "Decomposable searching problems I" (1980).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use slice_types::{RangeIndex, RangeTombstone, SeqNo};

/// What a tombstone takes beside its keys, in bytes: itself, two edges, four nodes, and its places in these.
const TOMBSTONE_BYTES: usize = 320;

/// The tombstones. One writer at a time, any number of readers.
#[derive(Default)]
pub(crate) struct RangeTombstones {
    /// How many there are; whether there are any is all that most reads ask. Counted before the entry's number is published.
    len: AtomicUsize,
    /// The largest first; no two share a tombstone.
    indexes: ArcSwap<Vec<Arc<RangeIndex>>>,
}

impl RangeTombstones {
    /// Adds a tombstone; gives the bytes that it takes, and 0 when it was there.
    pub(crate) fn insert(&self, tombstone: RangeTombstone) -> usize {
        let mut indexes = Vec::clone(&self.indexes.load());
        let seqno = tombstone.seqno;
        if indexes.iter().any(|index| has(index, seqno)) {
            return 0;
        }
        let bytes = TOMBSTONE_BYTES + tombstone.range.start().len() + tombstone.range.end_bytes().len();
        let mut newest = vec![tombstone];
        while let Some(smaller) = indexes.pop_if(|last| last.tombstones().len() <= newest.len()) {
            newest.extend_from_slice(smaller.tombstones());
        }
        indexes.push(Arc::new(RangeIndex::new(newest)));
        self.indexes.store(Arc::new(indexes));
        self.len.store(self.len() + 1, Ordering::Relaxed);
        bytes
    }

    /// The newest tombstone at or below `at` whose range has the key.
    #[inline]
    pub(crate) fn covering(&self, key: &[u8], at: SeqNo) -> Option<SeqNo> {
        if self.len() == 0 {
            return None;
        }
        self.indexes.load().iter().filter_map(|index| index.covering(key, at)).max()
    }

    /// All of them, the largest index first.
    pub(crate) fn indexes(&self) -> Vec<Arc<RangeIndex>> {
        if self.len() == 0 { Vec::new() } else { Vec::clone(&self.indexes.load()) }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }
}

fn has(index: &RangeIndex, seqno: SeqNo) -> bool {
    index.tombstones().binary_search_by(|tombstone| seqno.cmp(&tombstone.seqno)).is_ok()
}
