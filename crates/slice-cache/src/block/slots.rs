//! The slots of one table: a pointer and a mark for each block.

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::Ordering;

use arc_swap::RefCnt;

use crate::primitives::{AtomicBool, Loaded, Slot};

/// Where the blocks of a table are, while they are in the cache.
///
/// Pointers and marks lie apart: a mark is written now and then, pointers stay as they are in the caches of all processors.
pub(super) struct Slots<B: RefCnt> {
    slots: Box<[Slot<B>]>,
    /// Which blocks were used since the clock's hand passed them.
    marks: Box<[AtomicBool]>,
}

impl<B: RefCnt> Slots<B> {
    /// What a slot takes, in bytes.
    pub(super) const SLOT_BYTES: usize = size_of::<Slot<B>>() + size_of::<AtomicBool>();

    pub(super) fn new(len: usize) -> Self {
        Self {
            slots: (0..len).map(|_| Slot::from(None)).collect(),
            marks: (0..len).map(|_| AtomicBool::new(false)).collect(),
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
        // Most are marked already: to look first keeps the line clean.
        if let Some(mark) = self.marks.get(at)
            && !mark.load(Ordering::Relaxed)
        {
            mark.store(true, Ordering::Relaxed);
        }
        Some(Kept(loaded))
    }

    /// Whether there is a block in a slot. Under the lock of its shard.
    pub(super) fn is_filled(&self, at: usize) -> bool {
        self.slots[at].load().is_some()
    }

    /// Fills an empty slot. Under the lock of its shard.
    pub(super) fn fill(&self, at: usize, block: B) {
        self.marks[at].store(false, Ordering::Relaxed);
        self.slots[at].store(Some(block));
    }

    /// Empties a slot. Under the lock of its shard.
    pub(super) fn empty(&self, at: usize) -> Option<B> {
        self.slots[at].swap(None)
    }

    /// Takes a mark away, and says whether there was one.
    pub(super) fn unmark(&self, at: usize) -> bool {
        let marked = self.marks[at].load(Ordering::Relaxed);
        if marked {
            self.marks[at].store(false, Ordering::Relaxed);
        }
        marked
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
