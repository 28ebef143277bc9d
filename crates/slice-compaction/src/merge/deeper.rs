//! Where older data may be: the bounds of the tables below a job.

use std::sync::Arc;

type Bounds = (Arc<[u8]>, Arc<[u8]>);

/// The user keys that tables below a job may hold, as disjoint closed ranges, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeeperKeys {
    ranges: Vec<Bounds>,
}

impl DeeperKeys {
    /// Takes the smallest and largest user keys of tables, in any order; they may overlap.
    pub fn new(tables: impl IntoIterator<Item = (Arc<[u8]>, Arc<[u8]>)>) -> Self {
        let mut tables: Vec<Bounds> = tables.into_iter().collect();
        tables.sort();
        let mut ranges: Vec<Bounds> = Vec::with_capacity(tables.len());
        for (smallest, largest) in tables {
            match ranges.last_mut() {
                Some(last) if smallest <= last.1 => {
                    if largest > last.1 {
                        last.1 = largest;
                    }
                }
                _ => ranges.push((smallest, largest)),
            }
        }
        Self { ranges }
    }

    /// Whether there is nothing below: every tombstone that no snapshot needs can go.
    pub const fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    pub(super) fn sweep(&self) -> Sweep<'_> {
        Sweep { rest: &self.ranges }
    }
}

/// A pass over [`DeeperKeys`] for keys that ascend: O(1) a key, amortised.
#[derive(Debug)]
pub(super) struct Sweep<'a> {
    rest: &'a [Bounds],
}

impl Sweep<'_> {
    /// Whether a table may hold the key, which is not below the one asked for before.
    pub(super) fn may_contain(&mut self, key: &[u8]) -> bool {
        while let Some((first, rest)) = self.rest.split_first() {
            if *first.1 >= *key {
                return *first.0 <= *key;
            }
            self.rest = rest;
        }
        false
    }
}
