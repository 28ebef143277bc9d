//! Range tombstones, and which of them covers a key: a segment tree.
//!
//! ```text
//!   [a..f)@3  [c..k)@7  [f..)@5
//!
//!   edges        a       c       f       k              the starts and ends, each once
//!   stretches    |   0   |   1   |   2   |   3 ...      between two edges no tombstone begins or ends
//!   leaves           4       5       6       7
//!                    \__ 2 __/       \__ 3 __/          node n has the children 2n and 2n + 1
//!                         \_____ 1 _____/
//!
//!   [a..f) is kept at node 2, [c..k) at leaves 5 and 6, [f..) at node 3
//! ```
//!
//! A tombstone is kept at the O(log n) nodes that make up its stretches; what covers a key is at the nodes from its
//! leaf to the root, at each by sequence number. So the index takes O(n log n) memory however the ranges lie, and
//! a lookup O(log² n) comparisons of numbers behind one binary search among the edges.
//!
//! Source: J. L. Bentley, "Solutions to Klee's rectangle problems" (1977); de Berg et al., "Computational Geometry",
//! 10.3. The layout in an array is that of an implicit binary tree, filled from the leaves.

use std::sync::Arc;

use bytes::Bytes;

use crate::{KeyRange, SeqNo};

/// A range of keys that was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeTombstone {
    /// The keys.
    pub range: KeyRange,
    /// When: what is older is deleted for all readers at this number or later.
    pub seqno: SeqNo,
}

/// Range tombstones that do not change, in a form that is searched fast.
#[derive(Clone, Default, Debug)]
pub struct RangeIndex {
    /// Newest first.
    tombstones: Vec<RangeTombstone>,
    edges: Vec<Bytes>,
    /// Twice as many as there are stretches; of each the tombstones kept there, newest first.
    nodes: Vec<Vec<SeqNo>>,
}

/// Where the last key lay that a series of lookups asked for: near keys are found without a search.
#[derive(Clone, Copy, Default, Debug)]
pub struct Bookmark {
    /// The number of edges at or below the key, and the answer there; `None` before the first lookup.
    last: Option<(usize, SeqNo, Option<SeqNo>)>,
}

impl RangeIndex {
    /// Takes tombstones in any order.
    pub fn new(tombstones: impl IntoIterator<Item = RangeTombstone>) -> Self {
        let mut tombstones: Vec<_> = tombstones.into_iter().collect();
        tombstones.sort_by_key(|tombstone| std::cmp::Reverse(tombstone.seqno));
        let mut edges: Vec<Bytes> = tombstones.iter().flat_map(edges_of).cloned().collect();
        edges.sort_unstable();
        edges.dedup();
        let mut index = Self { nodes: vec![Vec::new(); edges.len() * 2], edges, tombstones: Vec::new() };
        for tombstone in &tombstones {
            index.keep(tombstone);
        }
        index.tombstones = tombstones;
        index
    }

    /// The tombstones of several indexes, which share none, in one.
    pub fn join(indexes: &[Arc<Self>]) -> Arc<Self> {
        match indexes {
            [one] => Arc::clone(one),
            several => Arc::new(Self::new(several.iter().flat_map(|index| index.tombstones()).cloned())),
        }
    }

    /// Notes a tombstone that is older than those noted before at the nodes that make up its range.
    fn keep(&mut self, tombstone: &RangeTombstone) {
        let leaves = self.edges.len();
        let start = self.edges_up_to(tombstone.range.start()) - 1;
        let end = tombstone.range.end().map_or(leaves, |end| self.edges_up_to(end) - 1);
        let (mut left, mut right) = (start + leaves, end + leaves);
        while left < right {
            if left % 2 == 1 {
                self.nodes[left].push(tombstone.seqno);
                left += 1;
            }
            if right % 2 == 1 {
                right -= 1;
                self.nodes[right].push(tombstone.seqno);
            }
            left /= 2;
            right /= 2;
        }
    }

