//! How many first bytes of a key a node does not look at, since all of its keys agree in them.
//!
//! A node between two others has bounds: what the bounds have in common, all keys between them have, and whatever is looked
//! for in the node has it, too. The first and the last node of a level lack a bound. There the skip is a guess, made from
//! the keys that the node has: who looks for a key compares its first bytes with theirs, and the writer, if a key comes that
//! does not begin so, makes the node anew.

use std::cmp::Ordering;
use std::sync::atomic;

use super::entries::{Entries, EntryId};
use super::target::{common, order_of_front};
use crate::primitives::AtomicU32;

/// What a node skips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Skip {
    /// In bytes.
    pub(super) len: usize,
    /// Whether keys may be looked for in the node that do not begin with the bytes that are skipped.
    pub(super) is_guess: bool,
}

/// A node's bounds: all of its entries are at or behind the lower, and before the upper one. `None` is no bound.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bounds {
    pub(super) lower: Option<EntryId>,
    pub(super) upper: Option<EntryId>,
}

impl Bounds {
    /// How many first bytes all keys within have in common, where there are two bounds.
    pub(super) fn common(self, entries: &Entries) -> Option<usize> {
        Some(common(entries.get(self.lower?).key, entries.get(self.upper?).key))
    }
}

impl Skip {
    /// For a node that begins with these entries, in order, of which there is at least one.
    pub(super) fn new(sorted: &[EntryId], bounds: Bounds, entries: &Entries) -> Self {
        if let Some(len) = bounds.common(entries) {
            return Self { len, is_guess: false };
        }
        let key = |id: &EntryId| entries.get(*id).key;
        let len = match sorted {
            // Most keys that come together differ near their ends.
            [one] => key(one).len().saturating_sub(size_of::<u64>()),
            [first, .., last] => common(key(first), key(last)),
            [] => 0,
        };
        Self { len, is_guess: len > 0 }
    }

    /// A key's first bytes relative to those of a key in the node.
    #[inline]
    pub(super) fn order_of_front(self, key: &[u8], inside: &[u8]) -> Ordering {
        order_of_front(key, inside, self.len)
    }
}

/// A skip that readers load while the writer may confirm it.
#[derive(Default)]
pub(super) struct AtomicSkip(AtomicU32);

impl AtomicSkip {
    #[inline]
    pub(super) fn load(&self) -> Skip {
        let word = self.0.load(atomic::Ordering::Relaxed);
        Skip { len: (word >> 1) as usize, is_guess: word & 1 == 1 }
    }

    pub(super) fn store(&self, skip: Skip) {
        self.0.store((skip.len as u32) << 1 | u32::from(skip.is_guess), atomic::Ordering::Relaxed);
    }
}
