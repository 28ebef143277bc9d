//! A set of keys given as ranges.
//!
//! **Invariant**: the ranges are disjoint and do not touch, so each key is in one at most, which a single search finds.

use std::collections::BTreeMap;
use std::ops::Bound;

use slice_types::KeyRange;

type Key = Box<[u8]>;

/// A union of ranges of keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ranges {
    /// The end of each, excluded, by its start, included; `None` where there is no end.
    ends: BTreeMap<Key, Option<Key>>,
}

impl Ranges {
    /// How many ranges it takes.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Adds the keys of a range.
    pub(crate) fn insert(&mut self, range: &KeyRange) {
        self.add(range.start().into(), range.end().map(Key::from));
    }

    /// Adds the keys of others.
    pub(crate) fn extend(&mut self, others: Self) {
        for (start, end) in others.ends {
            self.add(start, end);
        }
    }

    fn add(&mut self, mut start: Key, mut end: Option<Key>) {
        while let Some((other_start, other_end)) = self.take_touching(&start, end.as_deref()) {
            start = start.min(other_start);
            end = end.zip(other_end).map(|(one, other)| one.max(other));
        }
        self.ends.insert(start, end);
    }

    /// Removes one of the ranges that overlap this one, or border on it.
    fn take_touching(&mut self, start: &[u8], end: Option<&[u8]>) -> Option<(Key, Option<Key>)> {
        let up_to = end.map_or(Bound::Unbounded, Bound::Included);
        let (found, found_end) = self.ends.range::<[u8], _>((Bound::Unbounded, up_to)).next_back()?;
        if found_end.as_deref().is_some_and(|found_end| found_end < start) {
            return None;
        }
        let found = found.clone();
        self.ends.remove_entry(&found)
    }

    /// The range that a key is in, if it is in one: its start, included, and its end, excluded.
    pub(crate) fn find(&self, key: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
        let (start, end) =
            self.ends.range::<[u8], _>((Bound::Unbounded, Bound::Included(key))).next_back()?;
        is_below(key, end.as_deref()).then_some((start, end.as_deref()))
    }

    /// Whether a key is in one of the ranges.
    pub(crate) fn contains(&self, key: &[u8]) -> bool {
        self.find(key).is_some()
    }

    /// Whether there is a key in one of the ranges and in one of the others.
    pub(crate) fn meet(&self, others: &Self) -> bool {
        let (few, many) = if self.len() < others.len() { (self, others) } else { (others, self) };
        few.iter().any(|(start, end)| many.overlap(start, end))
    }

    fn overlap(&self, start: &[u8], end: Option<&[u8]>) -> bool {
        let below = end.map_or(Bound::Unbounded, Bound::Excluded);
        let last = self.ends.range::<[u8], _>((Bound::Unbounded, below)).next_back();
        last.is_some_and(|(_, last_end)| is_below(start, last_end.as_deref()))
    }

    /// The ranges in the order of their keys, each by its start, included, and its end, excluded.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.ends.iter().map(|(start, end)| (&**start, end.as_deref()))
    }
}

/// Whether a key lies below an end.
fn is_below(key: &[u8], end: Option<&[u8]>) -> bool {
    end.is_none_or(|end| key < end)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Keys of one byte below this; a range may end there or nowhere.
    const KEYS: u8 = 24;

    fn range(start: u8, end: Option<u8>) -> KeyRange {
        KeyRange::from_bytes(&[start], end.as_slice()).expect("not empty")
    }

    fn bounds() -> impl Strategy<Value = (u8, Option<u8>)> {
        (0..KEYS - 1, 0..KEYS).prop_map(|(start, len)| (start, (len < 6).then_some(start + 1 + len)))
    }

    fn keys((start, end): (u8, Option<u8>)) -> impl Iterator<Item = u8> {
        start..end.unwrap_or(KEYS * 2)
    }

    fn all(bounds: &[(u8, Option<u8>)]) -> (Ranges, BTreeSet<u8>) {
        let mut ranges = Ranges::default();
        for (start, end) in bounds {
            ranges.insert(&range(*start, *end));
        }
        (ranges, bounds.iter().copied().flat_map(keys).collect())
    }

    proptest! {
        #[test]
        fn ranges_are_the_set_of_their_keys(
            some in prop::collection::vec(bounds(), 0..8),
            more in prop::collection::vec(bounds(), 0..8),
        ) {
            let (mut some, mut some_keys) = all(&some);
            let (more, more_keys) = all(&more);
            for key in 0..KEYS * 2 {
                prop_assert_eq!(some.contains(&[key]), some_keys.contains(&key));
            }
            prop_assert_eq!(some.meet(&more), !some_keys.is_disjoint(&more_keys));
            some.extend(more);
            some_keys.extend(more_keys);
            for key in 0..KEYS * 2 {
                prop_assert_eq!(some.contains(&[key]), some_keys.contains(&key));
            }
            let gaps = some_keys.iter().filter(|key| !some_keys.contains(&(*key + 1))).count();
            prop_assert_eq!(some.len(), gaps, "disjoint, and none borders on another");
        }
    }
}
