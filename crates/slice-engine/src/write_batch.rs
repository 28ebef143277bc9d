//! Several writes that happen together.

use slice_types::{EntryKind, KeyspaceId, Result};
use slice_wal::EncodedBatch;

/// Writes to be done as one, by [`LSMTree::write`](crate::LSMTree::write): a reader sees all of them or none, and so
/// does a recovery after a crash. Of two writes to one key the later one counts.
///
/// Keys and values are copied into it, in the form that they have in the log. A batch may be larger than a memtable,
/// but not than 4 GiB.
///
/// ```
/// # let dir = tempfile::tempdir().unwrap();
/// use slice::{WriteBatch, blocking::LSMTree};
///
/// let lsm = LSMTree::new(&dir)?;
/// let mut transfer = WriteBatch::new();
/// transfer.put(b"alice", b"90")?;
/// transfer.put(b"bob", b"110")?;
/// transfer.delete(b"pending:17")?;
/// lsm.write(transfer)?;
/// assert_eq!(lsm.get(b"bob")?, Some(b"110".to_vec()));
/// # Ok::<(), slice::SliceError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a batch does nothing until it is written"]
pub struct WriteBatch {
    pub(crate) encoded: EncodedBatch,
}

impl WriteBatch {
    /// An empty batch.
    pub const fn new() -> Self {
        Self { encoded: EncodedBatch::new() }
    }

    /// Sets a key to a value.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when the key or the value is too long, or the batch would pass 4 GiB; it is as it was then.
    pub fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.encoded.push(KeyspaceId::DEFAULT, EntryKind::Put, key, value)
    }

    /// Removes a key.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub fn delete(&mut self, key: &[u8]) -> Result<()> {
        self.encoded.push(KeyspaceId::DEFAULT, EntryKind::Delete, key, &[])
    }

    /// How many writes there are.
    pub const fn len(&self) -> usize {
        self.encoded.count() as usize
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.encoded.is_empty()
    }

    /// Forgets the writes and keeps the memory for new ones.
    pub fn clear(&mut self) {
        self.encoded.clear();
    }
}
