//! The writer's way: a slot in a leaf, or newer nodes in the place of one that is full.
//!
//! ```text
//!   parent   [ . k . ]            [ . k . p . ]               [ . k . p . ]
//!              |   |       ->       |   |   |          ->       |   |   |
//!            [..][kmpr]           [..][kmpr][pr]              [..][km][pr]
//! ```
//!
//! The child before the separator is replaced last, so at each moment every entry is found. A parent that is full is made
//! anew as two with both changes in them, and so on upward.

use std::cmp::Ordering;
use std::sync::atomic::Ordering::{Relaxed, Release};

use slice_types::Trailer;
use xxhash_rust::xxh3::xxh3_64;

use super::entries::{Arena, Entries, EntryId};
use super::index::IndexWriter;
use super::inner::{NodeId, SEPARATORS, Side};
use super::leaf::{Leaf, SLOTS, Slot};
use super::skip::{Bounds, Skip};
use super::target::{Target, prefix};
use super::visitors::Numbers;
use super::{BTreeMemTable, Root};
use crate::MemTable;

/// What the writer keeps track of.
pub(super) struct Writer {
    arena: Arena,
    pub(super) index: IndexWriter,
    leaves: Numbers,
    inners: Numbers,
    /// What the blocks of nodes take, in bytes.
    node_bytes: usize,
    /// What the range tombstones take, in bytes.
    pub(super) range_bytes: usize,
    /// The last entry in order, and the leaf that it is in.
    last: Option<(EntryId, NodeId)>,
}

/// A node on the way down, and which of its children was taken.
struct Step {
    node: NodeId,
    rank: usize,
    bounds: Bounds,
}

impl Writer {
    pub(super) const fn new(node_bytes: usize) -> Self {
        Self {
            arena: Arena::new(),
            index: IndexWriter::new(),
            leaves: Numbers::of(1),
            inners: Numbers::of(0),
            node_bytes,
            range_bytes: 0,
            last: None,
        }
    }

    /// How many leaves were made.
    #[cfg(all(test, not(slice_loom)))]
    pub(super) const fn leaves(&self) -> u32 {
        self.leaves.made()
    }

    /// Stores an entry that is in no node yet.
    #[inline]
    pub(super) fn store(&mut self, entries: &Entries, key: &[u8], trailer: Trailer, value: &[u8]) -> EntryId {
        self.arena.store(entries, key, trailer, value)
    }

    /// Lets the next leaf take the place of the first one, which is empty.
    pub(super) fn forget_first_leaf(&mut self) {
        self.leaves = Numbers::of(0);
    }

    /// The memory that all takes which is not in the table itself, in bytes.
    pub(super) fn memory_used(&self) -> usize {
        if self.arena.is_full() {
            return 1 << 60;
        }
        self.arena.allocated() + self.index.allocated() + self.node_bytes + self.range_bytes
    }
}

impl BTreeMemTable {
    /// Puts an entry in, unless it is there; says whether it was not.
    #[inline]
    pub(super) fn insert_entry(
        &self,
        writer: &mut Writer,
        key: &[u8],
        trailer: Trailer,
        value: &[u8],
    ) -> bool {
        let target = Target { key, trailer };
        let place = self.index.place(&mut writer.index, key, xxh3_64(key), &self.entries);
        let behind_all = self.last_leaf_for(writer, &target);
        let node = behind_all.unwrap_or_else(|| self.find(&target, Side::Behind).node);
        let leaf = self.leaf(node);
        if (place.known.is_some() || !self.index.has_all()) && leaf.has(key, trailer, &self.entries) {
            return false;
        }
        if trailer.seqno() < self.max_seqno() {
            self.is_out_of_order.store(1, Relaxed);
        }
        let id = writer.arena.store(&self.entries, key, trailer, value);
        if leaf.is_full() || leaf.len() > 0 && !leaf.fits(key, &self.entries) {
            self.renew_leaf(writer, &target, id);
        } else {
            leaf.append(id, key, behind_all.is_some() || leaf.len() == 0);
        }
        if behind_all.is_some() || writer.last.is_none() {
            let node = writer.last.map_or(node, |(_, node)| node);
            writer.last = Some((id, node));
        }
        if place.known.is_none_or(|known| self.entries.get(known).trailer.to_u64() < trailer.to_u64()) {
            writer.index.put(place, id);
        }
        self.len.store(self.len.load(Relaxed) + 1, Relaxed);
        true
    }

    /// The last leaf, if the target is behind all entries.
    #[inline]
    fn last_leaf_for(&self, writer: &Writer, target: &Target<'_>) -> Option<NodeId> {
        let (last, node) = writer.last?;
        target.order_of(&self.entries.get(last)).is_lt().then_some(node)
    }

    /// Makes a leaf anew with one entry more: as two when it is full, and otherwise since the key does not begin as the
    /// others do.
    #[cold]
    fn renew_leaf(&self, writer: &mut Writer, target: &Target<'_>, id: EntryId) {
        let (mut path, node, bounds) = self.path_to(target);
        let leaf = self.leaf(node);
        let mut slots = Vec::with_capacity(SLOTS);
        leaf.collect(&mut slots, &self.entries);
        let at = leaf.count_before(&slots, target, Ordering::is_lt, &self.entries);
        let mut front: Vec<_> = slots.iter().map(|(_, id)| *id).collect();
        front.insert(at, id);
        if front.len() <= SLOTS {
            let renewed = self.leaf_of(writer, &front, bounds);
            self.put(&path, renewed);
            writer.leaves.replaced(node);
            return;
        }
        let back = front.split_off(middle_of(front.len(), at));
        let separator = back[0];
        let right = self.leaf_of(writer, &back, Bounds { lower: Some(separator), ..bounds });
        let bounds = Bounds { upper: Some(separator), ..bounds };
        let left = if at == SLOTS && self.stays(leaf, &slots, bounds) {
            node
        } else {
            self.leaf_of(writer, &front, bounds)
        };
        leaf.split();
        self.add(writer, &mut path, left, separator, right);
        if left != node {
            writer.leaves.replaced(node);
        }
    }

