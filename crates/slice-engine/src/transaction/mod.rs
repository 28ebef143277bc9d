//! Transactions: reads and writes that happen as if nobody else were there.
//!
//! They are optimistic. A transaction reads at its moment, a snapshot, and keeps its writes to itself; nobody waits for
//! it. When it commits, under the one commit lock, it is checked that nobody has written since to what it depends on,
//! and its writes go the way of any batch: so nothing slips in between the check and the writes.
//!
//! ```text
//!      begin                     get, put, delete               commit
//!        |                             |                          |
//!   epoch of the conflict       own writes, else            +-----v-------- commit lock --+
//!   index, then a moment        the store at the moment     | written since? -> Conflict  |
//!                               (Serializable: noted)       | number -> log -> memtable   |
//!                                                           +-----------------------------+
//! ```
//!
//! | depends on | `Snapshot` | `Serializable` |
//! |---|---|---|
//! | keys that it writes | yes | yes |
//! | keys that it reads, there or not | no | yes |
//! | ranges that it scans | no | yes |
//!
//! What that comes to is *snapshot isolation* (Berenson et al., "A Critique of ANSI SQL Isolation Levels", 1995), and
//! serializability by backward validation (Kung and Robinson, "On Optimistic Methods for Concurrency Control", 1981).
//! A serializable transaction that writes takes place at its commit, one that only reads at its moment.

mod atomic;
pub(crate) mod blocking;
mod conflicts;
mod inner;
mod keys;
mod ranges;
mod reads;
mod retry;
mod writes;

use std::ops::RangeBounds;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use slice_types::Result;

pub(crate) use conflicts::{Check, Conflicts, EpochNumber};
pub(crate) use inner::{Inner, Prepared};
#[cfg(all(test, slice_loom))]
pub(crate) use keys::Keys;
pub(crate) use ranges::Ranges;
pub use writes::Savepoint;
use writes::Seen;

use crate::keyspaces::Keyspace;
use crate::lsm::{LSMTree, lookup};
use crate::tree::Tree;
use retry::Retries;

/// What a [`Transaction`] is protected against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Isolation {
    /// All reads see one moment, and no write of others is overwritten unseen: of two transactions at the same time
    /// that write to one key, one commits.
    ///
    /// What a transaction read may have changed by the time that it commits. Two of them that each read what the
    /// other writes may both commit, which no order of the two explains ("write skew").
    Snapshot,
    /// As if one transaction ran after the other: what was read, and what was scanned, has not changed either.
    ///
    /// This holds among serializable transactions and single writes; one that runs with
    /// [`Snapshot`](Self::Snapshot) beside them brings its own weakness along.
    Serializable,
}

/// Reads and writes as one; made by [`LSMTree::begin`].
///
/// Reads see the store as it was when the transaction began, with its own writes on top. Nobody sees these before
/// [`commit`](Self::commit). Dropped without that, it is rolled back. While it is open, the store keeps the versions
/// that it may read, and the keys that others write, in memory: end it soon.
///
/// A handle: clones are the same transaction, for tasks that work on it together. Once one of them was committed or
/// rolled back, the others answer `InvalidArgument`.
///
/// ```
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # let dir = tempfile::tempdir().unwrap();
/// # runtime.block_on(async {
/// use slice::{ErrorKind, Isolation, LSMTree};
///
/// let lsm = LSMTree::new(&dir).await?;
/// let transaction = lsm.begin(Isolation::Snapshot);
/// assert_eq!(transaction.get(b"k").await?, None);
/// transaction.put(b"k", b"mine")?;
/// lsm.put(b"k", b"faster").await?;
/// let error = transaction.commit().await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Conflict);
/// assert_eq!(lsm.get(b"k").await?, Some(b"faster".to_vec()));
/// # Ok::<(), slice::SliceError>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
#[must_use = "a transaction that is dropped is rolled back"]
pub struct Transaction {
    pub(crate) inner: Arc<Inner>,
    /// The keyspace that this handle reads and writes.
    pub(crate) tree: Arc<Tree>,
}

