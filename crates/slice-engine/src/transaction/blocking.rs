//! Transactions without `.await`.

use std::ops::RangeBounds;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use slice_sstable::ReadMode;
use slice_types::Result;

use super::retry::Retries;
use super::writes::Seen;
use super::{Inner, Isolation, Prepared, Savepoint};
use crate::blocking::LSMTree;
use crate::keyspaces::Keyspace;
use crate::primitives::thread;
use crate::tree::Tree;

/// Reads and writes as one; see [`slice::Transaction`](crate::Transaction).
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
    /// As [`slice::Transaction::get`](crate::Transaction::get).
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.look(key)?.map(Vec::from))
    }

    pub(crate) fn look(&self, key: &[u8]) -> Result<Option<Bytes>> {
        let tree = &self.tree;
        let below = || self.inner.core().get(tree, key, self.inner.at(), ReadMode::Wait);
        match self.inner.own(tree, key)? {
            Some(Seen::Value(own)) => Ok(own),
            Some(Seen::Operand(operand)) => tree.rules.merge(key, below()?.as_deref(), &operand).map(Some),
            None => below(),
        }
    }

    /// The same transaction, on another keyspace of the store.
    ///
    /// # Errors
    ///
    /// As [`slice::Transaction::in_keyspace`](crate::Transaction::in_keyspace).
    pub fn in_keyspace(&self, keyspace: &impl Keyspace) -> Result<Self> {
        Ok(Self { inner: Arc::clone(&self.inner), tree: self.inner.tree(keyspace)? })
    }

    /// Sets a key to a value, for this transaction and, once it is committed, for all.
    ///
    /// # Errors
    ///
    /// As [`slice::Transaction::put`](crate::Transaction::put).
    pub fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.inner.put(&self.tree, key, value)
    }

    /// Sets a key to a value that goes by itself when `ttl` has passed since the commit.
    ///
    /// # Errors
    ///
    /// As [`slice::Transaction::put`](crate::Transaction::put).
    pub fn put_with_ttl(&self, key: &[u8], value: &[u8], ttl: Duration) -> Result<()> {
        self.inner.put_with_ttl(&self.tree, key, value, ttl)
    }

    /// Removes a key, for this transaction and, once it is committed, for all.
    ///
    /// # Errors
    ///
    /// As [`slice::Transaction::put`](crate::Transaction::put).
    pub fn delete(&self, key: &[u8]) -> Result<()> {
        self.inner.delete(&self.tree, key)
    }

    /// Removes all keys of a range.
    ///
    /// # Errors
    ///
    /// As [`slice::Transaction::delete_range`](crate::Transaction::delete_range).
    pub fn delete_range<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, range: R) -> Result<()> {
        self.inner.delete_range(&self.tree, &range)
    }

    /// Merges an operand into the value of a key.
    ///
    /// # Errors
    ///
    /// As [`slice::Transaction::merge`](crate::Transaction::merge).
    pub fn merge(&self, key: &[u8], operand: &[u8]) -> Result<()> {
        self.inner.merge(&self.tree, key, operand)
    }

    /// A place in the transaction to go back to.
    pub fn savepoint(&self) -> Savepoint {
        self.inner.savepoint()
    }

    /// Takes back the writes since a savepoint, which can be gone back to again; later savepoints are forgotten.
    ///
    /// # Errors
    ///
    /// As [`slice::Transaction::rollback_to`](crate::Transaction::rollback_to).
    pub fn rollback_to(&self, savepoint: Savepoint) -> Result<()> {
        self.inner.rollback_to(savepoint)
    }

    /// Writes all that the transaction has written, if nobody has written in the meantime to what it depends on.
    ///
    /// # Errors
    ///
    /// As [`slice::Transaction::commit`](crate::Transaction::commit).
    pub fn commit(self) -> Result<()> {
        let handle = Arc::clone(&self.inner.moment.handle);
        let core = &handle.core;
        core.check_open()?;
        let Some(Prepared { batch, check, registered }) = self.inner.prepare()? else { return Ok(()) };
        let end = core.place_blocking(core.write_checked_now(batch, Some(&check))?, Some(&check))?;
        // Nobody has to remember what this one depended on while it waits for the disk.
        drop((registered, check));
        core.acknowledge_blocking(end, core.options.durability)
    }

    pub(super) fn complete<T>(self, body: &mut impl FnMut(&Self) -> Result<T>) -> Result<T> {
        let answer = body(&self)?;
        self.commit()?;
        Ok(answer)
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
        f.debug_struct("blocking::Transaction").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl LSMTree {
    /// Begins a transaction, which reads the store as it is now.
    pub fn begin(&self, isolation: Isolation) -> Transaction {
        Transaction { inner: Arc::new(Inner::begin(&self.handle, isolation)), tree: Arc::clone(&self.tree) }
    }

    /// Runs `body` in a transaction and commits it; again, from the start, when it lost a race.
    ///
    /// # Errors
    ///
    /// As [`slice::LSMTree::transact`](crate::LSMTree::transact).
    pub fn transact<T>(
        &self,
        isolation: Isolation,
        mut body: impl FnMut(&Transaction) -> Result<T>,
    ) -> Result<T> {
        let mut retries = Retries::bounded();
        loop {
            match self.begin(isolation).complete(&mut body) {
                Err(error) => pause(retries.after(error)?),
                answer => return answer,
            }
        }
    }
}

/// Lets others go on, as a thread.
pub(super) fn pause(time: Duration) {
    if !time.is_zero() {
        thread::sleep(time);
    }
}
