//! Which tables may hold a key: the bounds of all tables of a version, in flat memory.
//!
//! ```text
//!   level 0        [ ----- ] [  ------ ] [ ---- ]      newest first; each is asked whose bounds have the key
//!   level 2   heads of the largest keys: | d | k | z |      a search among numbers, then one look at that table's bounds
//! ```
//!
//! A *head* is the front of a key as a number. Where two heads differ, so do the keys, in the same order; only where they are
//! equal are the keys themselves looked at, which lie elsewhere.

use std::cmp::Ordering;
use std::sync::Arc;

use super::open_table::OpenTable;

/// The tables of a version in the order in which a lookup asks them.
#[derive(Clone, Default)]
pub(super) struct Candidates {
    /// Those of level 0, newest first.
    flushed: Vec<Bounded>,
    /// The levels below that have tables, by key.
    sorted: Vec<Sorted>,
}

#[derive(Clone)]
struct Bounded {
    smallest: u128,
    largest: u128,
    table: Arc<OpenTable>,
}

#[derive(Clone)]
struct Sorted {
    largest: Vec<u128>,
    tables: Vec<Bounded>,
}

/// A key that is looked for.
#[derive(Clone, Copy)]
struct Wanted<'k> {
    head: u128,
    key: &'k [u8],
}

impl Candidates {
    /// Those of levels in their order: level 0 oldest first, the others by key and disjoint.
    pub(super) fn new(levels: &[Vec<Arc<OpenTable>>]) -> Self {
        let (level_0, rest) = levels.split_first().map_or((&[][..], &[][..]), |(l0, rest)| (&l0[..], rest));
        Self {
            flushed: level_0.iter().rev().map(Bounded::new).collect(),
            sorted: rest
                .iter()
                .filter(|tables| !tables.is_empty())
                .map(|tables| Sorted::new(tables))
                .collect(),
        }
    }

    /// The tables whose bounds have the key, newest first: of each level below 0 one at most.
    #[inline]
    pub(super) fn of<'a>(&'a self, key: &'a [u8]) -> impl Iterator<Item = &'a OpenTable> {
        let wanted = Wanted { head: head(key), key };
        let newest_first = self.flushed.iter().filter(move |bounded| bounded.covers(wanted));
        let one_a_level = self.sorted.iter().filter_map(move |level| level.find(wanted));
        newest_first.chain(one_a_level).map(|bounded| &*bounded.table)
    }
}

impl Bounded {
    fn new(table: &Arc<OpenTable>) -> Self {
        let meta = &table.meta;
        Self { smallest: head(&meta.smallest), largest: head(&meta.largest), table: Arc::clone(table) }
    }

    #[inline]
    fn covers(&self, wanted: Wanted<'_>) -> bool {
        let meta = &self.table.meta;
        wanted.cmp(self.smallest, || &meta.smallest).is_ge()
            && wanted.cmp(self.largest, || &meta.largest).is_le()
    }
}

impl Sorted {
    fn new(tables: &[Arc<OpenTable>]) -> Self {
        let tables: Vec<_> = tables.iter().map(Bounded::new).collect();
        Self { largest: tables.iter().map(|table| table.largest).collect(), tables }
    }

    #[inline]
    fn find(&self, wanted: Wanted<'_>) -> Option<&Bounded> {
        let mut at = self.largest.partition_point(|&largest| largest < wanted.head);
        // Tables whose largest keys have the same head: rarely any.
        while self.largest.get(at) == Some(&wanted.head) && *self.tables[at].table.meta.largest < *wanted.key
        {
            at += 1;
        }
        self.tables.get(at).filter(|table| table.covers(wanted))
    }
}

impl Wanted<'_> {
    /// The key relative to another one, whose head is `head`.
    #[inline]
    fn cmp<'b>(self, head: u128, other: impl FnOnce() -> &'b [u8]) -> Ordering {
        match self.head.cmp(&head) {
            Ordering::Equal => self.key.cmp(other()),
            unequal => unequal,
        }
    }
}

/// The first sixteen bytes as a number of the same order; a shorter key is filled up with zeros.
#[inline]
fn head(key: &[u8]) -> u128 {
    if let Some(front) = key.first_chunk::<16>() {
        return u128::from_be_bytes(*front);
    }
    let mut padded = [0; 16];
    padded[..key.len()].copy_from_slice(key);
    u128::from_be_bytes(padded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_and_keys_together_order_as_keys_do() {
        let mut keys: Vec<Vec<u8>> =
            vec![vec![], vec![0], vec![0; 15], vec![0; 16], vec![0; 17], vec![0xff; 40]];
        for len in 14..19 {
            for last in [0, 1, 0x7f, 0x80, 0xff] {
                let mut key = vec![b'k'; len];
                key.push(last);
                keys.push(key);
            }
        }
        for left in &keys {
            for right in &keys {
                let wanted = Wanted { head: head(left), key: left };
                assert_eq!(wanted.cmp(head(right), || right), left.cmp(right), "{left:?} {right:?}");
            }
        }
    }
}
