//! From a key's hash to its newest entry, so that a lookup need not go down the tree.
//!
//! ```text
//!   hash of the key, 32 bits:   | place | rest |
//!                                  |
//!   slots:     [ 0 ][ hash, entry ][ hash, entry ][ 0 ][ hash, entry ] ...      64, and half as many more when three
//!                                                                               quarters are full
//! ```
//!
//! A slot is one word. A key keeps its slot, and a newer version of it takes the place of the older one in there; so a reader
//! finds the newest version of a key, or one that came while it looked. Who reads at an earlier sequence number goes down the
//! tree. A lookup ends at an empty slot: then there is no such key.
//!
//! Hashes have no seed, so somebody who chooses keys can have them collide. A search gives up after [`PATIENCE`], and a key
//! that it was for is not put in: it is in the tree only. From then on no key is put in that is not here: an older version of
//! it may be in the tree.
//!
//! A larger table is filled beside the one in use, and put in its place. Places follow the order of hashes, so that is a
//! walk through both from end to end, some nanoseconds a key. Readers who are in the old table do not find what comes later,
//! which is newer than what they look for.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arc_swap::ArcSwapOption;

use super::entries::{Entries, EntryId};
use super::pages::Items;
use crate::primitives::{AtomicU32, AtomicU64};

/// The slots of the first table.
const SLOTS_MIN: usize = if cfg!(all(test, slice_loom)) { 16 } else { 64 };

/// How many slots a search looks at: chance does not lead it that far among millions of keys.
const PATIENCE: usize = 1024;
/// As how many slots a key counts that has the hash and is not the one: each is a miss of the cache.
const STRANGER: usize = PATIENCE / 8;

/// What is known of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Newest {
    /// This is its newest entry.
    Entry(EntryId),
    /// There is none.
    None,
    /// It may be in the tree.
    Unknown,
}

/// The index, as readers see it.
pub(super) struct Index {
    /// None before the first entry.
    table: ArcSwapOption<Table>,
    /// Not 0 when a key was not put in.
    is_short: AtomicU32,
}

/// The writer's part.
pub(super) struct IndexWriter {
    table: Option<Arc<Table>>,
    keys: usize,
}

struct Table {
    slots: Items<AtomicU64>,
}

/// What the writer has found out about a key.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// `None` if the search gave up.
    slot: Option<usize>,
    hash: u32,
    /// The entry that the index has of the key.
    pub(super) known: Option<EntryId>,
}

impl Index {
    pub(super) fn new() -> Self {
        Self { table: ArcSwapOption::empty(), is_short: AtomicU32::new(0) }
    }

    /// Whether a key that is not here is nowhere.
    #[inline]
    pub(super) fn has_all(&self) -> bool {
        self.is_short.load(Ordering::Relaxed) == 0
    }

    /// The newest entry of a key.
    #[inline]
    pub(super) fn newest(&self, key: &[u8], hash: u64, entries: &Entries) -> Newest {
        let table = self.table.load();
        let Some(table) = &*table else { return Newest::None };
        match table.find(key, top(hash), entries) {
            Place { known: Some(id), .. } => Newest::Entry(id),
            Place { slot: Some(_), .. } if self.has_all() => Newest::None,
            _ => Newest::Unknown,
        }
    }

    /// Looks for the place of a key that is to be put in, making room for it.
    #[inline]
    pub(super) fn place(&self, writer: &mut IndexWriter, key: &[u8], hash: u64, entries: &Entries) -> Place {
        if writer.keys * 4 >= writer.slots() * 3 {
            self.grow(writer);
        }
        let table = writer.table.as_ref().expect("it grows before it is used");
        let place = table.find(key, top(hash), entries);
        if place.known.is_some() || place.slot.is_some() && self.has_all() {
            return place;
        }
        self.give_up();
        Place { slot: None, ..place }
    }

    /// Says that a key was not put in.
    #[cold]
    pub(super) fn give_up(&self) {
        self.is_short.store(1, Ordering::Relaxed);
    }

