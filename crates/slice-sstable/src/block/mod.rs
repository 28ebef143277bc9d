//! A block: some entries, in columns, so that a search reads keys where they lie.
//!
//! ```text
//!   0       4           8        9          10          11        12         16           20           28
//!   +-------+-----------+--------+----------+-----------+---------+----------+------------+------------+
//!   | count | shared    | key    | value    | trailer   | trailer | key step | value step | trailer    |
//!   |  u32  | len  u32  | width  | width u8 | width  u8 | shift   |   u32    |    u32     | base   u64 |
//!   +-------+-----------+--------+----------+-----------+---------+----------+------------+------------+
//!   | shared prefix of all keys                                                                        |
//!   +--------------------------------------------------------------------------------------------------+
//!   | ends of the key suffixes: count residuals | ends of the values: the same | trailers: the same    |
//!   +--------------------------------------------------------------------------------------------------+
//!   | key suffixes, end to end                  | values, end to end                                   |
//!   +--------------------------------------------------------------------------------------------------+
//! ```
//!
//! Little-endian. A residual is what a number differs from a straight line (the `column` module says how). The
//! entries are in internal order.
//!
//! In memory a block is one allocation, so that a search that finds it in no processor's cache waits for it once:
//!
//! ```text
//!   | count of users | Layout: the header, and where each part begins | length | the bytes above |
//! ```
//!
//! Invariant: a [`Block`] has been validated. Its ends ascend and lie inside it, its kinds are known. What is read
//! from it later needs no check, and cannot panic. The order of its keys is not validated: its checksum vouches for
//! what a builder wrote, and [`Table::verify`](crate::Table::verify) looks.
//!
//! Why columns and not restart points: `docs/decisions/0002-block-layout.md`.

mod builder;
mod column;
mod cursor;
mod decode;
mod search;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use slice_types::Trailer;
use triomphe::ThinArc;

pub use builder::BlockBuilder;
pub use cursor::BlockCursor;

use column::Column;

/// The fixed part of a block, in bytes.
const HEADER_LEN: usize = 28;

/// A decoded and validated block. A clone shares the memory.
#[derive(Clone)]
pub struct Block(SharedBlock);

/// A [`Block`] as a block store keeps it: one counted pointer.
pub type SharedBlock = ThinArc<Layout, u8>;

/// Where the parts of a block are. Made by [`Block::decode`] alone.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    count: u32,
    shared_len: u32,
    /// Where the key suffixes begin.
    suffixes: u32,
    /// Where the values begin.
    values: u32,
    key_ends: Column,
    value_ends: Column,
    trailers: Column,
}

/// A block that somebody else holds.
#[derive(Clone, Copy)]
pub(crate) struct BlockRef<'a> {
    layout: &'a Layout,
    bytes: &'a [u8],
}

impl Block {
    /// The block that a store has kept.
    pub fn from_shared(shared: SharedBlock) -> Self {
        Self(shared)
    }

    /// The block as a store keeps it.
    pub fn shared(&self) -> &SharedBlock {
        &self.0
    }

    /// How many entries there are: at least one.
    #[inline]
    pub fn count(&self) -> usize {
        self.view().count()
    }

    /// The trailer of entry `i`.
    #[inline]
    pub fn trailer(&self, i: usize) -> Trailer {
        self.view().trailer(i)
    }

    /// The value of entry `i`.
    #[inline]
    pub fn value(&self, i: usize) -> &[u8] {
        self.view().value(i)
    }

    /// The value of entry `i`, sharing the block's memory.
    pub fn value_bytes(&self, i: usize) -> Bytes {
        share(&self.to_bytes(), self.view().value_range(i))
    }

    /// Appends the key of entry `i` to `key`.
    pub fn key_into(&self, i: usize, key: &mut Vec<u8>) {
        key.extend_from_slice(self.view().shared());
        key.extend_from_slice(self.view().suffix(i));
    }

    /// The first entry at or after `(key, trailer)`, or [`count`](Block::count) when all stand before.
    #[inline]
    pub fn lower_bound(&self, key: &[u8], trailer: Trailer) -> usize {
        self.view().lower_bound(key, trailer)
    }

