//! Search in a block: a binary search over the key suffixes where they lie.
//!
//! Suffixes are compared by their first eight bytes as one number, and in full only where those are equal. Which half
//! a step goes on with is a coin toss to the processor, so it is chosen without a branch.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use std::cmp::Ordering;
use std::hint::select_unpredictable;
use std::ops::Range;

use slice_types::{Trailer, key_prefix};

use super::BlockRef;

/// The bytes of a suffix that are compared as one number.
const HEAD_LEN: usize = size_of::<u64>();

/// What is looked for, behind the shared prefix.
#[derive(Clone, Copy)]
struct Target<'k> {
    head: u64,
    suffix: &'k [u8],
    trailer: Trailer,
}

impl BlockRef<'_> {
    /// The first entry at or after `(key, trailer)`, or [`count`](super::Block::count) when all stand before.
    #[inline]
    pub(crate) fn lower_bound(self, key: &[u8], trailer: Trailer) -> usize {
        match self.target(key, trailer) {
            Ok(target) => self.search(target, |order| order == Ordering::Less),
            Err(outside) => outside,
        }
    }

    /// The first entry after `(key, trailer)`, or [`count`](super::Block::count) when there is none.
    #[inline]
    pub(crate) fn upper_bound(self, key: &[u8], trailer: Trailer) -> usize {
        match self.target(key, trailer) {
            Ok(target) => self.search(target, |order| order != Ordering::Greater),
            Err(outside) => outside,
        }
    }

    /// The first version of `key` at or after `trailer`, if there is one.
    #[inline]
    pub(crate) fn find(self, key: &[u8], trailer: Trailer) -> Option<usize> {
        let target = self.target(key, trailer).ok()?;
        let found = self.search(target, |order| order == Ordering::Less);
        (found < self.count() && self.suffix(found) == target.suffix).then_some(found)
    }

    /// Whether entry `i` is a version of `key`.
    #[inline]
    pub(crate) fn has_key(self, i: usize, key: &[u8]) -> bool {
        key.strip_prefix(self.shared()).is_some_and(|suffix| suffix == self.suffix(i))
    }

    /// The target behind the shared prefix; or, without that prefix, the bound that every search would find.
    #[inline]
    fn target(self, key: &[u8], trailer: Trailer) -> Result<Target<'_>, usize> {
        let shared = self.shared();
        match key.strip_prefix(shared) {
            Some(suffix) => Ok(Target { head: head(suffix, 0..suffix.len()), suffix, trailer }),
            None if key < shared => Err(0),
            None => Err(self.count()),
        }
    }

    /// The first entry whose order relative to the target is not `before`.
    #[inline]
    fn search(self, target: Target<'_>, before: impl Fn(Ordering) -> bool) -> usize {
        let is_before = |i| {
            let suffix = self.suffix_range(i);
            let head = head(self.bytes, suffix.clone());
            if head == target.head {
                before(self.order_in_full(i, suffix, target))
            } else {
                head < target.head
            }
        };
        // The first that is not before lies in `base..=base + size`.
        let (mut base, mut size) = (0, self.count());
        while size > 1 {
            let half = size / 2;
            base = select_unpredictable(is_before(base + half), base + half, base);
            size -= half;
        }
        base + usize::from(is_before(base))
    }

    /// Entry `i` relative to a target whose first bytes are the same.
    #[inline]
    fn order_in_full(self, i: usize, suffix: Range<usize>, target: Target<'_>) -> Ordering {
        let order = match suffix.len().max(target.suffix.len()) {
            // What is in them is equal: the heads are all of them.
            0..=HEAD_LEN => suffix.len().cmp(&target.suffix.len()),
            _ => self.slice(suffix).cmp(target.suffix),
        };
        match order {
            // Internal order: trailers descend.
            Ordering::Equal => target.trailer.to_u64().cmp(&self.layout.trailers.get(self.bytes, i)),
            unequal => unequal,
        }
    }
}

/// The first eight bytes of a range as a number of the same order; a shorter range is filled up with zeros.
#[inline]
fn head(bytes: &[u8], range: Range<usize>) -> u64 {
    let rest = bytes.get(range.start..).unwrap_or_default();
    let word = match rest.first_chunk::<8>() {
        Some(word) => u64::from_be_bytes(*word),
        None => head_near_end(rest),
    };
    // What lies behind the range counts as zeros.
    match range.len() {
        len @ 0..8 => word & !(u64::MAX >> (8 * len)),
        _ => word,
    }
}

/// The [`key_prefix`](slice_types::key_prefix) of a range.
#[inline]
pub(super) fn prefix_of(bytes: &[u8], range: Range<usize>) -> u128 {
    let rest = bytes.get(range.start..).unwrap_or_default();
    let word = match rest.first_chunk::<16>() {
        Some(word) => u128::from_be_bytes(*word),
        None => key_prefix(rest),
    };
    match range.len() {
        len @ 0..16 => word & !(u128::MAX >> (8 * len)),
        _ => word,
    }
}

fn head_near_end(rest: &[u8]) -> u64 {
    let mut word = [0; 8];
    for (slot, &byte) in word.iter_mut().zip(rest) {
        *slot = byte;
    }
    u64::from_be_bytes(word)
}
