//! A leaf: up to [`SLOTS`] entries of a stretch of keys, most of them in the order in which they came.
//!
//! ```text
//!   slot        0    1    2    3    4
//!   prefix      b    d    m    c    a   |  free     len = 5
//!   entry       17   52   60   71   75  |
//!               in order  |  as they came           sorted = 3
//! ```
//!
//! A slot is written before it is counted, and not again while a reader may be there: one store publishes an entry, and a
//! reader sees the leaf with it or without, and waits for nobody. A lookup compares prefixes for equality, so it needs no
//! order. What does need it, an iterator or the writer who makes two leaves out of one, sorts what it has read.

use std::sync::atomic::Ordering;

use slice_types::{EntryRef, Trailer};

use super::entries::{Entries, EntryId};
use super::skip::{AtomicSkip, Skip};
use super::target::{Target, prefix};
use crate::primitives::{AtomicU32, AtomicU64};

/// How many entries a leaf has. Few under loom, which tries every order of every access.
pub(super) const SLOTS: usize = if cfg!(all(test, slice_loom)) { 2 } else { 36 };

/// An entry's prefix behind what the leaf skips, and its number.
pub(super) type Slot = (u64, EntryId);

/// A leaf. It is filled, and then appended to, by the writer alone.
#[repr(align(64))]
pub(super) struct Leaf {
    skip: AtomicSkip,
    len: AtomicU32,
    /// The first so many slots are in order.
    sorted: AtomicU32,
    /// Not 0 from when a part of the stretch got a leaf of its own.
    is_split: AtomicU32,
    prefixes: [AtomicU64; SLOTS],
    entries: [AtomicU32; SLOTS],
}

impl Default for Leaf {
    fn default() -> Self {
        Self {
            skip: AtomicSkip::default(),
            len: AtomicU32::new(0),
            sorted: AtomicU32::new(0),
            is_split: AtomicU32::new(0),
            prefixes: std::array::from_fn(|_| AtomicU64::new(0)),
            entries: std::array::from_fn(|_| AtomicU32::new(0)),
        }
    }
}

impl Leaf {
    /// Puts in entries that are in order, in place of what was there, and gives the last. No reader knows of the leaf.
    pub(super) fn fill(&self, sorted: impl Iterator<Item = Slot>, skip: Skip) -> Option<EntryId> {
        self.skip.store(skip);
        self.is_split.store(0, Ordering::Relaxed);
        let (mut len, mut last) = (0, None);
        for (slot, (prefix, id)) in sorted.enumerate() {
            self.prefixes[slot].store(prefix, Ordering::Relaxed);
            self.entries[slot].store(id.to_u32(), Ordering::Relaxed);
            (len, last) = (len + 1, Some(id));
        }
        self.sorted.store(len, Ordering::Relaxed);
        self.len.store(len, Ordering::Release);
        last
    }

