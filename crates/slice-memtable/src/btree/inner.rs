//! An inner node: up to [`SEPARATORS`] separators, and a child before, between and behind them.
//!
//! ```text
//!   leftmost | separator a, child | separator b, child | ...      child of b: what is at or behind b, and before the next
//!
//!   slot        0    1    2    3                                  in the order in which they came
//!   prefix      g    b    m    d
//!   order       1    3    0    2                                  one word: the slots in order, and how many there are
//! ```
//!
//! A slot is written before its place in the order is, and not again while a reader may be there, but for its child, which
//! gives way to a newer node for the same stretch or the front of it. Separators are entries as well: the first of the child
//! behind it. Since nothing is ever deleted, it stays the first.
//!
//! The order in one word is that of Masstree (Mao, Kohler, Morris, "Cache Craftiness for Fast Multicore Key-Value
//! Storage", 2012).

use std::sync::atomic::Ordering;

use super::entries::{Entries, EntryId};
use super::skip::{AtomicSkip, Skip};
use super::target::{Target, prefix};
use crate::primitives::{AtomicU32, AtomicU64};

/// How many separators a node has.
pub(super) const SEPARATORS: usize = if cfg!(all(test, slice_loom)) { 2 } else { 15 };

/// The number of a node among its kind.
pub(super) type NodeId = u32;

/// An inner node.
#[repr(align(64))]
pub(super) struct Inner {
    order: AtomicU64,
    skip: AtomicSkip,
    leftmost: AtomicU32,
    prefixes: [AtomicU64; SEPARATORS],
    separators: [AtomicU32; SEPARATORS],
    children: [AtomicU32; SEPARATORS],
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            order: AtomicU64::new(0),
            skip: AtomicSkip::default(),
            leftmost: AtomicU32::new(0),
            prefixes: std::array::from_fn(|_| AtomicU64::new(0)),
            separators: std::array::from_fn(|_| AtomicU32::new(0)),
            children: std::array::from_fn(|_| AtomicU32::new(0)),
        }
    }
}

/// The slots in order: four bits that say how many, then four bits for each.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Order(u64);

impl Order {
    const fn len(self) -> usize {
        (self.0 & 15) as usize
    }

    /// The slot of the separator with so many before it.
    const fn slot(self, rank: usize) -> usize {
        (self.0 >> (4 + 4 * rank) & 15) as usize
    }

    /// With the next free slot put in at a rank.
    const fn with(self, rank: usize) -> Self {
        let shift = 4 + 4 * rank as u32;
        let below = self.0 & ((1 << shift) - 1);
        let above = self.0 >> shift << shift;
        let len = self.0 & 15;
        // The highest place is shifted out where it is in use no more: there is room.
        Self((below + 1) | len << shift | above << 4)
    }
}

/// Which of two children a search goes on in where its target is a separator.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The one that begins with it.
    Behind,
    /// The one before.
    Before,
}

/// A child, and the bounds that it is between.
#[derive(Clone, Copy)]
pub(super) struct Child {
    pub(super) node: NodeId,
    /// The separators before it.
    pub(super) rank: usize,
    pub(super) lower: Option<EntryId>,
    pub(super) upper: Option<EntryId>,
    /// Whether the upper one may be of the key that was looked for.
    pub(super) upper_is_near: bool,
}

impl Inner {
    /// Puts in children, each but the leftmost with its separator, in order, in place of what was there. No reader knows of
    /// the node.
    pub(super) fn fill(&self, leftmost: NodeId, others: &[(EntryId, NodeId)], skip: Skip, entries: &Entries) {
        self.skip.store(skip);
        self.order.store(0, Ordering::Relaxed);
        self.leftmost.store(leftmost, Ordering::Relaxed);
        for (rank, &(separator, child)) in others.iter().enumerate() {
            self.insert(rank, separator, child, entries);
        }
    }

    /// Adds a child behind the one with so many separators before it. By the writer, and if there is room and
    /// [the separator fits](Self::fits).
    pub(super) fn insert(&self, rank: usize, separator: EntryId, child: NodeId, entries: &Entries) {
        let order = Order(self.order.load(Ordering::Relaxed));
        let slot = order.len();
        let prefix = prefix(entries.get(separator).key, self.skip.load().len);
        self.prefixes[slot].store(prefix, Ordering::Relaxed);
        self.separators[slot].store(separator.to_u32(), Ordering::Relaxed);
        self.children[slot].store(child, Ordering::Relaxed);
        self.order.store(order.with(rank).0, Ordering::Release);
    }