    /// Puts in all keys, each with its newest entry, and gives the writer's part. There is no other, and no reader.
    pub(super) fn fill<I: Iterator<Item = (u32, EntryId)>>(&self, newest: impl Fn() -> I) -> IndexWriter {
        let keys = newest().count();
        let table = Table::new((keys / 2 * 3).max(SLOTS_MIN));
        for (hash, id) in newest() {
            if !table.add(word(hash, id)) {
                self.give_up();
            }
        }
        let table = Arc::new(table);
        self.table.store(Some(Arc::clone(&table)));
        IndexWriter { table: Some(table), keys }
    }

    #[cold]
    fn grow(&self, writer: &mut IndexWriter) {
        let larger = Table::new((writer.slots() / 2 * 3).max(SLOTS_MIN));
        if let Some(table) = &writer.table {
            let words = table.slots.iter().map(|slot| slot.load(Ordering::Relaxed));
            for word in words.filter(|word| *word != 0) {
                if !larger.add(word) {
                    self.give_up();
                }
            }
        }
        let larger = Arc::new(larger);
        self.table.store(Some(Arc::clone(&larger)));
        writer.table = Some(larger);
    }
}

impl IndexWriter {
    pub(super) const fn new() -> Self {
        Self { table: None, keys: 0 }
    }

    /// Puts an entry in the place of its key, if it has one. It is the newest of the key.
    #[inline]
    pub(super) fn put(&mut self, place: Place, id: EntryId) {
        let table = self.table.as_ref().expect("a place is in a table");
        let Some(slot) = place.slot else { return };
        table.slots[slot].store(word(place.hash, id), Ordering::Release);
        self.keys += usize::from(place.known.is_none());
    }

    /// The memory that the index takes, in bytes.
    pub(super) fn allocated(&self) -> usize {
        self.table.as_ref().map_or(0, |table| table.slots.bytes())
    }

    fn slots(&self) -> usize {
        self.table.as_ref().map_or(0, |table| table.slots.len())
    }
}

impl Table {
    fn new(slots: usize) -> Self {
        Self { slots: Items::new(slots, || AtomicU64::new(0)) }
    }

    /// The slot of a key, or the empty one in which a search for it ends. There is always an empty one.
    #[inline]
    fn find(&self, key: &[u8], hash: u32, entries: &Entries) -> Place {
        let (mut slot, mut looks) = (self.first(hash), 0);
        while looks < PATIENCE {
            let word = self.slots[slot].load(Ordering::Acquire);
            if word == 0 {
                return Place { slot: Some(slot), hash, known: None };
            }
            if (word >> 32) as u32 == hash {
                let id = EntryId::from_u32(word as u32 - 1);
                if entries.get(id).key == key {
                    return Place { slot: Some(slot), hash, known: Some(id) };
                }
                looks += STRANGER;
            }
            looks += 1;
            slot = self.behind(slot);
        }
        Place { slot: None, hash, known: None }
    }

    /// Takes over a word of a key that is not there, if a search would find it. Nobody reads the table yet.
    fn add(&self, word: u64) -> bool {
        let (mut slot, mut looks) = (self.first((word >> 32) as u32), 0);
        while looks < PATIENCE {
            let there = self.slots[slot].load(Ordering::Relaxed);
            if there == 0 {
                self.slots[slot].store(word, Ordering::Relaxed);
                return true;
            }
            looks += if there >> 32 == word >> 32 { 1 + STRANGER } else { 1 };
            slot = self.behind(slot);
        }
        false
    }

    /// Where a search for a hash begins: the same part of the way through all slots as through all hashes.
    #[inline]
    fn first(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.slots.len() as u64) >> 32) as usize
    }

    #[inline]
    fn behind(&self, slot: usize) -> usize {
        if slot + 1 == self.slots.len() { 0 } else { slot + 1 }
    }
}