    /// Publishes an entry; `in_order` if it is behind all others. By the writer, and if there is room and
    /// [the key fits](Self::fits).
    #[inline]
    pub(super) fn append(&self, id: EntryId, key: &[u8], in_order: bool) {
        let len = self.len.load(Ordering::Relaxed);
        let slot = len as usize;
        self.prefixes[slot].store(prefix(key, self.skip.load().len), Ordering::Relaxed);
        self.entries[slot].store(id.to_u32(), Ordering::Relaxed);
        if in_order && self.sorted.load(Ordering::Relaxed) == len {
            self.sorted.store(len + 1, Ordering::Relaxed);
        }
        self.len.store(len + 1, Ordering::Release);
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Acquire) as usize
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.len() == SLOTS
    }

    /// Whether prefixes order this key as they do the others.
    #[inline]
    pub(super) fn fits(&self, key: &[u8], entries: &Entries) -> bool {
        let skip = self.skip.load();
        !skip.is_guess || skip.order_of_front(key, entries.get(self.entry(0)).key).is_eq()
    }

    /// The newest entry of the target's key at or behind the target. `came_in_order` says whether of any two
    /// entries of a key the one that came later is the newer.
    #[inline]
    pub(super) fn newest<'a>(
        &self,
        target: &Target<'_>,
        came_in_order: impl FnOnce() -> bool,
        entries: &'a Entries,
    ) -> Option<(EntryId, EntryRef<'a>)> {
        let len = self.len();
        if len == 0 || !self.fits(target.key, entries) {
            return None;
        }
        let wanted = prefix(target.key, self.skip.load().len);
        let sorted = (self.sorted.load(Ordering::Relaxed) as usize).min(len);
        let is_wanted = |slot: &usize| self.prefixes[*slot].load(Ordering::Relaxed) == wanted;
        let version = |slot: usize| {
            let id = self.entry(slot);
            let entry = entries.get(id);
            let is_version = entry.key == target.key && entry.trailer.to_u64() <= target.trailer.to_u64();
            is_version.then_some((id, entry))
        };
        let mut came_later = (sorted..len).rev().filter(is_wanted).filter_map(version);
        let mut in_order = (0..sorted).filter(is_wanted).filter_map(version);
        if came_in_order() {
            return came_later.next().or_else(|| in_order.next());
        }
        came_later.chain(in_order).max_by_key(|(_, entry)| entry.trailer.to_u64())
    }

    /// Whether exactly this entry is there.
    pub(super) fn has(&self, key: &[u8], trailer: Trailer, entries: &Entries) -> bool {
        if !self.fits_any(key, entries) {
            return false;
        }
        let wanted = prefix(key, self.skip.load().len);
        let mut same = (0..self.len()).filter(|slot| self.prefixes[*slot].load(Ordering::Relaxed) == wanted);
        same.any(|slot| {
            let entry = entries.get(self.entry(slot));
            entry.key == key && entry.trailer == trailer
        })
    }

    fn fits_any(&self, key: &[u8], entries: &Entries) -> bool {
        self.len() > 0 && self.fits(key, entries)
    }

    /// Takes the entries, in order.
    pub(super) fn collect(&self, slots: &mut Vec<Slot>, entries: &Entries) {
        let len = self.len();
        slots.clear();
        slots.extend((0..len).map(|slot| (self.prefixes[slot].load(Ordering::Relaxed), self.entry(slot))));
        if (self.sorted.load(Ordering::Relaxed) as usize) < len {
            sort(slots, entries);
        }
    }

    /// How many of the entries that were [collected](Self::collect) are before the target; `is_before` says of which places
    /// relative to the target that is to be said.
    pub(super) fn count_before(
        &self,
        slots: &[Slot],
        target: &Target<'_>,
        is_before: impl Fn(std::cmp::Ordering) -> bool,
        entries: &Entries,
    ) -> usize {
        let place = |id| target.order_of(&entries.get(id));
        if slots.is_empty() || !self.fits(target.key, entries) {
            return slots.partition_point(|(_, id)| is_before(place(*id)));
        }
        let wanted = prefix(target.key, self.skip.load().len);
        slots.partition_point(|&(prefix, id)| prefix < wanted || prefix == wanted && is_before(place(id)))
    }

    pub(super) fn skip(&self) -> Skip {
        self.skip.load()
    }

    /// Says that the skip, which was guessed, holds for all that may ever be looked for here.
    pub(super) fn confirm_skip(&self) {
        self.skip.store(Skip { is_guess: false, ..self.skip.load() });
    }

    /// Says that a part of the stretch gets a leaf of its own. To be said before that one is to be found.
    pub(super) fn split(&self) {
        self.is_split.store(1, Ordering::Relaxed);
    }

    /// Whether it may have entries beyond the bounds that led to it.
    pub(super) fn is_split(&self) -> bool {
        self.is_split.load(Ordering::Relaxed) != 0
    }

    #[inline]
    fn entry(&self, slot: usize) -> EntryId {
        EntryId::from_u32(self.entries[slot].load(Ordering::Relaxed))
    }
}

/// Brings slots into order: by their prefixes, which takes no branches, and by their entries only if that was not enough.
fn sort(slots: &mut [Slot], entries: &Entries) {
    slots.sort_unstable_by_key(|(prefix, _)| *prefix);
    if slots.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        slots.sort_unstable_by(|one, other| {
            one.0.cmp(&other.0).then_with(|| entries.get(one.1).order(&entries.get(other.1)))
        });
    }
}
