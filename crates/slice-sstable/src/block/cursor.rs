//! Stands on an entry of a block.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use std::ops::Range;
use std::sync::OnceLock;

use bytes::Bytes;
use slice_types::{EntryRef, Trailer, key_prefix};

use super::search::prefix_of;
use super::{Block, share};

/// The bytes of a key that [`key_prefix`] takes.
const PREFIX_LEN: usize = 16;

/// A place in a block, or nowhere. Holds the entry's key in one piece, in memory that it reuses.
#[derive(Debug, Default)]
pub struct BlockCursor {
    place: Option<Place>,
    key: KeyBuffer,
}

/// Invariant: `index` is an entry of `block`, and all that is here, and the cursor's key, are that entry's.
#[derive(Debug)]
struct Place {
    block: Block,
    index: usize,
    trailer: Trailer,
    /// Where the key's suffix lies in the block.
    suffix: Range<usize>,
    value: Range<usize>,
    /// The prefix of what all keys of the block share.
    shared: u128,
    /// The prefix of the key.
    prefix: u128,
    /// The block's bytes, once a value of it was shared.
    bytes: OnceLock<Bytes>,
}

impl BlockCursor {
    /// A cursor that stands nowhere.
    pub fn new() -> Self {
        Self::default()
    }

    /// Enters a block at entry `index`, and stands nowhere when there is no such entry.
    pub fn enter(&mut self, block: Block, index: usize) {
        self.place = None;
        if index >= block.count() {
            return;
        }
        let view = block.view();
        self.key.start();
        let (suffix, value) = (view.suffix_range(index), view.value_range(index));
        let shared = key_prefix(view.shared());
        let place = Place {
            block,
            index,
            trailer: Trailer::LAST,
            suffix: 0..0,
            value: 0..0,
            shared,
            prefix: 0,
            bytes: OnceLock::new(),
        };
        self.place.insert(place).stand(index, suffix, value, &mut self.key);
    }

    /// Leaves the block, and gives it back.
    pub fn leave(&mut self) -> Option<Block> {
        self.place.take().map(|place| place.block)
    }

    /// The entry that it stands on.
    #[inline]
    pub fn entry(&self) -> Option<EntryRef<'_>> {
        let place = self.place.as_ref()?;
        let value = place.block.view().slice(place.value.clone());
        Some(EntryRef::new(self.key.get(), place.trailer, value))
    }

    /// The [`key_prefix`] of that entry.
    #[inline]
    pub fn prefix(&self) -> Option<u128> {
        self.place.as_ref().map(|place| place.prefix)
    }

    /// The value of that entry, sharing the block's memory.
    #[inline]
    pub fn value_bytes(&self) -> Option<Bytes> {
        let place = self.place.as_ref()?;
        Some(share(place.bytes.get_or_init(|| place.block.to_bytes()), place.value.clone()))
    }

    /// Moves to the following entry of the block. `false`, and nothing moved, when there is none.
    #[inline]
    pub fn next_in_block(&mut self) -> bool {
        let Some(place) = &mut self.place else { return false };
        let has_next = place.index + 1 < place.block.count();
        if has_next {
            place.move_next(&mut self.key);
        }
        has_next
    }

    /// Moves to the preceding entry of the block. `false`, and nothing moved, when there is none.
    #[inline]
    pub fn prev_in_block(&mut self) -> bool {
        let Some(place) = &mut self.place else { return false };
        let has_prev = place.index > 0;
        if has_prev {
            place.move_prev(&mut self.key);
        }
        has_prev
    }

    /// Whether the preceding entry of the block is of another key; `false` when there is none.
    #[inline]
    pub fn is_newest_in_block(&self) -> bool {
        self.place.as_ref().is_some_and(|place| place.index > 0 && place.differs_from_preceding())
    }
}

impl Place {
    /// Moves to the following entry, which begins where this one ends.
    #[inline]
    fn move_next(&mut self, key: &mut KeyBuffer) {
        let (block, index) = (self.block.view(), self.index + 1);
        let suffix = self.suffix.end..block.suffix_end(index);
        let value = self.value.end..block.value_end(index);
        self.stand(index, suffix, value, key);
    }

    /// Moves to the preceding entry, which ends where this one begins.
    #[inline]
    fn move_prev(&mut self, key: &mut KeyBuffer) {
        let (block, index) = (self.block.view(), self.index - 1);
        let suffix = block.suffix_start(index)..self.suffix.start;
        let value = block.value_start(index)..self.value.start;
        self.stand(index, suffix, value, key);
    }

    #[inline]
    fn stand(&mut self, index: usize, suffix: Range<usize>, value: Range<usize>, key: &mut KeyBuffer) {
        let block = self.block.view();
        let shared_len = block.layout.shared_len as usize;
        let own = prefix_of(block.bytes, suffix.clone());
        self.prefix = self.shared | own.checked_shr(8 * shared_len as u32).unwrap_or(0);
        if shared_len + suffix.len() <= PREFIX_LEN {
            key.set_short(self.prefix, shared_len + suffix.len());
        } else {
            key.set_long(block.shared(), block.slice(suffix.clone()));
        }
        self.index = index;
        self.trailer = block.trailer(index);
        self.suffix = suffix;
        self.value = value;
    }

    #[inline]
    fn differs_from_preceding(&self) -> bool {
        let (block, bytes) = (self.block.view(), self.block.as_ref());
        let before = block.suffix_start(self.index - 1)..self.suffix.start;
        before.len() != self.suffix.len()
            || prefix_of(bytes, before.clone()) != prefix_of(bytes, self.suffix.clone())
            || (before.len() > PREFIX_LEN && block.slice(before) != block.slice(self.suffix.clone()))
    }
}

/// A key in one piece. Allocates nothing for short ones.
#[derive(Debug, Default)]
struct KeyBuffer {
    len: usize,
    /// A key of up to sixteen bytes, with zeros behind it.
    short: [u8; PREFIX_LEN],
    /// A longer one.
    long: Vec<u8>,
    /// Whether `long` begins with what the keys of the block share.
    has_shared: bool,
}

impl KeyBuffer {
    #[inline]
    fn get(&self) -> &[u8] {
        self.short.get(..self.len).unwrap_or(&self.long)
    }

    /// Begins another block.
    #[inline]
    fn start(&mut self) {
        self.has_shared = false;
    }

    /// Takes a key of up to sixteen bytes, which its prefix says all of.
    #[inline]
    fn set_short(&mut self, prefix: u128, len: usize) {
        self.short = prefix.to_be_bytes();
        self.len = len;
    }

    #[inline]
    fn set_long(&mut self, shared: &[u8], suffix: &[u8]) {
        if self.has_shared {
            self.long.truncate(shared.len());
        } else {
            self.long.clear();
            self.long.extend_from_slice(shared);
            self.has_shared = true;
        }
        self.long.extend_from_slice(suffix);
        self.len = self.long.len();
    }
}
