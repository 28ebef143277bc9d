//! Where the bytes of keys and values lie: one after another in chunks, so that an entry costs no allocation of its own.
//!
//! ```text
//!   chunk:  [ key value | key value | key value |        free         ]     1 KiB, doubling with the arena to 256 KiB
//!   large:  [ key value ]                                                   over 32 KiB: allocated to measure
//! ```
//!
//! A stored entry is a [`Bytes`] that shares its chunk, so the arena needs no unsafe code and no say in when a chunk is
//! freed. A chunk that cannot take the next entry is left with its rest unused; since what is large is kept out of the
//! chunks, that is an eighth of a full-grown chunk at most. The idea is LevelDB's (`util/arena.cc`).

use bytes::{Bytes, BytesMut};

/// The size of the first chunk, in bytes. Small, because an idle keyspace has a memtable as well.
const CHUNK_MIN: usize = 1024;
/// The size that chunks grow to, in bytes.
const CHUNK_MAX: usize = 256 * 1024;
/// An entry over this many bytes gets memory of its own.
const LARGE: usize = CHUNK_MAX / 8;
/// What `bytes` allocates to share one chunk, and the allocator's own header on the two.
const CHUNK_OVERHEAD: usize = 64;

/// A bump allocator that hands out [`Bytes`].
#[derive(Debug, Default)]
pub(crate) struct Arena {
    /// Empty, with the rest of the newest chunk as its capacity.
    chunk: BytesMut,
    allocated: usize,
}

impl Arena {
    /// Stores `key` and `value`, one behind the other.
    pub(crate) fn store(&mut self, key: &[u8], value: &[u8]) -> Bytes {
        let len = key.len() + value.len();
        if len > LARGE {
            return append(&mut self.allocate(len), key, value);
        }
        if self.chunk.capacity() < len {
            let size = self.allocated.clamp(CHUNK_MIN, CHUNK_MAX).max(len);
            self.chunk = self.allocate(size);
        }
        append(&mut self.chunk, key, value)
    }

    /// All memory that was ever taken, in bytes. Nothing is given back before the arena and its entries are dropped.
    pub(crate) const fn allocated(&self) -> usize {
        self.allocated
    }

    fn allocate(&mut self, size: usize) -> BytesMut {
        self.allocated += size + CHUNK_OVERHEAD;
        BytesMut::with_capacity(size)
    }
}

/// Takes the front of `chunk`, which has room, for `key` and `value`.
///
/// It splits even where the entry is all of the chunk: the shared form is made here, and not by the first reader.
fn append(chunk: &mut BytesMut, key: &[u8], value: &[u8]) -> Bytes {
    chunk.extend_from_slice(key);
    chunk.extend_from_slice(value);
    chunk.split().freeze()
}

#[cfg(test)]
mod tests;
