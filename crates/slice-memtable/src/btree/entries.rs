//! The entries themselves, one behind the other in the order in which they came, and never moved.
//!
//! ```text
//!   chunk:   [ entry | entry | ...        |  free  ]      1 KiB, a quarter of all so far, up to 2 MiB
//!   large:   [ entry ]                                    over 32 KiB: a chunk of its own
//!
//!   entry:   | trailer, u64 | lengths, u32 | key | value | zeros up to 8 |
//!   lengths: | of the value, 22 bits | of the key, 10 bits |      or all ones, and behind them | key, u32 | value, u32 |
//!   number:  | chunk, 14 bits | place in it in granules of 8 bytes, 18 bits |
//! ```
//!
//! All of an entry lies in one place, so a reader who has its number pays one cache miss, or two for a long one. Nothing
//! that is read here is trusted with more than the bounds of slices: a wrong number would give a wrong entry or a panic.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use slice_types::{EntryRef, Trailer};

use super::blocks::Blocks;
use super::chunk::{Appender, Chunk, GRANULE};
use super::pages::HUGE;

/// The size of the first chunk, in bytes.
const CHUNK_MIN: usize = 1 << 10;
/// The size that chunks grow to, in bytes.
const CHUNK_MAX: usize = HUGE;
/// An entry over this many bytes gets a chunk of its own.
const LARGE: usize = 32 << 10;
/// How much of a chunk is shared at a time, in bytes.
const PIECE: usize = 32 << 10;
/// A value up to this many bytes is copied where it cannot be shared yet.
const SMALL_VALUE: usize = 1 << 10;

/// What stands before a key: the trailer and the lengths, and of a long key or value the lengths again.
const HEADER: usize = size_of::<u64>() + size_of::<u32>();
const LONG_HEADER: usize = HEADER + 2 * size_of::<u32>();
const KEY_BITS: u32 = 10;
/// In place of the lengths, where one of them has too many bits.
const LONG: u32 = u32::MAX;
const PLACE_BITS: u32 = (CHUNK_MAX / GRANULE).ilog2();
/// How many chunks have a number.
const CHUNKS: usize = 1 << (u32::BITS - PLACE_BITS);

/// The number of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EntryId(u32);

impl EntryId {
    pub(super) const fn from_u32(word: u32) -> Self {
        Self(word)
    }

    pub(super) const fn to_u32(self) -> u32 {
        self.0
    }

    const fn chunk(self) -> usize {
        (self.0 >> PLACE_BITS) as usize
    }

    const fn place(self) -> usize {
        (self.0 & ((1 << PLACE_BITS) - 1)) as usize * GRANULE
    }
}

/// All entries, as readers see them.
pub(super) struct Entries {
    chunks: Blocks<Shared>,
}

/// The writer's part.
pub(super) struct Arena {
    /// Of the chunk before `next`, if that takes more.
    appender: Option<Appender>,
    /// The chunk that `appender` is of.
    current: usize,
    /// The chunks so far.
    chunks: usize,
    allocated: usize,
}

/// A chunk, and handles of it to give away.
#[derive(Default)]
struct Shared {
    chunk: OnceLock<Arc<Chunk>>,
    /// Whether nothing is appended any more.
    is_full: AtomicBool,
    /// The n-th is of the chunk at least up to the end of its n-th piece.
    handles: OnceLock<Box<[OnceLock<Bytes>]>>,
}

/// A chunk as the owner of what it holds by now.
struct Owner(Arc<Chunk>);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        self.0.filled()
    }
}

impl Entries {
    pub(super) const fn new() -> Self {
        Self { chunks: Blocks::new() }
    }

