//! Stands on an entry of a block.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use std::ops::Range;

use bytes::Bytes;
use slice_types::{EntryRef, Trailer};

use super::Block;

/// A place in a block, or nowhere. Holds the entry's key in one piece, in memory that it reuses.
#[derive(Debug, Default)]
pub struct BlockCursor {
    place: Option<Place>,
    key: Vec<u8>,
}

/// Invariant: `index` is an entry of `block`, and the cursor's key, `trailer` and `value` are that entry's.
#[derive(Debug)]
struct Place {
    block: Block,
    index: usize,
    trailer: Trailer,
    /// Where the key's suffix ends in the block, and the next one begins.
    suffix_end: usize,
    value: Range<usize>,
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
        self.key.clear();
        self.key.extend_from_slice(block.shared());
        let mut place = Place { block, index, trailer: Trailer::LAST, suffix_end: 0, value: 0..0 };
        place.move_to(index, &mut self.key);
        self.place = Some(place);
    }

    /// Leaves the block, and gives it back.
    pub fn leave(&mut self) -> Option<Block> {
        self.place.take().map(|place| place.block)
    }

    /// The entry that it stands on.
    #[inline]
    pub fn entry(&self) -> Option<EntryRef<'_>> {
        let place = self.place.as_ref()?;
        Some(EntryRef::new(&self.key, place.trailer, place.block.slice(place.value.clone())))
    }

    /// The value of that entry, sharing the block's memory.
    pub fn value_bytes(&self) -> Option<Bytes> {
        self.place.as_ref().map(|place| place.block.share(place.value.clone()))
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
            place.move_to(place.index - 1, &mut self.key);
        }
        has_prev
    }
}

impl Place {
    /// Moves to any entry of the block. `key` begins with the shared prefix; the rest is replaced.
    #[inline]
    fn move_to(&mut self, index: usize, key: &mut Vec<u8>) {
        let (suffix, value) = (self.block.suffix_range(index), self.block.value_range(index));
        self.stand(index, suffix, value, key);
    }

    /// Moves to the following entry, which begins where this one ends.
    #[inline]
    fn move_next(&mut self, key: &mut Vec<u8>) {
        let index = self.index + 1;
        let suffix = self.suffix_end..self.block.suffix_end(index);
        let value = self.value.end..self.block.value_end(index);
        self.stand(index, suffix, value, key);
    }

    #[inline]
    fn stand(&mut self, index: usize, suffix: Range<usize>, value: Range<usize>, key: &mut Vec<u8>) {
        key.truncate(self.block.shared_len as usize);
        self.suffix_end = suffix.end;
        key.extend_from_slice(self.block.slice(suffix));
        self.index = index;
        self.trailer = self.block.trailer(index);
        self.value = value;
    }
}
