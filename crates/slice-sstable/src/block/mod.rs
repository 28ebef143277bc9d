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

pub use builder::BlockBuilder;
pub use cursor::BlockCursor;

use column::Column;

/// The fixed part of a block, in bytes.
const HEADER_LEN: usize = 28;

/// A decoded and validated block. A clone shares the bytes.
#[derive(Clone)]
pub struct Block {
    bytes: Bytes,
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

impl Block {
    /// How many entries there are: at least one.
    #[inline]
    pub fn count(&self) -> usize {
        self.count as usize
    }

    /// The memory that it holds, in bytes.
    pub fn memory_used(&self) -> usize {
        size_of::<Self>() + self.bytes.len()
    }

    /// The trailer of entry `i`.
    #[inline]
    pub fn trailer(&self, i: usize) -> Trailer {
        // Every kind was checked when the block was decoded.
        Trailer::from_u64(self.trailers.get(&self.bytes, i)).unwrap_or(Trailer::LAST)
    }

    /// The value of entry `i`.
    #[inline]
    pub fn value(&self, i: usize) -> &[u8] {
        self.slice(self.value_range(i))
    }

    /// The value of entry `i`, sharing the block's memory.
    #[inline]
    pub fn value_bytes(&self, i: usize) -> Bytes {
        self.share(self.value_range(i))
    }

    /// Appends the key of entry `i` to `key`.
    pub fn key_into(&self, i: usize, key: &mut Vec<u8>) {
        key.extend_from_slice(self.shared());
        key.extend_from_slice(self.suffix(i));
    }

    /// What all keys begin with.
    #[inline]
    fn shared(&self) -> &[u8] {
        self.slice(HEADER_LEN..HEADER_LEN + self.shared_len as usize)
    }

    /// What the key of entry `i` goes on with.
    #[inline]
    fn suffix(&self, i: usize) -> &[u8] {
        self.slice(self.suffix_range(i))
    }

    #[inline]
    fn suffix_range(&self, i: usize) -> Range<usize> {
        self.suffix_start(i)..self.suffix_end(i)
    }

    #[inline]
    fn suffix_start(&self, i: usize) -> usize {
        i.checked_sub(1).map_or(self.suffixes as usize, |before| self.suffix_end(before))
    }

    #[inline]
    fn suffix_end(&self, i: usize) -> usize {
        self.suffixes as usize + self.key_ends.get(&self.bytes, i) as usize
    }

    #[inline]
    fn value_range(&self, i: usize) -> Range<usize> {
        self.value_start(i)..self.value_end(i)
    }

    #[inline]
    fn value_start(&self, i: usize) -> usize {
        i.checked_sub(1).map_or(self.values as usize, |before| self.value_end(before))
    }

    #[inline]
    fn value_end(&self, i: usize) -> usize {
        self.values as usize + self.value_ends.get(&self.bytes, i) as usize
    }

    /// Bytes of the block. Every range was checked when it was decoded; beyond it there is nothing.
    #[inline]
    fn slice(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    #[inline]
    fn share(&self, range: Range<usize>) -> Bytes {
        if range.start <= range.end && range.end <= self.bytes.len() {
            self.bytes.slice(range)
        } else {
            Bytes::new()
        }
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block({} entries, {} bytes)", self.count, self.bytes.len())
    }
}

/// How many bytes two strings begin with in common.
pub(crate) fn common_prefix_len(left: &[u8], right: &[u8]) -> usize {
    left.iter().zip(right).take_while(|(l, r)| l == r).count()
}
