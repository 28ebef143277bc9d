//! A filter that can be asked.
//!
//! It keeps the bytes as they are on disk, shifted in their buffer so that the lines start at a multiple of 64:
//!
//! ```text
//!   buffer:  | padding, 0 to 63 B | header, 24 B | line 0 | line 1 | ... | checksum, 8 B |
//!            ^ wherever the allocator put it     ^ a multiple of 64: each line is one cache line
//!                                 |<--------------- as_bytes ---------------------------->|
//! ```
//!
//! Invariant: the buffer holds a filter that [`format::decode`] accepts, or that the builder wrote, and never grows
//! (growing may move it off its alignment, which costs time and nothing else).

use std::fmt;

use crate::Error;
use crate::format::{self, HEADER_LEN, Header};
use crate::probe::{LINE_BITS, LINE_LEN, all_set, hash_key, line_of};

/// A set of keys that may say yes to a key it does not contain, and never says no to one that it does.
///
/// It does not change, so threads can share it without a lock. A question touches one cache line.
pub struct BloomFilter {
    buffer: Vec<u8>,
    start: usize,
    header: Header,
}

impl BloomFilter {
    /// The filter with these bytes, which a [`FilterBuilder`](crate::FilterBuilder) made.
    ///
    /// Copies them once, unless they happen to be aligned.
    ///
    /// # Errors
    ///
    /// When they are not the bytes of a filter, or not all of them, or were changed: see [`Error`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, Error> {
        let header = format::decode(&bytes)?;
        if padding(&bytes) == 0 {
            return Ok(Self { buffer: bytes, start: 0, header });
        }
        Ok(Self::new_aligned(header, |buffer| buffer.extend_from_slice(&bytes)))
    }

    /// [`from_bytes`](Self::from_bytes) of bytes that somebody else keeps.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn copied_from(bytes: &[u8]) -> Result<Self, Error> {
        let header = format::decode(bytes)?;
        Ok(Self::new_aligned(header, |buffer| buffer.extend_from_slice(bytes)))
    }

    /// A filter whose bytes `write` appends to an aligned buffer.
    pub(crate) fn new_aligned(header: Header, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        let len = header.filter_len();
        let mut buffer = Vec::with_capacity(len + LINE_LEN - 1);
        let start = padding(&buffer);
        buffer.resize(start, 0);
        write(&mut buffer);
        assert_eq!(buffer.len(), start + len, "a filter is as long as its header says");
        Self { buffer, start, header }
    }

    /// The bytes of the filter, as [`build`](crate::FilterBuilder::build) makes them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Whether the key may be among those that were added. If not, it certainly is not.
    #[inline]
    pub fn may_contain(&self, key: &[u8]) -> bool {
        self.may_contain_hash(hash_key(key))
    }

    /// [`may_contain`](Self::may_contain) for a key that was hashed already, with [`hash_key`] if it was added by
    /// [`add`](crate::FilterBuilder::add).
    #[inline]
    pub fn may_contain_hash(&self, hash: u64) -> bool {
        let (lines, _checksum) = self.buffer[self.start + HEADER_LEN..].as_chunks::<LINE_LEN>();
        // A filter of no keys has no line.
        lines.get(line_of(hash, lines.len())).is_some_and(|line| all_set(line, hash, self.header.probes))
    }

    /// The number of keys that the filter was made of, those that were repeated in a row counted once.
    pub fn len(&self) -> u64 {
        self.header.keys
    }

    /// Whether the filter was made of no keys, and so contains nothing.
    pub fn is_empty(&self) -> bool {
        self.header.keys == 0
    }

    /// The number of bits that a key has in its line.
    pub fn num_probes(&self) -> u32 {
        self.header.probes
    }

    /// The bits in the lines for each key: at least what the builder was asked for. Without keys it is 0.
    pub fn bits_per_key(&self) -> f64 {
        if self.is_empty() {
            return 0.0;
        }
        (self.header.lines * LINE_BITS) as f64 / self.header.keys as f64
    }

    /// The bytes of memory that the filter takes, itself included.
    pub fn memory_used(&self) -> usize {
        size_of::<Self>() + self.buffer.capacity()
    }
}

/// A copy has to be aligned by itself, so this is not derived.
impl Clone for BloomFilter {
    fn clone(&self) -> Self {
        Self::new_aligned(self.header, |buffer| buffer.extend_from_slice(self.as_bytes()))
    }
}

impl fmt::Debug for BloomFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BloomFilter")
            .field("keys", &self.header.keys)
            .field("lines", &self.header.lines)
            .field("probes", &self.header.probes)
            .finish_non_exhaustive()
    }
}

/// How many bytes have to come before a filter at the front of this buffer, for its lines to be aligned.
fn padding(buffer: &[u8]) -> usize {
    let lines = buffer.as_ptr().addr() + HEADER_LEN;
    lines.next_multiple_of(LINE_LEN) - lines
}
