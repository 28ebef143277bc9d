//! The memtable as a B+-tree: one writer, readers without locks, and nodes that lose nothing while a reader is in them.
//!
//! ```text
//!   index    [ hash, entry | hash, entry | ... ]  the newest entry of each key: most lookups end here
//!
//!   root  -> [ . k . r . ]                        inner nodes: 15 separators
//!              |   |   |
//!          [leaf][leaf][leaf]                     leaves: 36 slots
//!             |
//!   chunks   [ entry | entry | entry | ...        in the order in which they came, never moved
//! ```
//!
//! An insert takes a free slot of a leaf, and one store publishes it. A full leaf is replaced by two new ones: first the
//! upper half is put beside it, then the lower one in its place. In between, and for whoever is still in it, the old leaf
//! has all that it ever had. So a reader who comes late misses what was inserted after it came down, and nothing else; that
//! has higher sequence numbers than it reads at. Entries stay until the whole memtable goes. A node that was replaced is used
//! again once no reader is in the tree.
//!
//! A node compares eight bytes of a key, behind those that all keys in it share. So a search looks at an entry only at its
//! end: it pays about two cache misses, where a skip list pays one a step.
//!
//! B-trees are from R. Bayer and E. McCreight, "Organization and Maintenance of Large Ordered Indices" (1972); leaves whose
//! entries are not in order, and the order of the others in one word, follow Masstree and the persistent trees behind it.

mod blocks;
mod chunk;
mod entries;
mod index;
mod inner;
mod insert;
mod iter;
mod leaf;
mod load;
#[cfg(all(test, slice_loom))]
mod models;
mod pages;
mod skip;
mod target;
#[cfg(all(test, not(slice_loom)))]
mod tests;
mod visitors;

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use slice_types::{
    EntryKind, KeyRange, MAX_KEY_LEN, MAX_VALUE_LEN, RangeIndex, RangeTombstone, SeqNo, Trailer,
};
use xxhash_rust::xxh3::xxh3_64;

use crate::MemTable;
use crate::primitives::{AtomicU64, AtomicUsize};
use crate::ranges::RangeTombstones;
use blocks::Blocks;
use entries::{Entries, EntryId};
use index::{Index, Newest};
use inner::{Child, Inner, NodeId, Side};
use insert::Writer;
use leaf::Leaf;
use skip::Bounds;
use target::Target;
use visitors::Visitors;

pub use iter::BTreeIter;
pub use load::BTreeLoader;
pub use pages::mapped_bytes;

/// A memtable on a B+-tree. A second writer is safe too, and waits for the first.
pub struct BTreeMemTable {
    entries: Entries,
    leaves: Blocks<Leaf>,
    inners: Blocks<Inner>,
    /// See [`Root`].
    root: AtomicU64,
    /// Readers who are in nodes.
    visitors: Visitors,
    index: Index,
    ranges: RangeTombstones,
    /// The writer's part. Readers never take the lock.
    writer: Mutex<Writer>,
    // Stored under the lock, loaded by anyone.
    /// Entries but range tombstones.
    len: AtomicUsize,
    memory_used: AtomicUsize,
    tombstones: AtomicUsize,
    max_seqno: AtomicU64,
    /// Not 0 when an entry has come behind a newer one.
    is_out_of_order: AtomicU64,
}

/// Where a search begins: the height in the upper half of a word, the node in the lower.
#[derive(Clone, Copy)]
struct Root {
    /// Inner nodes above a leaf.
    height: u32,
    node: NodeId,
}

impl Root {
    const fn to_u64(self) -> u64 {
        (self.height as u64) << 32 | self.node as u64
    }

    const fn from_u64(word: u64) -> Self {
        Self { height: (word >> 32) as u32, node: word as u32 }
    }
}

/// Where a search has come to.
struct Found<'a> {
    node: NodeId,
    leaf: &'a Leaf,
    bounds: Bounds,
    /// Whether the upper bound may be of the key that was looked for.
    upper_is_near: bool,
}

impl BTreeMemTable {
    fn leaf(&self, node: NodeId) -> &Leaf {
        self.leaves.get(node as usize).expect("a leaf is there before anything refers to it")
    }

    fn inner(&self, node: NodeId) -> &Inner {
        self.inners.get(node as usize).expect("a node is there before anything refers to it")
    }

    fn root(&self) -> Root {
        Root::from_u64(self.root.load(Ordering::Acquire))
    }

    /// Goes down to the leaf that has what a search looks for, or next to which that is.
    #[inline]
    fn find(&self, target: &Target<'_>, side: Side) -> Found<'_> {
        self.descend(|inner| inner.find(target, side, &self.entries))
    }

    /// Goes down to the last leaf.
    fn find_last(&self) -> Found<'_> {
        self.descend(Inner::last)
    }