/// The part of a key's hash that the index keeps.
#[inline]
pub(super) const fn top(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// Not 0, whatever the hash: the highest number of all is of no entry, which takes more than one granule.
#[inline]
const fn word(hash: u32, id: EntryId) -> u64 {
    (hash as u64) << 32 | (id.to_u32() as u64 + 1)
}

#[cfg(all(test, not(slice_loom)))]
mod tests {
    use slice_types::{EntryKind, SeqNo, Trailer};

    use super::super::entries::Arena;
    use super::*;

    struct Filled {
        index: Index,
        writer: IndexWriter,
        entries: Entries,
        arena: Arena,
    }

    impl Filled {
        fn new() -> Self {
            let (index, writer) = (Index::new(), IndexWriter::new());
            Self { index, writer, entries: Entries::new(), arena: Arena::new() }
        }

        fn put(&mut self, key: &[u8], hash: u64) -> EntryId {
            let place = self.index.place(&mut self.writer, key, hash, &self.entries);
            let trailer = Trailer::new(SeqNo::new(1), EntryKind::Put);
            let id = self.arena.store(&self.entries, key, trailer, b"");
            self.writer.put(place, id);
            id
        }

        fn newest(&self, key: &[u8], hash: u64) -> Newest {
            self.index.newest(key, hash, &self.entries)
        }
    }

    /// SplitMix64's finalizer.
    const fn hash(n: u64) -> u64 {
        let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        n ^ (n >> 31)
    }

    #[test]
    fn each_key_is_found_while_the_table_grows_and_no_other() {
        let mut filled = Filled::new();
        assert_eq!(filled.newest(b"key", hash(1)), Newest::None);
        let ids: Vec<_> = (0..10_000_u64).map(|n| filled.put(&n.to_be_bytes(), hash(n))).collect();
        for (n, id) in (0_u64..).zip(&ids) {
            assert_eq!(filled.newest(&n.to_be_bytes(), hash(n)), Newest::Entry(*id));
            assert_eq!(filled.newest(&(n + 10_000).to_be_bytes(), hash(n + 10_000)), Newest::None);
        }
        let allocated = filled.writer.allocated();
        assert!((10_000 * 8 * 4 / 3..10_000 * 8 * 3).contains(&allocated), "{allocated}");
    }

    #[test]
    fn a_few_keys_of_one_hash_are_told_apart_around_the_end() {
        let mut filled = Filled::new();
        let ids: Vec<_> = (0..7_u64).map(|n| filled.put(&n.to_be_bytes(), u64::MAX)).collect();
        for (n, id) in (0_u64..).zip(&ids) {
            assert_eq!(filled.newest(&n.to_be_bytes(), u64::MAX), Newest::Entry(*id));
        }
        assert_eq!(filled.newest(b"another", u64::MAX), Newest::None);
        assert!(filled.index.has_all());
    }

    #[test]
    fn of_many_keys_that_collide_a_few_are_in_and_of_the_others_nothing_is_said() {
        // All of one hash; and each of its own, for the last place of all.
        for step in [0, 1 << 32] {
            let mut filled = Filled::new();
            let hash = |n: u64| u64::MAX - n * step;
            let ids: Vec<_> = (0..5000_u64).map(|n| filled.put(&n.to_be_bytes(), hash(n))).collect();
            let found: Vec<_> = (0..5000_u64).map(|n| filled.newest(&n.to_be_bytes(), hash(n))).collect();
            let is_right =
                |(found, id): (&Newest, &EntryId)| [Newest::Entry(*id), Newest::Unknown].contains(found);
            assert!(found.iter().zip(&ids).all(is_right));
            let known = found.iter().filter(|found| **found != Newest::Unknown).count();
            assert!((7..=PATIENCE).contains(&known), "{known} of them");
            assert_eq!(filled.newest(b"another", SeqNo::MAX.get()), Newest::Unknown);
        }
    }

    #[test]
    fn a_key_that_was_given_up_does_not_come_back_with_an_older_version() {
        let mut filled = Filled::new();
        filled.put(b"in", 1 << 32);
        filled.index.give_up();
        for n in 0..1000_u64 {
            filled.put(&n.to_be_bytes(), hash(n));
            assert_eq!(filled.newest(&n.to_be_bytes(), hash(n)), Newest::Unknown);
        }
        let newer = filled.put(b"in", 1 << 32);
        assert_eq!(filled.newest(b"in", 1 << 32), Newest::Entry(newer));
    }

    #[test]
    fn a_newer_version_takes_the_place_of_the_older() {
        let mut filled = Filled::new();
        for _ in 0..1000 {
            let id = filled.put(b"key", 7);
            assert_eq!(filled.newest(b"key", 7), Newest::Entry(id));
        }
        assert_eq!(filled.writer.allocated(), SLOTS_MIN * 8);
    }
}
