//! The seam: what the engine asks of a memtable, whatever its structure.
//!
//! A memtable only grows. An entry that is in stays in, unchanged, until the whole memtable is dropped; deleting a key
//! inserts a tombstone. That is why a reader needs no lock: what it has found cannot move under it.
//!
//! Entries of one key are found by [`MemTable::get`] and [`MemTable::iter`]. Range tombstones are beside them, in
//! [`MemTable::covering`]: who reads a key asks for both, and the newer one counts.

use std::sync::Arc;

use bytes::Bytes;
use slice_types::{EntryIterator, RangeIndex, SeqNo, Trailer};

/// A sorted table in memory: one writer, any number of readers beside it.
///
/// **Threads.** The engine calls [`insert`](Self::insert) from one thread at a time, under its commit lock. All other
/// methods may be called from any thread at any time and never wait for the writer.
///
/// **Visibility.** An insert that happened before a read (through any acquire and release pair, such as the published
/// sequence number) is seen by it. An insert beside a read may be seen or not; a reader gets a consistent picture by
/// reading as of a sequence number that was published before, since whatever comes in later has a higher one.
///
/// **Memory.** What [`get`](Self::get) returns shares the memtable's memory, mostly, and keeps its chunk of it alive after the
/// memtable is dropped. Copy what is to be kept for long.
pub trait MemTable: Send + Sync + Sized + 'static {
    /// The iterator. It keeps the memtable alive.
    type Iter: EntryIterator + Send + 'static;

    /// An empty memtable.
    fn new() -> Self;

    /// Adds an entry. One of the kind [`RangeDelete`](slice_types::EntryKind::RangeDelete) is a range tombstone: the key
    /// is its start and the value its end, as [`KeyRange`](slice_types::KeyRange) has it.
    ///
    /// A pair of key and trailer comes once: sequence numbers are not reused. Should one come again, the first entry
    /// stays and the second is ignored.
    ///
    /// # Panics
    ///
    /// When `trailer` is a bound of a seek and has no kind, or when the key or the value is over
    /// [`MAX_KEY_LEN`](slice_types::MAX_KEY_LEN) or [`MAX_VALUE_LEN`](slice_types::MAX_VALUE_LEN), or when a range has
    /// no keys: the flush would write what cannot be read.
    fn insert(&self, key: &[u8], trailer: Trailer, value: &[u8]);

    /// The newest entry of `key` at or below `at`, of whatever kind: a tombstone of the key is an answer too.
    ///
    /// Allocates nothing for an entry that has been there for a while. One of the newest may be in memory that is being
    /// filled and cannot be shared yet: its value is copied if it is small.
    fn get(&self, key: &[u8], at: SeqNo) -> Option<(Trailer, Bytes)>;

    /// The newest range tombstone at or below `at` that covers `key`. One relaxed load when there are none.
    fn covering(&self, key: &[u8], at: SeqNo) -> Option<SeqNo>;

    /// All range tombstones, in a few indexes. None of them is empty, so it allocates nothing when there are none.
    fn range_tombstones(&self) -> Vec<Arc<RangeIndex>>;

    /// An iterator over all entries but the range tombstones, standing on none.
    ///
    /// It reads ahead, so an entry inserted while it is under way may be missed even where it has not been yet. A
    /// seek starts from what is there at that time.
    fn iter(self: &Arc<Self>) -> Self::Iter;

    /// The memory it holds, in bytes: keys, values, nodes, and the unused rest of its chunks.
    ///
    /// This is what counts against the size at which a memtable is frozen. Never falls.
    fn memory_used(&self) -> usize;

    /// The number of entries; each version of a key is one, and each range tombstone.
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