    #[inline]
    fn descend(&self, find: impl Fn(&Inner) -> Child) -> Found<'_> {
        let Root { height, mut node } = self.root();
        let (mut bounds, mut upper_is_near) = (Bounds::default(), false);
        for _ in 0..height {
            let child = find(self.inner(node));
            bounds.lower = child.lower.or(bounds.lower);
            if child.upper.is_some() {
                (bounds.upper, upper_is_near) = (child.upper, child.upper_is_near);
            }
            node = child.node;
        }
        Found { node, leaf: self.leaf(node), bounds, upper_is_near }
    }

    /// The newest entry of a key at or behind the target.
    #[inline]
    fn newest(&self, target: &Target<'_>) -> Option<(EntryId, Trailer)> {
        let _visit = self.visitors.enter();
        let found = self.find(target, Side::Behind);
        let came_in_order = || self.is_out_of_order.load(Ordering::Relaxed) == 0;
        if let Some((id, entry)) = found.leaf.newest(target, came_in_order, &self.entries) {
            return Some((id, entry.trailer));
        }
        // The versions of the key may go on in the next leaf, whose first entry the upper bound is.
        let next = found.bounds.upper.filter(|_| found.upper_is_near)?;
        let entry = self.entries.get(next);
        (entry.key == target.key).then_some((next, entry.trailer))
    }
}

#[inline]
fn check(key: &[u8], value: &[u8]) {
    assert!(key.len() <= MAX_KEY_LEN, "a key of {} bytes passed the door", key.len());
    assert!(value.len() <= MAX_VALUE_LEN, "a value of {} bytes passed the door", value.len());
}

impl MemTable for BTreeMemTable {
    type Iter = BTreeIter;

    fn new() -> Self {
        let leaves = Blocks::new();
        let bytes = leaves.make(0);
        Self {
            entries: Entries::new(),
            leaves,
            inners: Blocks::new(),
            root: AtomicU64::new(0),
            visitors: Visitors::new(),
            index: Index::new(),
            ranges: RangeTombstones::default(),
            writer: Mutex::new(Writer::new(bytes)),
            len: AtomicUsize::new(0),
            memory_used: AtomicUsize::new(size_of::<Self>() + bytes),
            tombstones: AtomicUsize::new(0),
            max_seqno: AtomicU64::new(0),
            is_out_of_order: AtomicU64::new(0),
        }
    }

    fn insert(&self, key: &[u8], trailer: Trailer, value: &[u8]) {
        check(key, value);
        let kind = trailer.kind();

        // A panic inside (memory ran out) leaves the tree whole, so poison means nothing here.
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let inserted = if kind == EntryKind::RangeDelete {
            let range = KeyRange::from_bytes(key, value).expect("a range without keys passed the door");
            let bytes = self.ranges.insert(RangeTombstone { range, seqno: trailer.seqno() });
            writer.range_bytes += bytes;
            bytes > 0
        } else {
            self.insert_entry(&mut writer, key, trailer, value)
        };
        if inserted {
            self.count(trailer.seqno(), kind, &writer);
        }
    }

    #[inline]
    fn get(&self, key: &[u8], at: SeqNo) -> Option<(Trailer, Bytes)> {
        if self.len.load(Ordering::Relaxed) == 0 {
            return None;
        }
        match self.index.newest(key, xxh3_64(key), &self.entries) {
            Newest::None => return None,
            Newest::Entry(newest) => {
                let trailer = self.entries.get(newest).trailer;
                if trailer.seqno() <= at {
                    return Some((trailer, self.entries.share_value(newest)));
                }
            }
            Newest::Unknown => {}
        }
        let (id, trailer) = self.newest(&Target { key, trailer: Trailer::seek(at) })?;
        Some((trailer, self.entries.share_value(id)))
    }

    #[inline]
    fn covering(&self, key: &[u8], at: SeqNo) -> Option<SeqNo> {
        self.ranges.covering(key, at)
    }

    fn range_tombstones(&self) -> Vec<Arc<RangeIndex>> {
        self.ranges.indexes()
    }

    fn iter(self: &Arc<Self>) -> BTreeIter {
        BTreeIter::new(Arc::clone(self))
    }

    fn memory_used(&self) -> usize {
        self.memory_used.load(Ordering::Relaxed)
    }

    fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed) + self.ranges.len()
    }

    fn tombstones(&self) -> usize {
        self.tombstones.load(Ordering::Relaxed)
    }

    fn max_seqno(&self) -> SeqNo {
        SeqNo::new(self.max_seqno.load(Ordering::Relaxed))
    }
}

impl BTreeMemTable {
    /// Brings the counters up to date. Called under the lock, so that plain loads and stores are enough.
    #[inline]
    fn count(&self, seqno: SeqNo, kind: EntryKind, writer: &Writer) {
        if matches!(kind, EntryKind::Delete | EntryKind::RangeDelete) {
            self.tombstones.store(self.tombstones() + 1, Ordering::Relaxed);
        }
        self.max_seqno.store(self.max_seqno().max(seqno).get(), Ordering::Relaxed);
        self.memory_used.store(size_of::<Self>() + writer.memory_used(), Ordering::Relaxed);
    }
}

impl Default for BTreeMemTable {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for BTreeMemTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BTreeMemTable")
            .field("len", &self.len())
            .field("tombstones", &self.tombstones())
            .field("memory_used", &self.memory_used())
            .field("max_seqno", &self.max_seqno())
            .finish_non_exhaustive()
    }
}
