//! Several writes that happen together, in one keyspace or over several.

use std::sync::{Arc, Weak};

use slice_types::{EntryKind, Error, KeyspaceId, Result};
use slice_wal::EncodedBatch;

use crate::db::Handle;
use crate::keyspaces::Keyspace;

/// Stands for the default keyspace where it was named: [`KeyspaceId::DEFAULT`] stands for the one that the batch is
/// written through. No keyspace ever has this number.
const NAMED_DEFAULT: KeyspaceId = KeyspaceId(u32::MAX);

/// Writes to be done as one, by [`LSMTree::write`](crate::LSMTree::write): a reader sees all of them or none, and so
/// does a recovery after a crash. Of two writes to one key the later one counts.
///
/// A write goes to the keyspace of the handle that the batch is written through, or to the one that it names
/// ([`put_in`](Self::put_in), [`delete_in`](Self::delete_in)).
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
    /// The store of the keyspaces that were named, if any was.
    store: Option<Weak<Handle>>,
}

impl WriteBatch {
    /// An empty batch.
    pub const fn new() -> Self {
        Self { encoded: EncodedBatch::new(), store: None }
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

    /// Sets a key of a keyspace to a value.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put); `InvalidArgument` when the keyspace is of another store than one named before.
    pub fn put_in(&mut self, keyspace: &impl Keyspace, key: &[u8], value: &[u8]) -> Result<()> {
        self.push_in(keyspace, EntryKind::Put, key, value)
    }

    /// Removes a key of a keyspace.
    ///
    /// # Errors
    ///
    /// As [`put_in`](Self::put_in).
    pub fn delete_in(&mut self, keyspace: &impl Keyspace, key: &[u8]) -> Result<()> {
        self.push_in(keyspace, EntryKind::Delete, key, &[])
    }

    pub(crate) fn push_in(
        &mut self,
        keyspace: &impl Keyspace,
        kind: EntryKind,
        key: &[u8],
        value: &[u8],
    ) -> Result<()> {
        let place = keyspace.place();
        if self.store.as_ref().is_some_and(|store| !store.ptr_eq(&place.store)) {
            return Err(other_store());
        }
        let id = if place.id == KeyspaceId::DEFAULT { NAMED_DEFAULT } else { place.id };
        self.encoded.push(id, kind, key, value)?;
        self.store = Some(place.store);
        Ok(())
    }

    /// The entries, each with the number of its keyspace, when written through a handle of a keyspace.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when a keyspace of another store was named.
    pub(crate) fn into_encoded(self, handle: &Arc<Handle>, through: KeyspaceId) -> Result<EncodedBatch> {
        if self.store.is_some_and(|store| !std::ptr::eq(store.as_ptr(), Arc::as_ptr(handle))) {
            return Err(other_store());
        }
        let ids = self.encoded.keyspaces();
        let names_default = ids.last() == Some(&NAMED_DEFAULT);
        let is_elsewhere = through != KeyspaceId::DEFAULT && ids.first() == Some(&KeyspaceId::DEFAULT);
        if !names_default && !is_elsewhere {
            return Ok(self.encoded);
        }
        let mut encoded = EncodedBatch::with_capacity(self.encoded.byte_len());
        for entry in self.encoded.entries() {
            let entry = entry?;
            let id = match entry.keyspace {
                KeyspaceId::DEFAULT => through,
                NAMED_DEFAULT => KeyspaceId::DEFAULT,
                other => other,
            };
            encoded.push(id, entry.kind, entry.key, entry.value)?;
        }
        Ok(encoded)
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
        self.store = None;
    }
}

fn other_store() -> Error {
    Error::invalid_argument("a batch is written to one store, and a keyspace of another was named")
}
