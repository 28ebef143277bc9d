//! Which keys of a view range tombstones delete, for a reader who goes from key to key.
//!
//! ```text
//!   active      [ b -------- f )@41
//!   version          [ d ----------- k )@17
//!   stretches   |    |       |       |              within one, all keys are covered by the same tombstones
//!                @41    @41     @17
//! ```
//!
//! It keeps the stretch in which the last key was, so that most keys cost two comparisons; and none at all where there
//! are no range tombstones.

use std::sync::Arc;

use bytes::Bytes;
use slice_types::{Bookmark, RangeIndex, SeqNo};

/// The range tombstones of a view that a reader at one moment sees, and where the last key was among them.
pub(crate) struct Deletes {
    parts: Vec<(Arc<RangeIndex>, Bookmark)>,
    at: SeqNo,
    /// `None` before the first key.
    stretch: Option<Stretch>,
}

/// Keys between two edges, and what covers them.
struct Stretch {
    /// The first of them; `None` where no tombstone begins before.
    start: Option<Bytes>,
    /// The first key behind them; `None` where no tombstone begins or ends behind.
    end: Option<Bytes>,
    covering: Option<SeqNo>,
}

impl Stretch {
    #[inline]
    fn contains(&self, key: &[u8]) -> bool {
        self.start.as_ref().is_none_or(|start| **start <= *key)
            && self.end.as_ref().is_none_or(|end| *key < **end)
    }
}

impl Deletes {
    pub(super) fn new(indexes: impl Iterator<Item = Arc<RangeIndex>>, at: SeqNo) -> Self {
        let visible = indexes.filter(|index| index.newest(at).is_some());
        Self { parts: visible.map(|index| (index, Bookmark::default())).collect(), at, stretch: None }
    }

    /// The newest tombstone that covers the key: what is older of it is deleted.
    #[inline]
    pub(crate) fn covering(&mut self, key: &[u8]) -> Option<SeqNo> {
        if self.parts.is_empty() {
            return None;
        }
        match &self.stretch {
            Some(stretch) if stretch.contains(key) => stretch.covering,
            _ => self.enter(key),
        }
    }

    /// The first key of the stretch that the last key was in; `None` where no tombstone begins before.
    pub(crate) fn start(&self) -> Option<&Bytes> {
        self.stretch.as_ref()?.start.as_ref()
    }

    /// The first key behind that stretch; `None` where no tombstone begins or ends behind.
    pub(crate) fn end(&self) -> Option<&Bytes> {
        self.stretch.as_ref()?.end.as_ref()
    }

    fn enter(&mut self, key: &[u8]) -> Option<SeqNo> {
        let mut found = Stretch { start: None, end: None, covering: None };
        for (index, bookmark) in &mut self.parts {
            found.covering = found.covering.max(index.covering_near(bookmark, key, self.at));
            found.start = found.start.max(index.last_edge(bookmark).cloned());
            let end = index.next_edge(bookmark).cloned();
            found.end = found.end.into_iter().chain(end).min();
        }
        self.stretch.insert(found).covering
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use slice_types::{KeyRange, RangeTombstone};

    use super::*;

    fn index(tombstones: &[(u8, u8, u64)]) -> Arc<RangeIndex> {
        let of = |&(start, len, seqno): &(u8, u8, u64)| {
            let range = KeyRange::from_bytes(&[start], &[start + len]).unwrap();
            RangeTombstone { range, seqno: SeqNo::new(seqno) }
        };
        Arc::new(RangeIndex::new(tombstones.iter().map(of)))
    }

    proptest! {
        #[test]
        fn keys_in_any_order_are_covered_as_by_a_list(
            parts in vec(vec((0..30_u8, 1..10_u8, 1..40_u64), 0..5), 0..4),
            at in 0..40_u64,
            keys in vec(0..45_u8, 1..40),
        ) {
            let mut deletes = Deletes::new(parts.iter().map(|part| index(part)), SeqNo::new(at));
            let covering = |key: u8| {
                let all = parts.iter().flatten();
                let covers = all.filter(|(start, len, seqno)| (*start..start + len).contains(&key) && *seqno <= at);
                covers.map(|(.., seqno)| SeqNo::new(*seqno)).max()
            };
            for key in keys {
                prop_assert_eq!(deletes.covering(&[key]), covering(key), "key {}", key);
                let start = deletes.start().map_or(0, |start| start[0]);
                let end = deletes.end().map_or(45, |end| end[0]);
                prop_assert!((start..end.min(45)).all(|other| covering(other) == covering(key)));
            }
        }
    }
}