    /// The entry with this number.
    #[inline]
    pub(super) fn get(&self, id: EntryId) -> EntryRef<'_> {
        let bytes = &self.shared(id).chunk().filled()[id.place()..];
        let Header { trailer, len, key_len, value_len } = Header::read(bytes);
        let (key, rest) = bytes[len..].split_at(key_len);
        EntryRef::new(key, trailer, &rest[..value_len])
    }

    /// Reads from where the entry is, so that it comes into the cache, if it is as short as most are: 128 bytes, and no byte
    /// more, which would be a miss for nothing. None of the reads depends on another.
    #[inline]
    pub(super) fn touch(&self, id: EntryId) -> u8 {
        let bytes = &self.shared(id).chunk().filled()[id.place()..];
        [0, 64, 120].iter().filter_map(|at| bytes.get(*at)).fold(0, |all, byte| all | byte)
    }

    /// The entry's value, and its key as well, sharing the memory that they are in.
    pub(super) fn share(&self, id: EntryId) -> (Bytes, Bytes) {
        let shared = self.shared(id);
        let Header { len, key_len, value_len, .. } = Header::read(&shared.chunk().filled()[id.place()..]);
        let key = id.place() + len;
        let value = key + key_len;
        (shared.slice(key, key_len), shared.slice(value, value_len))
    }

    /// The entry's value, sharing the memory that it is in.
    #[inline]
    pub(super) fn share_value(&self, id: EntryId) -> Bytes {
        let shared = self.shared(id);
        let Header { len, key_len, value_len, .. } = Header::read(&shared.chunk().filled()[id.place()..]);
        shared.slice(id.place() + len + key_len, value_len)
    }

    #[inline]
    fn shared(&self, id: EntryId) -> &Shared {
        self.chunks.get(id.chunk()).expect("a chunk is there before anything refers to an entry in it")
    }
}

/// What stands before a key.
struct Header {
    trailer: Trailer,
    /// Its own length.
    len: usize,
    key_len: usize,
    value_len: usize,
}

impl Header {
    #[inline]
    fn read(entry: &[u8]) -> Self {
        let (trailer, rest) = entry.split_first_chunk().expect("an entry begins with its trailer");
        let trailer = Trailer::from_u64(u64::from_le_bytes(*trailer))
            .expect("an insert takes entries with a kind only");
        let (lengths, rest) = rest.split_first_chunk().expect("lengths are behind the trailer");
        let lengths = u32::from_le_bytes(*lengths);
        if lengths == LONG {
            return Self::read_long(trailer, rest);
        }
        let key_len = (lengths & ((1 << KEY_BITS) - 1)) as usize;
        Self { trailer, len: HEADER, key_len, value_len: (lengths >> KEY_BITS) as usize }
    }

    #[cold]
    fn read_long(trailer: Trailer, rest: &[u8]) -> Self {
        let lengths = rest.first_chunk().expect("more lengths are behind such a word");
        let lengths = u64::from_le_bytes(*lengths);
        Self {
            trailer,
            len: LONG_HEADER,
            key_len: lengths as u32 as usize,
            value_len: (lengths >> 32) as usize,
        }
    }

    /// For an entry with such a key and such a value.
    #[inline]
    fn new(trailer: Trailer, key: &[u8], value: &[u8]) -> Self {
        let (key_len, value_len) = (key.len(), value.len());
        let is_short = key_len < 1 << KEY_BITS && value_len < (1 << (u32::BITS - KEY_BITS)) - 1;
        Self { trailer, len: if is_short { HEADER } else { LONG_HEADER }, key_len, value_len }
    }

    /// Its bytes, of which the first [`len`](Self::len) count.
    #[inline]
    fn to_bytes(&self) -> [u8; LONG_HEADER] {
        let mut bytes = [0; LONG_HEADER];
        bytes[..8].copy_from_slice(&self.trailer.to_u64().to_le_bytes());
        let lengths =
            if self.len == HEADER { (self.value_len << KEY_BITS | self.key_len) as u32 } else { LONG };
        bytes[8..HEADER].copy_from_slice(&lengths.to_le_bytes());
        bytes[HEADER..HEADER + 4].copy_from_slice(&(self.key_len as u32).to_le_bytes());
        bytes[HEADER + 4..].copy_from_slice(&(self.value_len as u32).to_le_bytes());
        bytes
    }
}

impl Shared {
    #[inline]
    fn chunk(&self) -> &Arc<Chunk> {
        self.chunk.get().expect("a chunk is there before anything refers to an entry in it")
    }

