//! From a key's hash to its newest entry, so that a lookup need not go down the tree.
//!
//! ```text
//!   hash of the key, 32 bits:   | place | rest |
//!                                  |
//!   slots:     [ 0 ][ hash, entry ][ hash, entry ][ 0 ][ hash, entry ] ...      64, doubled when three quarters are full
//! ```
//!
//! A slot is one word. A key keeps its slot, and a newer version of it takes the place of the older one in there; so a reader
//! finds the newest version of a key, or one that came while it looked. Who reads at an earlier sequence number goes down the
//! tree. A lookup ends at an empty slot: then there is no such key.
//!
//! A larger table is filled beside the one in use, and put in its place. Places follow the order of hashes, so that is a
//! walk through both from end to end, some nanoseconds a key. Readers who are in the old table do not find what comes later,
//! which is newer than what they look for.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arc_swap::ArcSwapOption;

use super::entries::{Entries, EntryId};
use super::pages::Items;
use crate::primitives::AtomicU64;

/// The slots of the first table.
const SLOTS_MIN: usize = if cfg!(all(test, slice_loom)) { 16 } else { 64 };

/// The index, as readers see it.
pub(super) struct Index {
    /// None before the first entry.
    table: ArcSwapOption<Table>,
}

/// The writer's part.
pub(super) struct IndexWriter {
    table: Option<Arc<Table>>,
    keys: usize,
}

struct Table {
    slots: Items<AtomicU64>,
    /// By how many bits a hash is shifted to give its place.
    shift: u32,
}

/// What the writer has found out about a key.
#[derive(Clone, Copy)]
pub(super) struct Place {
    slot: usize,
    hash: u32,
    /// The entry that the index has of the key.
    pub(super) known: Option<EntryId>,
}

impl Index {
    pub(super) fn new() -> Self {
        Self { table: ArcSwapOption::empty() }
    }

    /// The newest entry of a key.
    #[inline]
    pub(super) fn newest(&self, key: &[u8], hash: u64, entries: &Entries) -> Option<EntryId> {
        let table = self.table.load();
        table.as_ref()?.find(key, top(hash), entries).known
    }

    /// Looks for the place of a key that is to be put in, making room for it.
    #[inline]
    pub(super) fn place(&self, writer: &mut IndexWriter, key: &[u8], hash: u64, entries: &Entries) -> Place {
        if writer.keys * 4 >= writer.slots() * 3 {
            self.grow(writer);
        }
        let table = writer.table.as_ref().expect("it grows before it is used");
        table.find(key, top(hash), entries)
    }

    #[cold]
    fn grow(&self, writer: &mut IndexWriter) {
        let larger = Table::new((writer.slots() * 2).max(SLOTS_MIN));
        if let Some(table) = &writer.table {
            let words = table.slots.iter().map(|slot| slot.load(Ordering::Relaxed));
            words.filter(|word| *word != 0).for_each(|word| larger.add(word));
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

    /// Puts an entry in the place of its key, which is the newest of it.
    #[inline]
    pub(super) fn put(&mut self, place: Place, id: EntryId) {
        let table = self.table.as_ref().expect("a place is in a table");
        table.slots[place.slot].store(word(place.hash, id), Ordering::Release);
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
    /// Of so many slots, a power of two.
    fn new(slots: usize) -> Self {
        let shift = u32::BITS - slots.ilog2();
        Self { slots: Items::new(slots, || AtomicU64::new(0)), shift }
    }

    /// The slot of a key, or the empty one in which a search for it ends. There is always an empty one.
    #[inline]
    fn find(&self, key: &[u8], hash: u32, entries: &Entries) -> Place {
        let mut slot = (hash >> self.shift) as usize;
        loop {
            let word = self.slots[slot].load(Ordering::Acquire);
            if word == 0 {
                return Place { slot, hash, known: None };
            }
            if (word >> 32) as u32 == hash {
                let id = EntryId::from_u32(word as u32 - 1);
                if entries.get(id).key == key {
                    return Place { slot, hash, known: Some(id) };
                }
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }

    /// Takes over a word of a key that is not there. Nobody reads the table yet.
    fn add(&self, word: u64) {
        let mut slot = ((word >> 32) as u32 >> self.shift) as usize;
        while self.slots[slot].load(Ordering::Relaxed) != 0 {
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        self.slots[slot].store(word, Ordering::Relaxed);
    }
}

#[inline]
const fn top(hash: u64) -> u32 {
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

        fn newest(&self, key: &[u8], hash: u64) -> Option<EntryId> {
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
        assert_eq!(filled.newest(b"key", hash(1)), None);
        let ids: Vec<_> = (0..10_000_u64).map(|n| filled.put(&n.to_be_bytes(), hash(n))).collect();
        for (n, id) in (0_u64..).zip(&ids) {
            assert_eq!(filled.newest(&n.to_be_bytes(), hash(n)), Some(*id));
            assert_eq!(filled.newest(&(n + 10_000).to_be_bytes(), hash(n + 10_000)), None);
        }
        assert_eq!(filled.writer.allocated(), 16_384 * 8);
    }

    #[test]
    fn keys_of_one_hash_are_told_apart_around_the_end() {
        let mut filled = Filled::new();
        let ids: Vec<_> = (0..200_u64).map(|n| filled.put(&n.to_be_bytes(), u64::MAX)).collect();
        for (n, id) in (0_u64..).zip(&ids) {
            assert_eq!(filled.newest(&n.to_be_bytes(), u64::MAX), Some(*id));
        }
        assert_eq!(filled.newest(b"another", u64::MAX), None);
    }

    #[test]
    fn a_newer_version_takes_the_place_of_the_older() {
        let mut filled = Filled::new();
        for _ in 0..1000 {
            let id = filled.put(b"key", 7);
            assert_eq!(filled.newest(b"key", 7), Some(id));
        }
        assert_eq!(filled.writer.allocated(), SLOTS_MIN * 8);
    }
}
