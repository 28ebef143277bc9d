//! An open transaction, as both faces share it: what waits for disks and flushes is theirs.

use std::ops::{Bound, RangeBounds};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use slice_types::{
    EXPIRY_LEN, EntryKind, Error, KeyRange, Result, SeqNo, check_key, check_value, join_expiry,
};
use slice_wal::EncodedBatch;

use super::Isolation;
use super::conflicts::{Check, EpochNumber};
use super::keys::Keys;
use super::reads::Reads;
use super::writes::{Savepoint, Seen, Write, Writes};
use crate::db::{Core, Handle, ReadAt};
use crate::keyspaces::Keyspace;
use crate::keyspaces::sealed::Place;
use crate::planted::Bug;
use crate::primitives::Mutex;
use crate::scan::{self, Ends, Source};
use crate::signal::lock;
use crate::snapshot::Moment;
use crate::tree::Tree;
use crate::values::millis;

/// Tells the savepoints of transactions apart.
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// A transaction; dropped, it is rolled back, unless it has ended before.
pub(crate) struct Inner {
    pub(crate) moment: Arc<Moment>,
    id: u64,
    isolation: Isolation,
    local: Mutex<Local>,
}

struct Local {
    /// None once the transaction has ended.
    open: Option<Registered>,
    writes: Writes,
    /// What the commit depends on; kept with [`Isolation::Serializable`] only.
    reads: Reads,
}

/// A place in the conflict index, given up when this is dropped.
pub(crate) struct Registered {
    handle: Arc<Handle>,
    epoch: EpochNumber,
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.handle.core.commit.end_transaction(self.epoch);
    }
}

/// A commit that is ready to be tried.
pub(crate) struct Prepared {
    pub(crate) batch: EncodedBatch,
    pub(crate) check: Check,
    /// What the check is against: kept until the batch is written.
    pub(crate) registered: Registered,
}

impl Inner {
    pub(crate) fn begin(handle: &Arc<Handle>, isolation: Isolation) -> Self {
        let (epoch, seqno) = handle.core.begin_transaction();
        Self {
            moment: Arc::new(Moment { handle: Arc::clone(handle), seqno }),
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            isolation,
            local: Mutex::new(Local {
                open: Some(Registered { handle: Arc::clone(handle), epoch }),
                writes: Writes::default(),
                reads: Reads::default(),
            }),
        }
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.moment.handle.core
    }

    pub(crate) fn at(&self) -> ReadAt {
        self.moment.at()
    }

    /// A keyspace of the same store.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` for one of another store, and for one that was dropped.
    pub(crate) fn tree(&self, keyspace: &impl Keyspace) -> Result<Arc<Tree>> {
        let Place { store, id } = keyspace.place();
        if !std::ptr::eq(store.as_ptr(), Arc::as_ptr(&self.moment.handle)) {
            return Err(Error::invalid_argument("the keyspace is of another store than the transaction"));
        }
        self.core().trees.get(id).ok_or_else(|| Error::invalid_argument("the keyspace was dropped"))
    }

    /// What the transaction itself has written to a key, if anything. If not, the store is to be asked, and the answer
    /// is what a serializable commit depends on.
    ///
    /// # Errors
    ///
    /// As [`Local::check_open`].
    pub(crate) fn own(&self, tree: &Tree, key: &[u8]) -> Result<Option<Seen>> {
        check_key(key)?;
        let mut local = lock(&self.local);
        local.check_open()?;
        let own = local.writes.seen(tree.id, key);
        if own.is_none() && self.isolation == Isolation::Serializable {
            local.reads.insert(tree.id, key);
        }
        Ok(own)
    }

    /// What is to be scanned for a range. All of the range is what a serializable commit depends on.
    pub(crate) fn scan(&self, tree: &Arc<Tree>, range: scan::KeyRange) -> Result<Ends> {
        range.check()?;
        let mut local = lock(&self.local);
        local.check_open()?;
        let bounds = (range.lower.clone(), range.upper.clone());
        let overlay = local.writes.overlay(tree.id, slices(&bounds));
        if self.isolation == Isolation::Serializable
            && let Some(keys) = KeyRange::within(&bounds)?
        {
            local.reads.insert_range(tree.id, &keys);
        }
        drop(local);
        Ends::new(Source::new(self.core(), tree, self.at(), overlay), range)
    }

    /// What several keys are to be looked up in.
    pub(crate) fn source(&self, tree: &Arc<Tree>, keys: &[Bytes]) -> Result<Source> {
        let mut local = lock(&self.local);
        local.check_open()?;
        if self.isolation == Isolation::Serializable {
            for key in keys {
                local.reads.insert(tree.id, key);
            }
        }
        let overlay = local
            .writes
            .overlay::<(Bound<&[u8]>, Bound<&[u8]>)>(tree.id, (Bound::Unbounded, Bound::Unbounded));
        drop(local);
        Ok(Source::new(self.core(), tree, self.at(), overlay))
    }

