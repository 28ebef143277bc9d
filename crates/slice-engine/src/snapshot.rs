//! Snapshots: the store as it was at one moment, for as long as somebody wants to look at it.

use std::sync::Arc;

use slice_types::{Result, SeqNo};

use crate::db::{Handle, ReadAt};
use crate::lsm::lookup;
use crate::tree::Tree;

/// A moment that merges keep readable. Ended when the last clone is dropped.
pub(crate) struct Moment {
    pub(crate) handle: Arc<Handle>,
    pub(crate) seqno: SeqNo,
}

impl Moment {
    pub(crate) fn now(handle: &Arc<Handle>) -> Arc<Self> {
        let core = &handle.core;
        Arc::new(Self { seqno: core.snapshots.take(&core.commit), handle: Arc::clone(handle) })
    }

    pub(crate) fn at(&self) -> ReadAt {
        ReadAt::Number(self.seqno)
    }
}

impl Drop for Moment {
    fn drop(&mut self) {
        self.handle.core.snapshots.release(self.seqno);
    }
}

/// What was in the store at one moment; made by [`LSMTree::snapshot`](crate::LSMTree::snapshot).
///
/// Owned and cheap: a number, and an entry in a list of numbers. It holds up nothing and keeps no file and no memtable
/// alive; compactions keep those versions of keys that it reads, and no others. While it lives the store stays open.
#[derive(Clone)]
#[must_use = "a snapshot keeps old versions of keys from being removed until it is dropped"]
pub struct Snapshot {
    pub(crate) moment: Arc<Moment>,
    pub(crate) tree: Arc<Tree>,
}

impl Snapshot {
    /// The value that a key had.
    ///
    /// # Errors
    ///
    /// As [`LSMTree::get`](crate::LSMTree::get).
    pub async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let value = lookup(&self.moment.handle.core, &self.tree, key, self.moment.at()).await?;
        Ok(value.map(Vec::from))
    }

    /// The sequence number of the last write that it sees.
    pub fn seqno(&self) -> u64 {
        self.moment.seqno.get()
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("seqno", &self.seqno()).finish_non_exhaustive()
    }
}
