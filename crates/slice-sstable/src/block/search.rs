//! Search in a block: a binary search over the key suffixes where they lie.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use std::cmp::Ordering;

use slice_types::Trailer;

use super::Block;

impl Block {
    /// The first entry at or after `(key, trailer)`, or [`count`](Block::count) when all stand before.
    #[inline]
    pub fn lower_bound(&self, key: &[u8], trailer: Trailer) -> usize {
        match self.strip_shared(key) {
            Ok(suffix) => self.search(|i| self.order(i, suffix, trailer) == Ordering::Less),
            Err(outside) => outside,
        }
    }

    /// The first entry after `(key, trailer)`, or [`count`](Block::count) when there is none.
    #[inline]
    pub fn upper_bound(&self, key: &[u8], trailer: Trailer) -> usize {
        match self.strip_shared(key) {
            Ok(suffix) => self.search(|i| self.order(i, suffix, trailer) != Ordering::Greater),
            Err(outside) => outside,
        }
    }

    /// Whether entry `i` is a version of `key`.
    #[inline]
    pub fn has_key(&self, i: usize, key: &[u8]) -> bool {
        key.strip_prefix(self.shared()).is_some_and(|suffix| suffix == self.suffix(i))
    }

    /// What follows the shared prefix in `key`; or, without it, the bound that every search would find.
    #[inline]
    fn strip_shared<'k>(&self, key: &'k [u8]) -> Result<&'k [u8], usize> {
        let shared = self.shared();
        if let Some(suffix) = key.strip_prefix(shared) {
            return Ok(suffix);
        }
        Err(if key < shared { 0 } else { self.count() })
    }

    /// Entry `i` relative to a search target; trailers are looked at only where keys are equal.
    #[inline]
    fn order(&self, i: usize, suffix: &[u8], trailer: Trailer) -> Ordering {
        match self.suffix(i).cmp(suffix) {
            // Internal order: trailers descend.
            Ordering::Equal => trailer.to_u64().cmp(&self.trailers.get(&self.bytes, i)),
            unequal => unequal,
        }
    }

    /// The first entry that is not `before`.
    #[inline]
    fn search(&self, before: impl Fn(usize) -> bool) -> usize {
        let (mut low, mut high) = (0, self.count());
        while low < high {
            let middle = low + (high - low) / 2;
            if before(middle) { low = middle + 1 } else { high = middle }
        }
        low
    }
}
