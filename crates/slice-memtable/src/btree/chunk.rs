//! Memory that is filled from its front, by one writer, and read by anyone up to where it is filled.
//!
//! ```text
//!   | entry | entry | entry |             free             |
//!   0                       filled                         capacity
//!     anyone reads, nobody      the appender writes, nobody
//!     writes, for good          reads
//! ```
//!
//! Invariant: bytes below `filled` are initialized and do not change while the chunk lives; bytes at `filled` and above are
//! touched by the one [`Appender`] only. `filled` never falls.
#![expect(unsafe_code, reason = "one writer and many readers share memory that is being filled")]

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::pages::Pages;
use crate::primitives::{AtomicUsize, Watched};

/// What an entry begins at a multiple of, in bytes: the numbers of entries count in these.
pub(super) const GRANULE: usize = 8;

/// A chunk: what its appender has written so far.
pub(super) struct Chunk {
    pages: Pages,
    filled: AtomicUsize,
    watched: Watched,
}

// SAFETY: the chunk owns its pages, and it does not matter which thread frees them.
unsafe impl Send for Chunk {}
// SAFETY: through `&Chunk` one reaches the bytes below `filled` only. These were written before `filled` was stored with
// `Release`, and it is loaded with `Acquire`, so the writes happened before any read; and nobody writes to them again,
// since the appender writes at `filled` and above.
unsafe impl Sync for Chunk {}

/// The right to append to a chunk. There is one for each chunk: it is made with the chunk, and is not `Clone`.
pub(super) struct Appender {
    chunk: Arc<Chunk>,
    /// What the chunk's `filled` is; nobody else changes that.
    filled: usize,
}

impl Chunk {
    /// A chunk of this many bytes, rounded up to granules, and who may append to it.
    pub(super) fn new(capacity: usize) -> (Arc<Self>, Appender) {
        let pages = Pages::new(capacity, GRANULE);
        let watched = Watched::new(pages.len() / GRANULE);
        let chunk = Arc::new(Self { pages, filled: AtomicUsize::new(0), watched });
        (Arc::clone(&chunk), Appender { chunk, filled: 0 })
    }

    /// How many bytes it can hold.
    pub(super) const fn capacity(&self) -> usize {
        self.pages.len()
    }

    /// All that was appended by now.
    #[inline]
    pub(super) fn filled(&self) -> &[u8] {
        let filled = self.filled.load(Ordering::Acquire);
        self.watched.read(0..filled / GRANULE);
        // SAFETY: the chunk owns `capacity` bytes at the start of its pages, and `filled` is no more than that. The bytes below it are
        // initialized and do not change while the chunk lives (the invariant above), so not while the slice does. They were
        // written before `filled` was stored with `Release`, and it was loaded with `Acquire`: on whatever thread this is,
        // the writes happened before.
        unsafe { std::slice::from_raw_parts(self.pages.start().as_ptr(), filled) }
    }
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        self.filled()
    }
}

impl Appender {
    /// Whether so many bytes more have room.
    pub(super) fn has_room(&self, len: usize) -> bool {
        len.next_multiple_of(GRANULE) <= self.chunk.capacity() - self.filled
    }

    /// Puts these behind all that is there, in one piece, and gives the place.
    ///
    /// # Panics
    ///
    /// When there is no room.
    pub(super) fn append(&mut self, parts: [&[u8]; 3]) -> usize {
        let at = self.filled;
        let len = parts.iter().map(|part| part.len()).sum::<usize>();
        assert!(self.has_room(len), "{len} bytes are appended to a chunk without room for them");
        let end = at + len.next_multiple_of(GRANULE);
        self.chunk.watched.write(at / GRANULE..end / GRANULE);
        let mut to = at;
        for part in parts.into_iter().chain([&[0; GRANULE][..end - at - len]]) {
            // SAFETY: `to + part.len()` is at most `end`, which is at most the capacity, by the assertion above: the place
            // is within the chunk's memory. It is above `filled`, so no reader has a reference to it; and `part` is not
            // in it, being a slice of initialized memory. There is one appender, and `&mut self` has it alone.
            unsafe {
                self.chunk.pages.start().as_ptr().add(to).copy_from_nonoverlapping(part.as_ptr(), part.len());
            }
            to += part.len();
        }
        self.filled = end;
        self.chunk.filled.store(end, Ordering::Release);
        at
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunk").field("filled", &self.filled().len()).field("of", &self.capacity()).finish()
    }
}

#[cfg(all(test, not(slice_loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_is_read_and_padded_with_zeros() {
        let (chunk, mut appender) = Chunk::new(64);
        assert_eq!(chunk.filled(), b"");
        assert_eq!(appender.append([b"a", b"bc", b""]), 0);
        let early = chunk.filled();
        assert_eq!(appender.append([b"12345678", b"", b"9"]), 8);
        assert_eq!(early, b"abc\0\0\0\0\0");
        assert_eq!(chunk.filled(), b"abc\0\0\0\0\x00123456789\0\0\0\0\0\0\0");
    }

    #[test]
    fn a_chunk_is_filled_to_the_last_byte_and_not_beyond() {
        let (chunk, mut appender) = Chunk::new(20);
        assert_eq!(chunk.capacity(), 24);
        appender.append([&[1; 16], &[2; 8], b""]);
        assert!(appender.has_room(0) && !appender.has_room(1));
        assert_eq!(chunk.filled().len(), 24);
    }

    #[test]
    #[should_panic(expected = "without room")]
    fn an_append_without_room_is_refused() {
        Chunk::new(8).1.append([b"123456789", b"", b""]);
    }

    #[test]
    fn a_chunk_outlives_its_appender() {
        let (chunk, mut appender) = Chunk::new(1000);
        appender.append([b"value", b"", b""]);
        drop(appender);
        assert_eq!(&chunk.filled()[..5], b"value");
    }
}
