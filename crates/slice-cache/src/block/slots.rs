//! The slots of one table: a pointer and a state for each block.

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::Ordering;

use arc_swap::RefCnt;

use crate::primitives::{AtomicU8, Loaded, Slot};

/// What is in a slot, as its state says.
const EMPTY: u8 = 0;
/// A block that was not used since the clock's hand passed it.
const FILLED: u8 = 1;
/// A block that was.
const MARKED: u8 = 2;

/// Where the blocks of a table are, while they are in the cache.
///
/// Pointers and states lie apart: a state is written now and then, pointers stay as they are in the caches of all processors.
pub(super) struct Slots<B: RefCnt> {
    slots: Box<[Slot<B>]>,
    /// Written under the lock of the slot's shard, and by readers, who mark.
    states: Box<[AtomicU8]>,
}

impl<B: RefCnt> Slots<B> {
    /// What a slot takes, in bytes.
    pub(super) const SLOT_BYTES: usize = size_of::<Slot<B>>() + size_of::<AtomicU8>();

    pub(super) fn new(len: usize) -> Self {
        Self {
            slots: (0..len).map(|_| Slot::from(None)).collect(),
            states: (0..len).map(|_| AtomicU8::new(EMPTY)).collect(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The block in a slot, which is marked.
    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<Kept<B>> {
        let loaded = self.slots.get(at)?.load();
        if loaded.is_none() {
            return None;
        }
        // Most are marked already: to look first keeps the line clean. One that was emptied meanwhile stays so.
        if let Some(state) = self.states.get(at)
            && state.load(Ordering::Relaxed) == FILLED
        {
            let _ = state.compare_exchange(FILLED, MARKED, Ordering::Relaxed, Ordering::Relaxed);
        }
        Some(Kept(loaded))
    }

    /// Whether there is a block in a slot. Under the lock of its shard.
    pub(super) fn is_filled(&self, at: usize) -> bool {
        self.states[at].load(Ordering::Relaxed) != EMPTY
    }

    /// Fills an empty slot. Under the lock of its shard.
    pub(super) fn fill(&self, at: usize, block: B) {
        self.slots[at].store(Some(block));
        self.states[at].store(FILLED, Ordering::Relaxed);
    }

    /// Empties a slot. Under the lock of its shard.
    pub(super) fn empty(&self, at: usize) -> Option<B> {
        if !self.is_filled(at) {
            return None;
        }
        self.states[at].store(EMPTY, Ordering::Relaxed);
        self.slots[at].swap(None)
    }

    /// Takes a mark away, and says whether there was one. Under the lock of its shard.
    pub(super) fn unmark(&self, at: usize) -> bool {
        self.states[at].compare_exchange(MARKED, FILLED, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// A block of the cache, in use.
pub struct Kept<B: RefCnt>(Loaded<B>);

impl<B: RefCnt> Deref for Kept<B> {
    type Target = B;

    #[inline]
    fn deref(&self) -> &B {
        Option::as_ref(&self.0).expect("a slot that was found empty is not kept")
    }
}

impl<B: RefCnt + fmt::Debug> fmt::Debug for Kept<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
