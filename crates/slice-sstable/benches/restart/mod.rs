//! The layout that was not chosen: entries one behind the other, each key cut by what it shares with the one before,
//! and whole every 16 entries. That of LevelDB's `table_format.md`.
//!
//! ```text
//!   entry    | shared varint | unshared varint | value length varint | key suffix | trailer u64 | value |
//!   block    | entry ... | restart offset u32 ... | restart count u32 |
//! ```
//!
//! Only to be measured against: it trusts its bytes.

use std::cmp::Ordering;

use slice_types::coding::{Decoder, put_varint};
use slice_types::{EntryRef, Trailer, internal_cmp};

const RESTART_INTERVAL: usize = 16;

#[derive(Default)]
pub(crate) struct RestartBuilder {
    bytes: Vec<u8>,
    restarts: Vec<u32>,
    last_key: Vec<u8>,
    count: usize,
}

impl RestartBuilder {
    pub(crate) fn add(&mut self, entry: EntryRef<'_>) {
        let shared = if self.count.is_multiple_of(RESTART_INTERVAL) {
            self.restarts.push(self.bytes.len() as u32);
            0
        } else {
            self.last_key.iter().zip(entry.key).take_while(|(l, r)| l == r).count()
        };
        put_varint(&mut self.bytes, shared as u64);
        put_varint(&mut self.bytes, (entry.key.len() - shared) as u64);
        put_varint(&mut self.bytes, entry.value.len() as u64);
        self.bytes.extend_from_slice(&entry.key[shared..]);
        self.bytes.extend_from_slice(&entry.trailer.to_u64().to_le_bytes());
        self.bytes.extend_from_slice(entry.value);
        self.last_key.truncate(shared);
        self.last_key.extend_from_slice(&entry.key[shared..]);
        self.count += 1;
    }

    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes);
        for restart in &self.restarts {
            out.extend_from_slice(&restart.to_le_bytes());
        }
        out.extend_from_slice(&(self.restarts.len() as u32).to_le_bytes());
        self.bytes.clear();
        self.restarts.clear();
        self.last_key.clear();
        self.count = 0;
    }
}

/// A place in a block, the entry decoded.
#[derive(Default)]
pub(crate) struct RestartCursor {
    /// Where the next entry begins.
    next: usize,
    key: Vec<u8>,
    trailer: Option<Trailer>,
    value: std::ops::Range<usize>,
}

impl RestartCursor {
    /// Moves to the first entry at or after `(key, trailer)`.
    pub(crate) fn seek(&mut self, block: &[u8], key: &[u8], trailer: Trailer) {
        let (mut low, mut high) = (0, restart_count(block));
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match restart_order(block, middle, key, trailer) {
                Ordering::Less => low = middle,
                _ => high = middle,
            }
        }
        self.next = restart(block, low);
        self.key.clear();
        while self.step(block) {
            let at = self.trailer.map(|own| internal_cmp((&self.key, own), (key, trailer)));
            if at != Some(Ordering::Less) {
                return;
            }
        }
    }

    pub(crate) fn seek_to_first(&mut self) {
        self.next = 0;
        self.key.clear();
    }

    /// Decodes the next entry.
    pub(crate) fn step(&mut self, block: &[u8]) -> bool {
        let entries_end = block.len() - 4 - 4 * restart_count(block);
        if self.next >= entries_end {
            return false;
        }
        let mut entry = Decoder::new(&block[self.next..entries_end]);
        let (shared, unshared, value_len) = lengths(&mut entry);
        self.key.truncate(shared);
        self.key.extend_from_slice(entry.take(unshared).unwrap());
        self.trailer = Trailer::from_u64(entry.u64().unwrap());
        let value = self.next + entry.position();
        self.value = value..value + value_len;
        self.next = self.value.end;
        true
    }

    pub(crate) fn entry<'a>(&'a self, block: &'a [u8]) -> Option<EntryRef<'a>> {
        Some(EntryRef::new(&self.key, self.trailer?, &block[self.value.clone()]))
    }
}

/// Most often each length takes one byte: LevelDB's `DecodeEntry` has the same shortcut.
fn lengths(entry: &mut Decoder<'_>) -> (usize, usize, usize) {
    if let Some(&[shared, unshared, value_len]) = entry.rest().first_chunk::<3>()
        && (shared | unshared | value_len) < 0x80
    {
        entry.take(3).unwrap();
        return (usize::from(shared), usize::from(unshared), usize::from(value_len));
    }
    let mut one = || entry.varint().unwrap() as usize;
    (one(), one(), one())
}

fn restart_count(block: &[u8]) -> usize {
    u32::from_le_bytes(*block.last_chunk::<4>().unwrap()) as usize
}

fn restart(block: &[u8], i: usize) -> usize {
    let at = block.len() - 4 - 4 * (restart_count(block) - i);
    u32::from_le_bytes(*block[at..].first_chunk::<4>().unwrap()) as usize
}

fn restart_order(block: &[u8], i: usize, key: &[u8], trailer: Trailer) -> Ordering {
    let mut entry = Decoder::new(&block[restart(block, i)..]);
    let (_, unshared, _) = lengths(&mut entry);
    let own_key = entry.take(unshared).unwrap();
    let own_trailer = Trailer::from_u64(entry.u64().unwrap()).unwrap();
    internal_cmp((own_key, own_trailer), (key, trailer))
}