    pub(crate) fn put(&self, tree: &Tree, key: &[u8], value: &[u8]) -> Result<()> {
        check_value(value)?;
        let value = Bytes::copy_from_slice(value);
        self.write(tree, key, || Write::new(EntryKind::Put, value.clone(), Some(value)))
    }

    pub(crate) fn put_with_ttl(&self, tree: &Tree, key: &[u8], value: &[u8], ttl: Duration) -> Result<()> {
        let entry = Bytes::from(join_expiry(millis(ttl), value));
        check_value(&entry)?;
        let value = entry.slice(EXPIRY_LEN..);
        self.write(tree, key, || Write::new(EntryKind::PutUntil, entry, Some(value)))
    }

    pub(crate) fn delete(&self, tree: &Tree, key: &[u8]) -> Result<()> {
        self.write(tree, key, || Write::new(EntryKind::Delete, Bytes::new(), None))
    }

    fn write(&self, tree: &Tree, key: &[u8], write: impl FnOnce() -> Write) -> Result<()> {
        check_key(key)?;
        let mut local = lock(&self.local);
        local.check_open()?;
        local.writes.set(tree.id, key, write());
        Ok(())
    }

    pub(crate) fn merge(&self, tree: &Tree, key: &[u8], operand: &[u8]) -> Result<()> {
        check_key(key)?;
        check_value(operand)?;
        let mut local = lock(&self.local);
        local.check_open()?;
        local.writes.merge(tree.id, &tree.rules, key, operand)
    }

    pub(crate) fn delete_range<K: AsRef<[u8]>>(
        &self,
        tree: &Tree,
        range: &impl RangeBounds<K>,
    ) -> Result<()> {
        let range = KeyRange::within(range)?;
        let mut local = lock(&self.local);
        local.check_open()?;
        if let Some(range) = range {
            local.writes.delete_range(tree.id, &range);
        }
        Ok(())
    }

    pub(crate) fn savepoint(&self) -> Savepoint {
        lock(&self.local).writes.savepoint(self.id)
    }

    pub(crate) fn rollback_to(&self, savepoint: Savepoint) -> Result<()> {
        let mut local = lock(&self.local);
        local.check_open()?;
        local.writes.rollback_to(self.id, savepoint)
    }

    /// What a commit writes, and what it depends on; `None` when it writes nothing: what was read was true at the
    /// transaction's moment, and that is when it took place. From here on the transaction takes nothing more.
    ///
    /// # Errors
    ///
    /// As [`Local::check_open`]; `InvalidArgument` when it is more than a batch can hold.
    pub(crate) fn prepare(&self) -> Result<Option<Prepared>> {
        let (registered, writes, reads) = self.take()?;
        let batch = writes.batch()?;
        if batch.is_empty() {
            return Ok(None);
        }
        let check = Check { since: registered.epoch, keys: self.depends_on(&writes, reads) };
        Ok(Some(Prepared { batch, check, registered }))
    }

    /// Ends the transaction for all who hold it, and gives what it consists of.
    fn take(&self) -> Result<(Registered, Writes, Reads)> {
        let mut local = lock(&self.local);
        let registered = local.open.take().ok_or_else(ended)?;
        Ok((registered, std::mem::take(&mut local.writes), std::mem::take(&mut local.reads)))
    }

    fn depends_on(&self, writes: &Writes, reads: Reads) -> Keys {
        let planted = self.core().options.planted;
        let mut keys = if planted.has(Bug::SkipReadValidation) { Keys::default() } else { reads.into_keys() };
        if !planted.has(Bug::SkipWriteValidation) {
            writes.add_to(&mut keys);
        }
        keys
    }

    /// Rolls back, unless the transaction has ended.
    pub(crate) fn rollback(&self) {
        // Dropped here: outside of the lock.
        let _taken = self.take();
    }
}

impl Local {
    /// # Errors
    ///
    /// `InvalidArgument` once the transaction was committed or rolled back.
    fn check_open(&self) -> Result<()> {
        if self.open.is_some() { Ok(()) } else { Err(ended()) }
    }
}

fn slices((lower, upper): &(Bound<Bytes>, Bound<Bytes>)) -> (Bound<&[u8]>, Bound<&[u8]>) {
    (lower.as_ref().map(|key| &**key), upper.as_ref().map(|key| &**key))
}

fn ended() -> Error {
    Error::invalid_argument("the transaction was committed or rolled back; begin another")
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner")
            .field("seqno", &self.moment.seqno)
            .field("isolation", &self.isolation)
            .finish_non_exhaustive()
    }
}

impl Core {
    /// Begins a transaction; its epoch is ended, and the snapshot at its number released, by the caller.
    ///
    /// The epoch comes first: a commit behind it is recorded, one before it is seen at the number.
    pub(crate) fn begin_transaction(&self) -> (EpochNumber, SeqNo) {
        if self.options.planted.has(Bug::BeginLate) {
            let seqno = self.snapshots.take(&self.commit);
            return (self.commit.begin_transaction(), seqno);
        }
        let epoch = self.commit.begin_transaction();
        (epoch, self.snapshots.take(&self.commit))
    }
}