    /// Puts a newer node in the place of a child: one that has all that it has, or lacks what is in the next child by now.
    pub(super) fn replace(&self, rank: usize, child: NodeId) {
        let order = Order(self.order.load(Ordering::Relaxed));
        self.child(order, rank).store(child, Ordering::Release);
    }

    pub(super) fn is_full(&self) -> bool {
        Order(self.order.load(Ordering::Relaxed)).len() == SEPARATORS
    }

    /// Whether prefixes order this key as they do the separators.
    pub(super) fn fits(&self, key: &[u8], entries: &Entries) -> bool {
        let skip = self.skip.load();
        !skip.is_guess || skip.order_of_front(key, entries.get(self.separator(0)).key).is_eq()
    }

    /// The child that has what a search looks for, or next to which that is.
    #[inline]
    pub(super) fn find(&self, target: &Target<'_>, side: Side, entries: &Entries) -> Child {
        loop {
            let order = Order(self.order.load(Ordering::Acquire));
            let rank = self.rank(order, target, side, entries);
            let node = self.child(order, rank).load(Ordering::Acquire);
            // A child that was split since is the front half by now, and what is looked for may be in the back half, which
            // was added before. A node gets so many separators and no more, so this ends.
            if self.order.load(Ordering::Relaxed) == order.0 {
                return self.describe(order, rank, node, target);
            }
        }
    }

    /// The last child.
    pub(super) fn last(&self) -> Child {
        loop {
            let order = Order(self.order.load(Ordering::Acquire));
            let rank = order.len();
            let node = self.child(order, rank).load(Ordering::Acquire);
            if self.order.load(Ordering::Relaxed) == order.0 {
                let lower = rank.checked_sub(1).map(|before| self.separator(order.slot(before)));
                return Child { node, rank, lower, upper: None, upper_is_near: false };
            }
        }
    }

    #[inline]
    fn describe(&self, order: Order, rank: usize, node: NodeId, target: &Target<'_>) -> Child {
        let lower = rank.checked_sub(1).map(|before| self.separator(order.slot(before)));
        let next = (rank < order.len()).then(|| order.slot(rank));
        let near = |slot: usize| {
            self.prefixes[slot].load(Ordering::Relaxed) == prefix(target.key, self.skip.load().len)
        };
        Child {
            node,
            rank,
            lower,
            upper: next.map(|slot| self.separator(slot)),
            upper_is_near: next.is_some_and(near),
        }
    }

    /// How many separators are before the target, or at it with [`Side::Behind`].
    #[inline]
    fn rank(&self, order: Order, target: &Target<'_>, side: Side, entries: &Entries) -> usize {
        let skip = self.skip.load();
        if skip.is_guess {
            match skip.order_of_front(target.key, entries.get(self.separator(0)).key) {
                std::cmp::Ordering::Less => return 0,
                std::cmp::Ordering::Greater => return order.len(),
                std::cmp::Ordering::Equal => {}
            }
        }
        let wanted = prefix(target.key, skip.len);
        let mut rank = self.count_below(order, wanted);
        while rank < order.len() {
            let slot = order.slot(rank);
            if self.prefixes[slot].load(Ordering::Relaxed) != wanted {
                break;
            }
            let place = target.order_of(&entries.get(self.separator(slot)));
            if place.is_gt() || place.is_eq() && side == Side::Before {
                break;
            }
            rank += 1;
        }
        rank
    }

    /// How many separators have a lower prefix. All slots are looked at, used or not: a loop without a branch is faster.
    #[inline]
    fn count_below(&self, order: Order, wanted: u64) -> usize {
        let mut below = 0_u32;
        for prefix in self.prefixes.iter().rev() {
            below = below << 1 | u32::from(prefix.load(Ordering::Relaxed) < wanted);
        }
        (below & ((1 << order.len()) - 1)).count_ones() as usize
    }

    /// All children but the leftmost, with their separators, in order; and the leftmost. For the writer.
    pub(super) fn children(&self) -> (NodeId, Vec<(EntryId, NodeId)>) {
        let order = Order(self.order.load(Ordering::Relaxed));
        let child = |rank| self.child(order, rank).load(Ordering::Relaxed);
        let others = (0..order.len()).map(|rank| (self.separator(order.slot(rank)), child(rank + 1)));
        (child(0), others.collect())
    }

    #[inline]
    fn child(&self, order: Order, rank: usize) -> &AtomicU32 {
        rank.checked_sub(1).map_or(&self.leftmost, |before| &self.children[order.slot(before)])
    }

    #[inline]
    fn separator(&self, slot: usize) -> EntryId {
        EntryId::from_u32(self.separators[slot].load(Ordering::Relaxed))
    }
}