    /// Whether a leaf that keeps all of its entries, which are given in order, is as good as a new one within these bounds:
    /// what it skips holds for good now, and it tells the entries apart.
    fn stays(&self, leaf: &Leaf, slots: &[Slot], bounds: Bounds) -> bool {
        let holds = bounds.common(&self.entries).is_some_and(|common| common >= leaf.skip().len);
        let stays = holds && slots.windows(2).all(|pair| pair[0].0 != pair[1].0);
        if stays {
            leaf.confirm_skip();
        }
        stays
    }

    /// Puts a newer node into the place of a child, or of the root.
    fn put(&self, path: &[Step], node: NodeId) {
        if let Some(parent) = path.last() {
            self.inner(parent.node).replace(parent.rank, node);
        } else {
            let root = Root { node, ..self.root() };
            self.root.store(root.to_u64(), Release);
        }
    }

    /// Puts two nodes with a separator between them into the place of the child that the path leads to.
    fn add(
        &self,
        writer: &mut Writer,
        path: &mut Vec<Step>,
        left: NodeId,
        separator: EntryId,
        right: NodeId,
    ) {
        let Some(Step { node, rank, bounds }) = path.pop() else {
            let node = self.new_inner(writer, left, &[(separator, right)], Bounds::default());
            let root = Root { height: self.root().height + 1, node };
            self.root.store(root.to_u64(), Release);
            return;
        };
        let inner = self.inner(node);
        if !inner.is_full() && inner.fits(self.entries.get(separator).key, &self.entries) {
            inner.insert(rank, separator, right, &self.entries);
            inner.replace(rank, left);
            return;
        }
        let (mut leftmost, mut others) = inner.children();
        match rank.checked_sub(1) {
            Some(before) => others[before].1 = left,
            None => leftmost = left,
        }
        others.insert(rank, (separator, right));
        self.renew_inner(writer, path, leftmost, &others, rank, bounds);
        writer.inners.replaced(node);
    }

    /// Makes an inner node anew, with the child at `rank` added; as two when they are too many for one.
    fn renew_inner(
        &self,
        writer: &mut Writer,
        path: &mut Vec<Step>,
        leftmost: NodeId,
        others: &[(EntryId, NodeId)],
        rank: usize,
        bounds: Bounds,
    ) {
        if others.len() <= SEPARATORS {
            let renewed = self.new_inner(writer, leftmost, others, bounds);
            self.put(path, renewed);
            return;
        }
        // Each half has a separator.
        let middle = middle_of(others.len(), rank).clamp(1, others.len() - 2);
        let (separator, first_behind) = others[middle];
        let front = Bounds { upper: Some(separator), ..bounds };
        let back = Bounds { lower: Some(separator), ..bounds };
        let left = self.new_inner(writer, leftmost, &others[..middle], front);
        let right = self.new_inner(writer, first_behind, &others[middle + 1..], back);
        self.add(writer, path, left, separator, right);
    }

    /// The way down to the leaf for a target, and its bounds.
    fn path_to(&self, target: &Target<'_>) -> (Vec<Step>, NodeId, Bounds) {
        let Root { height, mut node } = self.root();
        let (mut path, mut bounds) = (Vec::with_capacity(height as usize), Bounds::default());
        for _ in 0..height {
            let child = self.inner(node).find(target, Side::Behind, &self.entries);
            path.push(Step { node, rank: child.rank, bounds });
            bounds.lower = child.lower.or(bounds.lower);
            bounds.upper = child.upper.or(bounds.upper);
            node = child.node;
        }
        (path, node, bounds)
    }

    /// Makes a leaf of entries that are in order.
    fn leaf_of(&self, writer: &mut Writer, sorted: &[EntryId], bounds: Bounds) -> NodeId {
        let skip = Skip::new(sorted, bounds, &self.entries);
        let slot = |id: &EntryId| (prefix(self.entries.get(*id).key, skip.len), *id);
        self.new_leaf(writer, sorted.iter().map(slot), skip, bounds)
    }

    pub(super) fn new_leaf(
        &self,
        writer: &mut Writer,
        sorted: impl Iterator<Item = Slot>,
        skip: Skip,
        bounds: Bounds,
    ) -> NodeId {
        let node = writer.leaves.next(&self.visitors);
        writer.node_bytes += self.leaves.make(node as usize);
        let last = self.leaf(node).fill(sorted, skip).expect("no leaf is made for nothing");
        if bounds.upper.is_none() {
            writer.last = Some((last, node));
        }
        node
    }

    pub(super) fn new_inner(
        &self,
        writer: &mut Writer,
        leftmost: NodeId,
        others: &[(EntryId, NodeId)],
        bounds: Bounds,
    ) -> NodeId {
        let node = writer.inners.next(&self.visitors);
        writer.node_bytes += self.inners.make(node as usize);
        let separators: Vec<_> = others.iter().map(|(separator, _)| *separator).collect();
        let skip = Skip::new(&separators, bounds, &self.entries);
        self.inner(node).fill(leftmost, others, skip, &self.entries);
        node
    }
}

/// Where to cut what has become too long by what came in `at` a place. Entries that come in order, either way, come to fill
/// their nodes: there the cut is beside the newest.
const fn middle_of(len: usize, at: usize) -> usize {
    if at + 1 == len {
        len - 1
    } else if at == 0 {
        1
    } else {
        len / 2
    }
}
