//! The same store without `.await`: for threads, for programs without a runtime, for tests.
//!
//! Inside an async runtime use [`slice::LSMTree`](crate::LSMTree): these methods wait for disks and flushes.
//!
//! ```
//! # let dir = tempfile::tempdir().unwrap();
//! # let path = dir.path().join("data");
//! use slice::blocking::LSMTree;
//!
//! let lsm = LSMTree::new(&path)?;
//! lsm.put(b"key", b"value")?;
//! assert_eq!(lsm.get(b"key")?, Some(b"value".to_vec()));
//! # Ok::<(), slice::SliceError>(())
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;

use slice_compaction::CompactionConfig;
use slice_sstable::ReadMode;
use slice_types::{EntryKind, Result};

use crate::db::{Handle, ReadAt};
use crate::health::Health;
use crate::options::{Builder, Options};
pub use crate::read::BlockingReadable as Readable;
pub use crate::scan::BlockingScan as Scan;
use crate::snapshot::Moment;
use crate::stats::LSMStats;
pub use crate::transaction::blocking::Transaction;
use crate::tree::Tree;
use crate::verify::Report;
use crate::write_batch::WriteBatch;

/// An ordered map of bytes, in a directory; see [`slice::LSMTree`](crate::LSMTree), whose every method this has.
#[derive(Clone)]
pub struct LSMTree {
    pub(crate) handle: Arc<Handle>,
    pub(crate) tree: Arc<Tree>,
}

impl LSMTree {
    /// Opens the store in a directory with the default options.
    ///
    /// # Errors
    ///
    /// As [`slice::LSMTree::new`](crate::LSMTree::new).
    pub fn new(path: impl AsRef<Path>) -> Result<Self> {
        Self::builder(path).open_blocking()
    }

    /// Starts choosing options; finish with [`Builder::open_blocking`].
    pub fn builder(path: impl AsRef<Path>) -> Builder {
        crate::LSMTree::builder(path)
    }

    pub(crate) fn open(builder: Builder) -> Result<Self> {
        Handle::open(builder).map(|handle| Self { tree: Arc::clone(&handle.core.tree), handle })
    }

    /// Sets a key to a value.
    ///
    /// # Errors
    ///
    /// As [`slice::LSMTree::put`](crate::LSMTree::put).
    pub fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        let core = &self.handle.core;
        core.finish_blocking(core.write_now(&self.tree, EntryKind::Put, key, value)?)
    }

    /// The newest value of a key.
    ///
    /// # Errors
    ///
    /// As [`slice::LSMTree::get`](crate::LSMTree::get).
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let value = self.handle.core.get(&self.tree, key, ReadAt::Newest, ReadMode::Wait)?;
        Ok(value.map(Vec::from))
    }

    /// What is in the store now, to be read later.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { moment: Moment::now(&self.handle), tree: Arc::clone(&self.tree) }
    }

    /// Removes a key.
    ///
    /// # Errors
    ///
    /// As [`slice::LSMTree::delete`](crate::LSMTree::delete).
    pub fn delete(&self, key: &[u8]) -> Result<()> {
        let core = &self.handle.core;
        core.finish_blocking(core.write_now(&self.tree, EntryKind::Delete, key, &[])?)
    }

    /// Writes all of a batch, as a whole.
    ///
    /// # Errors
    ///
    /// As [`slice::LSMTree::write`](crate::LSMTree::write).
    pub fn write(&self, batch: WriteBatch) -> Result<()> {
        let core = &self.handle.core;
        match core.write_batch_now(&self.handle, &self.tree, batch)? {
            Some(written) => core.finish_blocking(written),
            None => Ok(()),
        }
    }

    /// Makes all that was written before the call survive a power failure.
    ///
    /// # Errors
    ///
    /// As [`slice::LSMTree::sync`](crate::LSMTree::sync).
    pub fn sync(&self) -> Result<()> {
        self.handle.core.check_open()?;
        self.handle.core.sync_blocking()
    }

    /// Writes all that is in memory to tables.
    ///
    /// # Errors
    ///
    /// As [`slice::LSMTree::flush`](crate::LSMTree::flush).
    pub fn flush(&self) -> Result<()> {
        self.tree.check_exists()?;
        self.handle.core.flush_blocking(std::slice::from_ref(&self.tree))
    }

    /// Flushes, then merges everything into the last level.
    ///
    /// # Errors
    ///
    /// As [`slice::LSMTree::compact`](crate::LSMTree::compact).
    pub fn compact(&self) -> Result<()> {
        self.tree.check_exists()?;
        self.handle.core.compact_blocking(&self.tree)
    }

    /// Makes all that was written durable and releases the directory, for all handles.
    ///
    /// # Errors
    ///
    /// As [`slice::LSMTree::close`](crate::LSMTree::close).
    pub fn close(&self) -> Result<()> {
        self.handle.close()
    }

    /// A picture of what the store has done and what shape it is in.
    pub fn stats(&self) -> LSMStats {
        self.handle.core.stats(&self.tree)
    }

    /// Whether the store can do all of its work.
    pub fn health(&self) -> Health {
        self.handle.core.failures.health()
    }

    /// Reads every file of the open store past all caches, and reports all that is wrong.
    ///
    /// # Errors
    ///
    /// As [`slice::LSMTree::verify`](crate::LSMTree::verify).
    pub fn verify(&self) -> Result<Report> {
        self.handle.core.verify()
    }

    /// Forgets the cached rows and blocks.
    pub fn clear_cache(&self) {
        self.handle.core.caches.clear();
    }

    /// How much compaction is done at once.
    pub fn compaction_config(&self) -> CompactionConfig {
        self.handle.core.options.compaction.clone()
    }

    /// The options that the store was opened with.
    pub fn options(&self) -> &Options {
        &self.handle.core.options
    }

    /// The directory of the store.
    pub fn path(&self) -> PathBuf {
        self.handle.core.dir.clone()
    }
}

impl std::fmt::Debug for LSMTree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("blocking::LSMTree").field("path", &self.handle.core.dir).finish_non_exhaustive()
    }
}

/// What was in the store at one moment; see [`slice::Snapshot`](crate::Snapshot).
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
    /// As [`slice::LSMTree::get`](crate::LSMTree::get).
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let core = &self.moment.handle.core;
        Ok(core.get(&self.tree, key, self.moment.at(), ReadMode::Wait)?.map(Vec::from))
    }

    /// The sequence number of the last write that it sees.
    pub fn seqno(&self) -> u64 {
        self.moment.seqno.get()
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("blocking::Snapshot").field("seqno", &self.seqno()).finish_non_exhaustive()
    }
}
