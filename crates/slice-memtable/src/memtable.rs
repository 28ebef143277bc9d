//! The seam: what the engine asks of a memtable, whatever its structure.
//!
//! A memtable only grows. An entry that is in stays in, unchanged, until the whole memtable is dropped; deleting a key
//! inserts a tombstone. That is why a reader needs no lock: what it has found cannot move under it.

use std::sync::Arc;

use bytes::Bytes;
use slice_types::{EntryIterator, SeqNo, Trailer};

/// A sorted table in memory: one writer, any number of readers beside it.
///
/// **Threads.** The engine calls [`insert`](Self::insert) from one thread at a time, under its commit lock. All other
/// methods may be called from any thread at any time and never wait for the writer.
///
/// **Visibility.** An insert that happened before a read (through any acquire and release pair, such as the published
/// sequence number) is seen by it. An insert beside a read may be seen or not; a reader gets a consistent picture by
/// reading as of a sequence number that was published before, since whatever comes in later has a higher one.
///
/// **Memory.** What [`get`](Self::get) returns shares the memtable's memory, and keeps its chunk of it alive after the
/// memtable is dropped. Copy what is to be kept for long.
pub trait MemTable: Send + Sync + Sized + 'static {
    /// The iterator. It keeps the memtable alive.
    type Iter: EntryIterator + Send + 'static;

    /// An empty memtable.
    fn new() -> Self;

    /// Adds an entry.
    ///
    /// A pair of key and trailer comes once: sequence numbers are not reused. Should one come again, the first entry
    /// stays and the second is ignored.
    ///
    /// # Panics
    ///
    /// When `trailer` is a bound of a seek and has no kind, or when the key or the value is over
    /// [`MAX_KEY_LEN`](slice_types::MAX_KEY_LEN) or [`MAX_VALUE_LEN`](slice_types::MAX_VALUE_LEN): the flush would
    /// write a table that cannot be read.
    fn insert(&self, key: &[u8], trailer: Trailer, value: &[u8]);

    /// The newest entry of `key` at or below `at`, of whatever kind: a tombstone is an answer too.
    ///
    /// Does not allocate.
    fn get(&self, key: &[u8], at: SeqNo) -> Option<(Trailer, Bytes)>;

    /// An iterator over all entries, standing on none.
    ///
    /// It reads ahead, so an entry inserted while it is under way may be missed even where it has not been yet. A
    /// seek starts from what is there at that time.
    fn iter(self: &Arc<Self>) -> Self::Iter;

    /// The memory it holds, in bytes: keys, values, nodes, and the unused rest of its chunks.
    ///
    /// This is what counts against the size at which a memtable is frozen. Never falls.
    fn memory_used(&self) -> usize;

    /// The number of entries; each version of a key is one.
    fn len(&self) -> usize;

    /// Whether there is no entry.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many of the entries are tombstones, for a key or for a range.
    fn tombstones(&self) -> usize;

    /// The highest sequence number of an entry; [`SeqNo::ZERO`] when there is none.
    fn max_seqno(&self) -> SeqNo;
}
