//! A shard: which blocks it has, in the order of the clock, and what they are charged.

use std::collections::VecDeque;
use std::sync::Arc;

use arc_swap::RefCnt;

use super::BlockCache;
use super::slots::Slots;
use crate::charge::Charge;
use crate::stats::Counters;

/// Where a block is, and what it was charged when it came.
pub(super) struct Entry<B: RefCnt> {
    slots: Arc<Slots<B>>,
    block: usize,
    charge: usize,
}

impl<B: RefCnt> Entry<B> {
    pub(super) fn new(slots: &Arc<Slots<B>>, block: usize, charge: usize) -> Self {
        Self { slots: Arc::clone(slots), block, charge }
    }
}

/// The blocks of a shard.
pub(super) struct Ring<B: RefCnt> {
    /// The hand is at the front. Entries of shelves that are gone stay until the hand comes by, or they are half of all.
    entries: VecDeque<Entry<B>>,
    /// How many entries have no block.
    vacant: usize,
    /// The charges of the others, added up.
    used: usize,
    capacity: usize,
    counters: Counters,
}

/// One step of an insertion.
pub(super) struct Insertion<B: RefCnt> {
    /// The block that is to be tried again, since one that went did not make room enough.
    pub(super) left: Option<(Entry<B>, B)>,
    /// What the caller is to drop, without the lock: a block that had to go, or the new one, if it is not wanted.
    pub(super) out: Option<B>,
}

impl<B: RefCnt + Charge> Ring<B> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { entries: VecDeque::new(), vacant: 0, used: 0, capacity, counters: Counters::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len() - self.vacant
    }

    pub(super) fn used(&self) -> usize {
        self.used
    }

    pub(super) fn counters(&self) -> Counters {
        self.counters
    }

    pub(super) fn insert(&mut self, (entry, block): (Entry<B>, B)) -> Insertion<B> {
        if entry.charge > self.capacity || entry.slots.is_filled(entry.block) {
            return Insertion { left: None, out: Some(block) };
        }
        let out = if self.fits(entry.charge) { None } else { self.evict() };
        if !self.fits(entry.charge) {
            return Insertion { left: Some((entry, block)), out };
        }
        self.used += entry.charge;
        self.counters.insertions += 1;
        entry.slots.fill(entry.block, block);
        self.entries.push_back(entry);
        Insertion { left: None, out }
    }

    /// Whether a block of the usual size fits without another's going.
    pub(super) fn has_room(&self) -> bool {
        self.fits(self.capacity / 512)
    }

    fn fits(&self, charge: usize) -> bool {
        self.used + charge <= self.capacity
    }

    /// Sets the capacity, and takes out one of the blocks that are too many by now.
    pub(super) fn shrink(&mut self, capacity: usize) -> Option<B> {
        self.capacity = capacity;
        if self.used <= capacity { None } else { self.evict() }
    }

    /// Takes out the first block at the hand that was not used since the hand passed it; after a whole round any.
    fn evict(&mut self) -> Option<B> {
        let mut chances = self.entries.len();
        while let Some(entry) = self.entries.pop_front() {
            if chances > 0 && entry.slots.unmark(entry.block) {
                chances -= 1;
                self.entries.push_back(entry);
                continue;
            }
            match entry.slots.empty(entry.block) {
                None => self.vacant -= 1,
                victim => {
                    self.used -= entry.charge;
                    self.counters.evictions += 1;
                    return victim;
                }
            }
        }
        None
    }

    /// Takes all blocks, and leaves none.
    pub(super) fn take_all(&mut self) -> Vec<B> {
        (self.used, self.vacant) = (0, 0);
        self.entries.drain(..).filter_map(|entry| entry.slots.empty(entry.block)).collect()
    }

    /// Takes these blocks of a shelf, which is given up.
    pub(super) fn take_from(&mut self, slots: &Slots<B>, blocks: impl Iterator<Item = usize>) -> Vec<B> {
        let taken: Vec<_> = blocks.filter_map(|block| slots.empty(block)).collect();
        self.vacant += taken.len();
        for block in &taken {
            self.used -= block.charge().saturating_add(BlockCache::<B>::ENTRY_OVERHEAD);
        }
        if self.vacant > self.entries.len() / 2 {
            self.entries.retain(|entry| entry.slots.is_filled(entry.block));
            self.vacant = 0;
        }
        taken
    }
}