impl Transaction {
    /// The value of a key: what the transaction wrote last, else what was in the store when it began.
    ///
    /// # Errors
    ///
    /// As [`LSMTree::get`]; `InvalidArgument` once the transaction has ended.
    pub async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.look(key).await?.map(Vec::from))
    }

    pub(crate) async fn look(&self, key: &[u8]) -> Result<Option<Bytes>> {
        let tree = &self.tree;
        match self.inner.own(tree, key)? {
            Some(Seen::Value(own)) => Ok(own),
            Some(Seen::Operand(operand)) => {
                let below = lookup(self.inner.core(), tree, key, self.inner.at()).await?;
                tree.rules.merge(key, below.as_deref(), &operand).map(Some)
            }
            None => lookup(self.inner.core(), tree, key, self.inner.at()).await,
        }
    }

    /// The same transaction, on another keyspace of the store: what is read and written through this handle is there,
    /// and is committed or rolled back together with the rest.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// use slice::{Isolation, blocking::LSMTree};
    ///
    /// let lsm = LSMTree::new(&dir)?;
    /// let index = lsm.keyspace("by name")?;
    /// let transaction = lsm.begin(Isolation::Serializable);
    /// transaction.put(b"user:17", b"ada")?;
    /// transaction.in_keyspace(&index)?.put(b"ada", b"user:17")?;
    /// transaction.commit()?;
    /// assert_eq!(index.get(b"ada")?, Some(b"user:17".to_vec()));
    /// # Ok::<(), slice::SliceError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `InvalidArgument` for a keyspace of another store, and for one that was dropped.
    pub fn in_keyspace(&self, keyspace: &impl Keyspace) -> Result<Self> {
        Ok(Self { inner: Arc::clone(&self.inner), tree: self.inner.tree(keyspace)? })
    }

    /// Sets a key to a value, for this transaction and, once it is committed, for all.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` for a key or value that is too long, and once the transaction has ended.
    pub fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.inner.put(&self.tree, key, value)
    }

    /// Sets a key to a value that goes by itself when `ttl` has passed since the commit; see
    /// [`LSMTree::put_with_ttl`].
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub fn put_with_ttl(&self, key: &[u8], value: &[u8], ttl: Duration) -> Result<()> {
        self.inner.put_with_ttl(&self.tree, key, value, ttl)
    }

    /// Removes a key, for this transaction and, once it is committed, for all.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub fn delete(&self, key: &[u8]) -> Result<()> {
        self.inner.delete(&self.tree, key)
    }

    /// Removes all keys of a range; see [`LSMTree::delete_range`]. A write of others to any of them in the meantime is
    /// a conflict.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put); `InvalidArgument` also for a range that ends before it begins.
    pub fn delete_range<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, range: R) -> Result<()> {
        self.inner.delete_range(&self.tree, &range)
    }

    /// Merges an operand into the value of a key; see [`LSMTree::merge`]. Two transactions that merge into one key
    /// conflict like any that write to it.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put); `InvalidArgument` without a merge operator, `MergeOperator` when it refuses the operand.
    pub fn merge(&self, key: &[u8], operand: &[u8]) -> Result<()> {
        self.inner.merge(&self.tree, key, operand)
    }

    /// A place in the transaction to go back to. From now on it keeps what its writes replace.
    pub fn savepoint(&self) -> Savepoint {
        self.inner.savepoint()
    }

    /// Takes back the writes since a savepoint, which can be gone back to again; later savepoints are forgotten.
    ///
    /// What was read since still counts for a serializable commit: the caller may have acted on it.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` for a savepoint of another transaction, or one that is forgotten. Nothing changes then.
    pub fn rollback_to(&self, savepoint: Savepoint) -> Result<()> {
        self.inner.rollback_to(savepoint)
    }

    /// Writes all that the transaction has written, if nobody has written in the meantime to what it
    /// [depends on](Isolation). A transaction without writes has nothing to do, and no conflicts.
    ///
    /// The writes are a batch: seen by readers, and found after a crash, as a whole or not at all; acknowledged as
    /// [`Options::durability`](crate::Options::durability) says. Dropped before it is done, the transaction is either
    /// rolled back or committed, as after a crash.
    ///
    /// # Errors
    ///
    /// `Conflict`, which [`is_retryable`](crate::Error::is_retryable): nothing was written, begin again. Else as
    /// [`LSMTree::write`].
    pub async fn commit(self) -> Result<()> {
        let handle = Arc::clone(&self.inner.moment.handle);
        let core = &handle.core;
        core.check_open()?;
        let Some(Prepared { batch, check, registered }) = self.inner.prepare()? else { return Ok(()) };
        let end = core.place(core.write_checked_now(batch, Some(&check))?, Some(&check)).await?;
        // Nobody has to remember what this one depended on while it waits for the disk.
        drop((registered, check));
        core.acknowledge(end, core.options.durability).await
    }

    /// Ends the transaction without a trace, as dropping it does.
    pub fn rollback(self) {
        self.inner.rollback();
    }

    /// The sequence number of the last write of others that it sees.
    pub fn seqno(&self) -> u64 {
        self.inner.moment.seqno.get()
    }
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl LSMTree {
    /// Begins a transaction, which reads the store as it is now.
    ///
    /// Costs a moment under the commit lock. While any transaction is open, each write also notes its keys.
    pub fn begin(&self, isolation: Isolation) -> Transaction {
        Transaction { inner: Arc::new(Inner::begin(&self.handle, isolation)), tree: Arc::clone(&self.tree) }
    }

    /// Runs `body` in a transaction and commits it; again, from the start, when it lost a race. Between two attempts
    /// it waits for a short, random time.
    ///
    /// `body` may run many times, so it should have no other effects. It leaves the commit to this method. When it
    /// gives an error, the transaction is rolled back and that is the answer; an error of kind `Conflict` counts as a
    /// lost race.
    ///
    /// ```
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # let dir = tempfile::tempdir().unwrap();
    /// # runtime.block_on(async {
    /// use slice::{Isolation, LSMTree};
    ///
    /// let lsm = LSMTree::new(&dir).await?;
    /// let visits = lsm
    ///     .transact(Isolation::Serializable, |transaction| async move {
    ///         let visits = transaction.get(b"visits").await?.map_or(0, |value| value[0]) + 1;
    ///         transaction.put(b"visits", &[visits])?;
    ///         Ok(visits)
    ///     })
    ///     .await?;
    /// assert_eq!(visits, 1);
    /// # Ok::<(), slice::SliceError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// `Conflict` when it has lost 64 times, what `body` says, and what [`Transaction::commit`] does.
    pub async fn transact<T, F>(
        &self,
        isolation: Isolation,
        mut body: impl FnMut(Transaction) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let mut retries = Retries::bounded();
        loop {
            let transaction = self.begin(isolation);
            let ended = match body(transaction.clone()).await {
                Ok(answer) => transaction.commit().await.map(|()| answer),
                Err(error) => {
                    transaction.rollback();
                    Err(error)
                }
            };
            match ended {
                Err(error) => self.pause(retries.after(error)?).await,
                answer => return answer,
            }
        }
    }

    /// Lets others go on, as a task.
    pub(super) async fn pause(&self, time: Duration) {
        let core = &self.handle.core;
        // Without threads nobody looks at the timer; and there, whoever won the race is done.
        if time.is_zero() || core.is_inline() {
            return retry::yield_now().await;
        }
        core.timer.sleep(time).await;
    }
}
