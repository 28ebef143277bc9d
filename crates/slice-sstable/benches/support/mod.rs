//! Entries to measure with: values of 100 bytes that compress to about half.

use slice_types::{EntryKind, EntryRef, SeqNo, Trailer};

/// An entry with everything in its own memory.
pub(crate) struct Entry {
    pub(crate) key: Vec<u8>,
    pub(crate) trailer: Trailer,
    pub(crate) value: Vec<u8>,
}

impl Entry {
    pub(crate) fn as_ref(&self) -> EntryRef<'_> {
        EntryRef::new(&self.key, self.trailer, &self.value)
    }
}

/// The key of a number, 16 decimal digits. Keys sort as their numbers do.
pub(crate) fn decimal16(n: u64) -> Vec<u8> {
    format!("{n:016}").into_bytes()
}

/// SplitMix64 (Steele, Lea, Flood 2014): good enough to spread things, and the same on every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

/// `count` entries in order. Keys are 37 apart; sequence numbers are those of a random fill of two million keys.
pub(crate) fn entries(key: fn(u64) -> Vec<u8>, count: usize) -> Vec<Entry> {
    let mut random = Random(1);
    (0..count as u64)
        .map(|i| Entry {
            key: key(i * 37),
            trailer: Trailer::new(SeqNo::new(random.next() % 2_000_000), EntryKind::Put),
            value: value(&mut random),
        })
        .collect()
}

/// 100 bytes: 50 random ones, twice.
fn value(random: &mut Random) -> Vec<u8> {
    let half: Vec<u8> = (0..50).map(|_| random.next() as u8).collect();
    [half.as_slice(), &half].concat()
}
