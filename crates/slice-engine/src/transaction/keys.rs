//! Sets of keys: what somebody has read or written.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use slice_types::{KeyRange, KeyspaceId};

use super::ranges::Ranges;

/// Keys of any keyspaces, one by one and by ranges.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    keyspaces: BTreeMap<KeyspaceId, KeySet>,
}

#[derive(Clone, Debug, Default)]
struct KeySet {
    points: BTreeSet<Box<[u8]>>,
    ranges: Ranges,
}

impl Keys {
    /// Adds a key.
    pub(crate) fn insert(&mut self, keyspace: KeyspaceId, key: &[u8]) {
        let points = &mut self.keyspaces.entry(keyspace).or_default().points;
        if !points.contains(key) {
            points.insert(key.into());
        }
    }

    /// Adds the keys of a range.
    pub(crate) fn insert_range(&mut self, keyspace: KeyspaceId, range: &KeyRange) {
        self.keyspaces.entry(keyspace).or_default().ranges.insert(range);
    }

    /// Adds the keys of several ranges.
    pub(crate) fn insert_ranges(&mut self, keyspace: KeyspaceId, ranges: Ranges) {
        self.keyspaces.entry(keyspace).or_default().ranges.extend(ranges);
    }

    /// Adds all of the others; takes time for each that is in the smaller of the two.
    pub(crate) fn extend(&mut self, mut others: Self) {
        if self.len() < others.len() {
            std::mem::swap(self, &mut others);
        }
        for (keyspace, keys) in others.keyspaces {
            let all = self.keyspaces.entry(keyspace).or_default();
            all.points.extend(keys.points);
            all.ranges.extend(keys.ranges);
        }
    }

    /// Keys and ranges in all.
    pub(crate) fn len(&self) -> usize {
        self.keyspaces.values().map(|keys| keys.points.len() + keys.ranges.len()).sum()
    }

    /// Whether a key is in both; takes time for each that is in the smaller of the two, and for each range.
    pub(crate) fn meet(&self, others: &Self) -> bool {
        self.keyspaces
            .iter()
            .any(|(keyspace, keys)| others.keyspaces.get(keyspace).is_some_and(|others| keys.meet(others)))
    }
}

impl KeySet {
    fn meet(&self, others: &Self) -> bool {
        self.points_meet(others)
            || self.ranges_meet_points(others)
            || others.ranges_meet_points(self)
            || self.ranges.meet(&others.ranges)
    }

    fn points_meet(&self, others: &Self) -> bool {
        let (few, many) = if self.points.len() < others.points.len() {
            (&self.points, &others.points)
        } else {
            (&others.points, &self.points)
        };
        few.iter().any(|key| many.contains(key))
    }

    fn ranges_meet_points(&self, others: &Self) -> bool {
        self.ranges.iter().any(|(start, end)| {
            let end = end.map_or(Bound::Unbounded, Bound::Excluded);
            others.points.range::<[u8], _>((Bound::Included(start), end)).next().is_some()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: KeyspaceId = KeyspaceId(7);

    fn points(keys: &[&str]) -> Keys {
        let mut all = Keys::default();
        for key in keys {
            all.insert(USERS, key.as_bytes());
        }
        all
    }

    fn ranges(ranges: &[(&str, &str)]) -> Keys {
        let mut all = Keys::default();
        for (start, end) in ranges {
            let range = KeyRange::from_bytes(start.as_bytes(), end.as_bytes()).expect("not empty");
            all.insert_range(USERS, &range);
        }
        all
    }

    #[track_caller]
    fn assert_meeting(one: &Keys, other: &Keys, expected: bool) {
        assert_eq!(one.meet(other), expected);
        assert_eq!(other.meet(one), expected);
    }

    #[test]
    fn points_and_ranges_meet_where_they_have_a_key_in_common() {
        let some = points(&["a", "c", "e"]);
        assert_meeting(&some, &points(&["b", "c"]), true);
        assert_meeting(&some, &points(&["b", "d"]), false);
        assert_meeting(&some, &ranges(&[("b", "c"), ("d", "e")]), false);
        assert_meeting(&some, &ranges(&[("b", "c"), ("d", "")]), true);
        assert_meeting(&ranges(&[("a", "c")]), &ranges(&[("c", "d")]), false);
        assert_meeting(&ranges(&[("a", "c")]), &ranges(&[("0", "1"), ("b", "")]), true);
        assert_meeting(&some, &Keys::default(), false);
    }

    #[test]
    fn keys_of_two_keyspaces_never_meet() {
        let mut other = Keys::default();
        other.insert(KeyspaceId::DEFAULT, b"a");
        assert_meeting(&points(&["a"]), &other, false);
        other.extend(points(&["a"]));
        assert_meeting(&points(&["a"]), &other, true);
    }

    #[test]
    fn a_key_counts_once_and_a_union_has_all() {
        let mut all = points(&["a", "a"]);
        assert_eq!(all.len(), 1);
        all.extend(points(&["a", "b", "c"]));
        assert_eq!(all.len(), 3);
        all.extend(ranges(&[("x", "y"), ("y", "z")]));
        assert_eq!(all.len(), 4);
        assert!(all.meet(&points(&["yy"])) && all.meet(&points(&["b"])));
    }
}
