//! The methods of both faces, of batches and of builders that have to do with rules.

use std::sync::Arc;
use std::time::Duration;

use slice_types::{EntryKind, KeyspaceId, Result, join_expiry};

use super::clock::millis;
use super::{Clock, CompactionFilterFactory, MergeOperator};
use crate::{Builder, Keyspace, LSMTree, WriteBatch, blocking};

impl LSMTree {
    /// Sets a key to a value that goes by itself after `ttl`: from then on the key is not there, at any snapshot, not
    /// even at one taken before. A compaction removes what is left of it.
    ///
    /// Counted in milliseconds of the store's [clock](crate::Options::clock), rounded up; [`Duration::MAX`] is for
    /// ever. It goes before the [default](crate::Options::default_ttl) of the store. A later `put` sets a value that
    /// stays; a later [`merge`](Self::merge) makes a value that goes back to what was merged since, once the time is
    /// over.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put); `InvalidArgument` for a value within eight bytes of the limit as well.
    pub async fn put_with_ttl(&self, key: &[u8], value: &[u8], ttl: Duration) -> Result<()> {
        let (core, value) = (&self.handle.core, join_expiry(millis(ttl), value));
        core.finish(core.write_now(&self.tree, EntryKind::PutUntil, key, &value)?).await
    }

    /// Merges an operand into the value of a key, by the store's [`MergeOperator`], without reading it.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put); `InvalidArgument` when the store was opened without a merge operator. Whether the
    /// operand makes sense is found out when the key is read.
    pub async fn merge(&self, key: &[u8], operand: &[u8]) -> Result<()> {
        let core = &self.handle.core;
        core.finish(core.write_now(&self.tree, EntryKind::Merge, key, operand)?).await
    }
}

impl blocking::LSMTree {
    /// Sets a key to a value that goes by itself after `ttl`.
    ///
    /// # Errors
    ///
    /// As [`slice::LSMTree::put_with_ttl`](crate::LSMTree::put_with_ttl).
    pub fn put_with_ttl(&self, key: &[u8], value: &[u8], ttl: Duration) -> Result<()> {
        let (core, value) = (&self.handle.core, join_expiry(millis(ttl), value));
        core.finish_blocking(core.write_now(&self.tree, EntryKind::PutUntil, key, &value)?)
    }

    /// Merges an operand into the value of a key, by the store's [`MergeOperator`].
    ///
    /// # Errors
    ///
    /// As [`slice::LSMTree::merge`](crate::LSMTree::merge).
    pub fn merge(&self, key: &[u8], operand: &[u8]) -> Result<()> {
        let core = &self.handle.core;
        core.finish_blocking(core.write_now(&self.tree, EntryKind::Merge, key, operand)?)
    }
}

impl WriteBatch {
    /// Sets a key to a value that goes by itself when `ttl` has passed since the batch was written: see
    /// [`LSMTree::put_with_ttl`].
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub fn put_with_ttl(&mut self, key: &[u8], value: &[u8], ttl: Duration) -> Result<()> {
        let value = join_expiry(millis(ttl), value);
        self.encoded.push(KeyspaceId::DEFAULT, EntryKind::PutUntil, key, &value)
    }

    /// Merges an operand into the value of a key: see [`LSMTree::merge`]. A store without a merge operator refuses the
    /// whole batch.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub fn merge(&mut self, key: &[u8], operand: &[u8]) -> Result<()> {
        self.encoded.push(KeyspaceId::DEFAULT, EntryKind::Merge, key, operand)
    }

    /// As [`put_with_ttl`](Self::put_with_ttl), in a keyspace.
    ///
    /// # Errors
    ///
    /// As [`put_in`](Self::put_in).
    pub fn put_with_ttl_in(
        &mut self,
        keyspace: &impl Keyspace,
        key: &[u8],
        value: &[u8],
        ttl: Duration,
    ) -> Result<()> {
        self.push_in(keyspace, EntryKind::PutUntil, key, &join_expiry(millis(ttl), value))
    }

    /// As [`merge`](Self::merge), in a keyspace; one without a merge operator refuses the whole batch.
    ///
    /// # Errors
    ///
    /// As [`put_in`](Self::put_in).
    pub fn merge_in(&mut self, keyspace: &impl Keyspace, key: &[u8], operand: &[u8]) -> Result<()> {
        self.push_in(keyspace, EntryKind::Merge, key, operand)
    }
}

impl Builder {
    /// Sets [`Options::clock`](crate::Options::clock).
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.options.clock = Some(clock);
        self
    }

    /// Sets [`Options::default_ttl`](crate::Options::default_ttl).
    pub fn default_ttl(mut self, ttl: Duration) -> Self {
        self.options.default_ttl = Some(ttl);
        self
    }

    /// Sets [`Options::merge_operator`](crate::Options::merge_operator).
    pub fn merge_operator(mut self, operator: Arc<dyn MergeOperator>) -> Self {
        self.options.merge_operator = Some(operator);
        self
    }

    /// Sets [`Options::compaction_filter`](crate::Options::compaction_filter).
    pub fn compaction_filter(mut self, filter: Arc<dyn CompactionFilterFactory>) -> Self {
        self.options.compaction_filter = Some(filter);
        self
    }
}
