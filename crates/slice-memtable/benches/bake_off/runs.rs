//! The third candidate, for comparison only: sorted runs in memory, and a hash index beside them for lookups.
//!
//! ```text
//!   newest   [ 256 entries, kept sorted ]
//!   runs     [ 256 ] [ 512 ] [ 2,048 ] ...            merged as they become equal, like the digits of a binary number
//!   index    hash of the key -> its newest entry      open addressing, doubled when it is half full
//! ```
//!
//! It is written for one thread, which flatters it: readers beside the writer would need the runs and the index behind
//! something that they can load at once.

use slice_types::{EntryRef, SeqNo, Trailer};
use xxhash_rust::xxh3::xxh3_64;

/// The entries of the newest run.
const NEWEST: usize = 256;
const CHUNK: usize = 2 << 20;
const HEADER: usize = 16;

/// The first bytes of a key that the others share, then eight of its own as a number; and where the entry is.
type Item = (u64, u32);

/// A memtable of runs.
#[derive(Default)]
pub(crate) struct Runs {
    chunks: Vec<Vec<u8>>,
    newest: Vec<Item>,
    merged: Vec<Vec<Item>>,
    index: Vec<u64>,
    len: usize,
}

impl Runs {
    /// Adds an entry of a key of 16 bytes.
    pub(crate) fn insert(&mut self, key: &[u8; 16], trailer: Trailer, value: &[u8]) {
        let id = self.store(key, trailer, value);
        self.add_to_index(xxh3_64(key), id);
        let item = (prefix(key), id);
        let at = self.newest.partition_point(|other| other.0 < item.0);
        self.newest.insert(at, item);
        if self.newest.len() == NEWEST {
            self.merge();
        }
    }

    /// The newest entry of a key. Any earlier one would be behind it in a chain, which a bench does not need.
    pub(crate) fn get(&self, key: &[u8; 16], at: SeqNo) -> Option<EntryRef<'_>> {
        let hash = xxh3_64(key);
        let mask = self.index.len().checked_sub(1)?;
        let mut slot = hash as usize & mask;
        while self.index[slot] != 0 {
            let word = self.index[slot];
            if word >> 32 == hash >> 32 {
                let entry = self.entry(word as u32 - 1);
                if entry.key == key && entry.seqno() <= at {
                    return Some(entry);
                }
            }
            slot = (slot + 1) & mask;
        }
        None
    }

    /// Shows so many entries from a key on.
    pub(crate) fn scan(&self, key: &[u8; 16], count: usize, mut each: impl FnMut(EntryRef<'_>)) {
        let from = prefix(key);
        let parts = self.merged.iter().chain([&self.newest]);
        let mut rests: Vec<&[Item]> =
            parts.map(|run| &run[run.partition_point(|item| item.0 < from)..]).collect();
        for _ in 0..count {
            let fronts = rests.iter_mut().filter(|rest| !rest.is_empty());
            let Some(rest) = fronts.min_by_key(|rest| rest[0].0) else { return };
            each(self.entry(rest[0].1));
            *rest = &rest[1..];
        }
    }

    /// What it takes of memory, in bytes.
    pub(crate) fn memory_used(&self) -> usize {
        let items = self.merged.iter().map(Vec::capacity).sum::<usize>() + self.newest.capacity();
        self.chunks.len() * CHUNK + items * size_of::<Item>() + self.index.len() * size_of::<u64>()
    }

    fn store(&mut self, key: &[u8], trailer: Trailer, value: &[u8]) -> u32 {
        let len = (HEADER + key.len() + value.len()).next_multiple_of(8);
        if self.chunks.last().is_none_or(|chunk| chunk.len() + len > CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let chunk = self.chunks.len() - 1;
        let bytes = &mut self.chunks[chunk];
        let place = bytes.len();
        bytes.extend_from_slice(&trailer.to_u64().to_le_bytes());
        bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(value);
        bytes.resize(place + len, 0);
        ((chunk * CHUNK + place) / 8) as u32
    }

    fn entry(&self, id: u32) -> EntryRef<'_> {
        let place = id as usize * 8;
        let bytes = &self.chunks[place / CHUNK][place % CHUNK..];
        let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        let trailer = Trailer::from_u64(word(0)).expect("it was stored");
        EntryRef::new(&bytes[HEADER..HEADER + 16], trailer, &bytes[HEADER + 16..][..word(8) as usize])
    }

    fn add_to_index(&mut self, hash: u64, id: u32) {
        if self.len * 2 >= self.index.len() {
            let old = std::mem::take(&mut self.index);
            self.index = vec![0; (old.len() * 2).max(1024)];
            for word in old.into_iter().filter(|word| *word != 0) {
                let hash = xxh3_64(self.entry(word as u32 - 1).key);
                self.put_into_index(hash, word);
            }
        }
        self.len += 1;
        self.put_into_index(hash, hash >> 32 << 32 | u64::from(id + 1));
    }

    fn put_into_index(&mut self, hash: u64, word: u64) {
        let mask = self.index.len() - 1;
        let mut slot = hash as usize & mask;
        while self.index[slot] != 0 {
            slot = (slot + 1) & mask;
        }
        self.index[slot] = word;
    }

    fn merge(&mut self) {
        let mut run = std::mem::replace(&mut self.newest, Vec::with_capacity(NEWEST));
        while let Some(older) = self.merged.pop_if(|older| older.len() <= run.len()) {
            run = merged(&older, &run);
        }
        self.merged.push(run);
    }
}

fn merged(one: &[Item], other: &[Item]) -> Vec<Item> {
    let mut all = Vec::with_capacity(one.len() + other.len());
    let (mut i, mut k) = (0, 0);
    while i < one.len() && k < other.len() {
        // Without a branch that cannot be foreseen.
        let first = one[i].0 <= other[k].0;
        all.push(if first { one[i] } else { other[k] });
        i += usize::from(first);
        k += usize::from(!first);
    }
    all.extend_from_slice(&one[i..]);
    all.extend_from_slice(&other[k..]);
    all
}

/// Enough of a key to tell those of the bench apart: what the tree finds out, this one is told.
fn prefix(key: &[u8; 16]) -> u64 {
    let (front, back) = key.split_at(8);
    let number = |bytes: &[u8]| u64::from_be_bytes(bytes.try_into().expect("eight bytes"));
    if front == b"00000000" { number(back) } else { number(front) }
}