    /// Some bytes of the chunk, which are there.
    fn slice(&self, start: usize, len: usize) -> Bytes {
        let end = start + len;
        if len == 0 {
            return Bytes::new();
        }
        if let Some(handle) = self.handle(end) {
            return handle.slice(start..end);
        }
        // The end of what is there. A handle of it would be a handle for each entry.
        if len <= SMALL_VALUE {
            return Bytes::copy_from_slice(&self.chunk().filled()[start..end]);
        }
        self.new_handle().slice(start..end)
    }

    /// A handle that has all up to `end`, if there is one for more than the reader who asks.
    #[inline]
    fn handle(&self, end: usize) -> Option<&Bytes> {
        let chunk = self.chunk();
        let handles = self
            .handles
            .get_or_init(|| (0..chunk.capacity().div_ceil(PIECE)).map(|_| OnceLock::new()).collect());
        let is_full = self.is_full.load(Ordering::Acquire);
        let piece = if is_full { handles.len() - 1 } else { (end - 1) / PIECE };
        let handle = &handles[piece];
        if let Some(handle) = handle.get() {
            return Some(handle);
        }
        let is_there = is_full || chunk.filled().len() >= (piece + 1) * PIECE;
        is_there.then(|| handle.get_or_init(|| self.new_handle()))
    }

    fn new_handle(&self) -> Bytes {
        Bytes::from_owner(Owner(Arc::clone(self.chunk())))
    }
}

impl Arena {
    pub(super) const fn new() -> Self {
        Self { appender: None, current: 0, chunks: 0, allocated: 0 }
    }

    /// All memory that was ever taken, in bytes.
    pub(super) const fn allocated(&self) -> usize {
        self.allocated
    }

    /// Whether so many chunks are there that it is time to begin another memtable: what is left is for the batch that
    /// is being inserted.
    pub(super) const fn is_full(&self) -> bool {
        self.chunks >= CHUNKS / 2
    }

    /// Stores an entry. It is there for readers once the number is published.
    ///
    /// # Panics
    ///
    /// When there are no numbers left, many gigabytes behind [`is_full`](Self::is_full).
    #[inline]
    pub(super) fn store(&mut self, entries: &Entries, key: &[u8], trailer: Trailer, value: &[u8]) -> EntryId {
        let header = Header::new(trailer, key, value);
        let len = header.len + key.len() + value.len();
        let header = &header.to_bytes()[..header.len];
        if len > LARGE {
            let (chunk, mut appender) = self.begin(entries, len);
            let place = appender.append([header, key, value]);
            fill_up(entries, chunk);
            return entry_id(chunk, place);
        }
        if !self.appender.as_ref().is_some_and(|appender| appender.has_room(len)) {
            self.next_chunk(entries, len);
        }
        let appender = self.appender.as_mut().expect("a chunk was begun");
        entry_id(self.current, appender.append([header, key, value]))
    }

    /// Leaves the chunk for another that has room for so many bytes.
    #[cold]
    fn next_chunk(&mut self, entries: &Entries, len: usize) {
        if self.appender.is_some() {
            fill_up(entries, self.current);
        }
        let size = (self.allocated / 4).clamp(CHUNK_MIN, CHUNK_MAX).max(len);
        let (chunk, appender) = self.begin(entries, size);
        self.current = chunk;
        self.appender = Some(appender);
    }

    fn begin(&mut self, entries: &Entries, size: usize) -> (usize, Appender) {
        let number = self.chunks;
        assert!(number < CHUNKS, "a memtable has gigabytes behind where it is frozen");
        self.chunks += 1;
        self.allocated += entries.chunks.make(number) + OVERHEAD;
        let (chunk, appender) = Chunk::new(size);
        self.allocated += chunk.capacity();
        let shared = entries.chunks.get(number).expect("its block was made");
        shared.chunk.get_or_init(|| chunk);
        (number, appender)
    }
}

/// What a chunk takes beside its bytes: the allocator's headers, and the count of references.
const OVERHEAD: usize = size_of::<Chunk>() + 4 * size_of::<usize>();

/// Says that nothing is appended to a chunk any more.
fn fill_up(entries: &Entries, chunk: usize) {
    let shared = entries.chunks.get(chunk).expect("it was begun");
    shared.is_full.store(true, Ordering::Release);
}

const fn entry_id(chunk: usize, place: usize) -> EntryId {
    EntryId((chunk as u32) << PLACE_BITS | (place / GRANULE) as u32)
}