    /// The first entry after `(key, trailer)`, or [`count`](Block::count) when there is none.
    #[inline]
    pub fn upper_bound(&self, key: &[u8], trailer: Trailer) -> usize {
        self.view().upper_bound(key, trailer)
    }

    /// Whether entry `i` is a version of `key`.
    #[inline]
    pub fn has_key(&self, i: usize, key: &[u8]) -> bool {
        self.view().has_key(i, key)
    }

    #[inline]
    pub(crate) fn view(&self) -> BlockRef<'_> {
        BlockRef::of(&self.0)
    }

    /// All bytes of the block, sharing its memory.
    pub(crate) fn to_bytes(&self) -> Bytes {
        Bytes::from_owner(self.clone())
    }
}

impl AsRef<[u8]> for Block {
    fn as_ref(&self) -> &[u8] {
        &self.0.slice
    }
}

impl<'a> BlockRef<'a> {
    #[inline]
    pub(crate) fn of(shared: &'a SharedBlock) -> Self {
        Self::new(&shared.header.header, &shared.slice)
    }

    /// The block in these bytes, whose layout this is.
    #[inline]
    pub(crate) fn new(layout: &'a Layout, bytes: &'a [u8]) -> Self {
        Self { layout, bytes }
    }

    #[inline]
    pub(crate) fn count(self) -> usize {
        self.layout.count as usize
    }

    /// The trailer of entry `i`.
    #[inline]
    pub(crate) fn trailer(self, i: usize) -> Trailer {
        // Every kind was checked when the block was decoded.
        Trailer::from_u64(self.layout.trailers.get(self.bytes, i)).unwrap_or(Trailer::LAST)
    }

    /// The value of entry `i`.
    #[inline]
    pub(crate) fn value(self, i: usize) -> &'a [u8] {
        self.slice(self.value_range(i))
    }

    /// What all keys begin with.
    #[inline]
    fn shared(self) -> &'a [u8] {
        self.slice(HEADER_LEN..HEADER_LEN + self.layout.shared_len as usize)
    }

    /// What the key of entry `i` goes on with.
    #[inline]
    fn suffix(self, i: usize) -> &'a [u8] {
        self.slice(self.suffix_range(i))
    }

    #[inline]
    fn suffix_range(self, i: usize) -> Range<usize> {
        if let Some(len) = self.layout.key_ends.equal_len() {
            let start = self.layout.suffixes as usize + i * len;
            return start..start + len;
        }
        self.suffix_start(i)..self.suffix_end(i)
    }

    #[inline]
    fn suffix_start(self, i: usize) -> usize {
        i.checked_sub(1).map_or(self.layout.suffixes as usize, |before| self.suffix_end(before))
    }

    #[inline]
    fn suffix_end(self, i: usize) -> usize {
        self.layout.suffixes as usize + self.layout.key_ends.get(self.bytes, i) as usize
    }

    /// Where the value of entry `i` lies.
    #[inline]
    fn value_range(self, i: usize) -> Range<usize> {
        self.value_start(i)..self.value_end(i)
    }

    #[inline]
    fn value_start(self, i: usize) -> usize {
        i.checked_sub(1).map_or(self.layout.values as usize, |before| self.value_end(before))
    }

    #[inline]
    fn value_end(self, i: usize) -> usize {
        self.layout.values as usize + self.layout.value_ends.get(self.bytes, i) as usize
    }

    /// Bytes of the block. Every range was checked when it was decoded; beyond it there is nothing.
    #[inline]
    fn slice(self, range: Range<usize>) -> &'a [u8] {
        self.bytes.get(range).unwrap_or_default()
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block({} entries, {} bytes)", self.count(), self.0.slice.len())
    }
}

/// Bytes of a block as [`Block::to_bytes`] gives them.
///
/// Every range was checked when it was decoded; beyond it there is nothing.
#[inline]
pub(crate) fn share(bytes: &Bytes, range: Range<usize>) -> Bytes {
    if range.start <= range.end && range.end <= bytes.len() { bytes.slice(range) } else { Bytes::new() }
}

/// How many bytes two strings begin with in common.
pub(crate) fn common_prefix_len(left: &[u8], right: &[u8]) -> usize {
    left.iter().zip(right).take_while(|(l, r)| l == r).count()
}