    /// Whether there are none.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.tombstones.is_empty()
    }

    /// All of them, newest first.
    pub fn tombstones(&self) -> &[RangeTombstone] {
        &self.tombstones
    }

    /// The newest tombstone at or below `at` whose range has the key: versions of the key below it are deleted for a
    /// reader at `at`.
    #[inline]
    pub fn covering(&self, key: &[u8], at: SeqNo) -> Option<SeqNo> {
        if self.is_empty() { None } else { self.covering_stretch(self.edges_up_to(key), at) }
    }

    /// As [`covering`](Self::covering), for one key after another that lie near each other. A bookmark is of one index.
    #[inline]
    pub fn covering_near(&self, bookmark: &mut Bookmark, key: &[u8], at: SeqNo) -> Option<SeqNo> {
        if self.is_empty() {
            return None;
        }
        let below = match bookmark.last {
            Some((below, found_at, found)) if self.is_behind(below, key) => {
                if found_at == at {
                    return found;
                }
                below
            }
            _ => self.edges_up_to(key),
        };
        let found = self.covering_stretch(below, at);
        bookmark.last = Some((below, at, found));
        found
    }

    /// The first key behind the bookmark's place at which another tombstone may cover; `None` when there is none.
    pub fn next_edge(&self, bookmark: &Bookmark) -> Option<&Bytes> {
        self.edges.get(bookmark.last?.0)
    }

    /// The first key of the bookmark's place: from there on all keys up to it are covered alike. `None` when no
    /// tombstone begins before it.
    pub fn last_edge(&self, bookmark: &Bookmark) -> Option<&Bytes> {
        self.edges.get(bookmark.last?.0.checked_sub(1)?)
    }

    /// Whether tombstones cover all keys from `smallest` to `largest`, both included, each of them above `above` and
    /// at or below `at`.
    pub fn covers_all(&self, smallest: &[u8], largest: &[u8], above: SeqNo, at: SeqNo) -> bool {
        let (first, last) = (self.edges_up_to(smallest), self.edges_up_to(largest));
        (first..=last).all(|below| self.covering_stretch(below, at).is_some_and(|seqno| seqno > above))
    }

    /// Whether a tombstone above `above` and at or below `at` touches the keys from `smallest` to `largest`.
    pub fn touches(&self, smallest: &[u8], largest: &[u8], above: SeqNo, at: SeqNo) -> bool {
        let start = self.tombstones.partition_point(|tombstone| tombstone.seqno > at);
        let newer = self.tombstones.iter().skip(start).take_while(|tombstone| tombstone.seqno > above);
        newer.into_iter().any(|tombstone| tombstone.range.touches(smallest, largest))
    }

    /// The newest tombstone at or below `at`, wherever it is.
    pub fn newest(&self, at: SeqNo) -> Option<SeqNo> {
        let place = self.tombstones.partition_point(|tombstone| tombstone.seqno > at);
        self.tombstones.get(place).map(|tombstone| tombstone.seqno)
    }

    /// How many edges are at or below the key.
    #[inline]
    fn edges_up_to(&self, key: &[u8]) -> usize {
        self.edges.partition_point(|edge| **edge <= *key)
    }

    /// Whether so many edges are at or below the key.
    #[inline]
    fn is_behind(&self, edges: usize, key: &[u8]) -> bool {
        (edges == 0 || *self.edges[edges - 1] <= *key)
            && self.edges.get(edges).is_none_or(|next| *key < **next)
    }

    /// The newest tombstone at or below `at` over the stretch behind so many edges.
    fn covering_stretch(&self, edges: usize, at: SeqNo) -> Option<SeqNo> {
        let mut node = edges.checked_sub(1)? + self.edges.len();
        let mut newest = None;
        while node > 0 {
            let kept = &self.nodes[node];
            let place = kept.partition_point(|seqno| *seqno > at);
            newest = newest.max(kept.get(place).copied());
            node /= 2;
        }
        newest
    }
}

/// Its start, and its end if it has one.
fn edges_of(tombstone: &RangeTombstone) -> impl Iterator<Item = &Bytes> {
    let (start, end) = tombstone.range.bounds();
    std::iter::once(start).chain((!end.is_empty()).then_some(end))
}

#[cfg(test)]
mod tests;
