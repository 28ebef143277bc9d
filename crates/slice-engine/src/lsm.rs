//! The async face of a store: argument checks and waiting, nothing else.
//!
//! No method blocks the runtime. What is in memory is answered on the spot; a block that must come from the disk is
//! read on a blocking thread; back-pressure and group fsync are waited for as tasks.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use slice_compaction::CompactionConfig;
use slice_sstable::ReadMode;
use slice_types::{EntryKind, Error, ErrorKind, Result};

use crate::db::{Core, Handle, ReadAt};
use crate::health::Health;
use crate::options::{Builder, Options};
use crate::snapshot::{Moment, Snapshot};
pub use crate::stats::{CompactionStats, FlushStats, LSMStats, WriteDelays};
use crate::tree::Tree;
use crate::verify::Report;
use crate::write_batch::WriteBatch;

/// An ordered map of bytes, in a directory.
///
/// A handle: cheap to clone, usable from any thread and task. Keys are any bytes up to 64 KiB, the empty key included;
/// values up to 1 GiB. See the [crate's front page](crate) for an example.
///
/// Dropping the last handle stops the background threads, waiting for them to end, and releases the directory before
/// `drop` returns. Nothing acknowledged is lost; [`close`](Self::close) does the same and reports errors.
#[derive(Clone)]
pub struct LSMTree {
    pub(crate) handle: Arc<Handle>,
    pub(crate) tree: Arc<Tree>,
}

impl LSMTree {
    /// Opens the store in a directory with the default options, making both if there is none.
    ///
    /// A directory that is open in this process with the same options gives the same store. Only the row cache may be
    /// asked for in another size: it is resized, for all handles.
    ///
    /// # Errors
    ///
    /// - `InvalidArgument`: the path is a file, or a directory of other files; an option is out of its bounds.
    /// - `Locked`: another process has it open, or this one with other options.
    /// - `Corruption`, `Unsupported`: the files are damaged, or of a newer format. Nothing is changed then.
    /// - `Io`, `StorageFull`: the operating system refused.
    pub async fn new(path: impl AsRef<Path>) -> Result<Self> {
        Self::builder(path).open().await
    }

    /// As [`new`](Self::new), with room for this many rows in the row cache.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub async fn new_with_cache_size(path: impl AsRef<Path>, entries: usize) -> Result<Self> {
        Self::builder(path).row_cache_entries(entries).open().await
    }

    /// As [`new_with_cache_size`](Self::new_with_cache_size), with bounds on how much compaction is done at once.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub async fn new_with_config(
        path: impl AsRef<Path>,
        cache_entries: usize,
        compaction: CompactionConfig,
    ) -> Result<Self> {
        Self::builder(path).row_cache_entries(cache_entries).compaction(compaction).open().await
    }

    /// Starts choosing options for the store in a directory.
    pub fn builder(path: impl AsRef<Path>) -> Builder {
        Builder::new(path.as_ref().to_owned())
    }

    pub(crate) async fn open(builder: Builder) -> Result<Self> {
        let handle = offload(move || Handle::open(builder)).await?;
        Ok(Self { tree: Arc::clone(&handle.core.tree), handle })
    }

    /// Sets a key to a value.
    ///
    /// Acknowledged as [`Options::durability`] says. Dropped before it is done, the write has either happened or not,
    /// as after a crash.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` for a key or value that is too long; `Closed`; `ReadOnly` after a failed fsync of the log;
    /// `StorageFull` or `Io` when the log cannot grow, or when the memory for writes is full and flushes fail. Nothing
    /// was written then, but for a failed fsync: after that the write may or may not survive a crash.
    pub async fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        let core = &self.handle.core;
        core.finish(core.write_now(&self.tree, EntryKind::Put, key, value)?).await
    }

    /// The newest value of a key.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` for a key that is too long; `Closed`; `Corruption` or `Io` when the block that should hold
    /// the key cannot be read.
    pub async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let value = lookup(&self.handle.core, &self.tree, key, ReadAt::Newest).await?;
        Ok(value.map(Vec::from))
    }

    /// Removes a key; nothing happens if it is not there.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub async fn delete(&self, key: &[u8]) -> Result<()> {
        let core = &self.handle.core;
        core.finish(core.write_now(&self.tree, EntryKind::Delete, key, &[])?).await
    }

    /// Writes all of a batch: seen by readers, and found after a crash, as a whole or not at all. An empty batch does
    /// nothing.
    ///
    /// Acknowledged as [`Options::durability`] says, and when dropped before, as for [`put`](Self::put).
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub async fn write(&self, batch: WriteBatch) -> Result<()> {
        let core = &self.handle.core;
        match core.write_batch_now(&self.handle, &self.tree, batch)? {
            Some(written) => core.finish(written).await,
            None => Ok(()),
        }
    }

    /// What is in the store now, to be read later. Costs a lock of its own and no more, however much is in the store.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { moment: Moment::now(&self.handle), tree: Arc::clone(&self.tree) }
    }

    /// Makes all that was written before the call survive a power failure, whatever the durability: one fsync.
    ///
    /// # Errors
    ///
    /// `Closed`; `Io` or `ReadOnly` when the fsync fails or has failed before.
    pub async fn sync(&self) -> Result<()> {
        self.handle.core.sync().await
    }

    /// Writes all that is in memory to tables; durable when this returns.
    ///
    /// # Errors
    ///
    /// `Closed`, and what keeps a table from being written. Nothing is lost then, and it is tried again by itself.
    pub async fn flush(&self) -> Result<()> {
        self.tree.check_exists()?;
        self.handle.core.flush(std::slice::from_ref(&self.tree)).await
    }

    /// Flushes, then merges all that is in tables by then into the last level, without what is overwritten or
    /// deleted. Returns when nothing of it is left to compact, and the files that it replaces are gone.
    ///
    /// # Errors
    ///
    /// `Closed`, and what keeps a table from being read or written. The inputs stay then.
    pub async fn compact(&self) -> Result<()> {
        self.tree.check_exists()?;
        self.handle.core.compact(&self.tree).await
    }

    /// Makes all that was written durable, stops the background threads and releases the directory, for all handles.
    /// It can be opened anew at once.
    ///
    /// # Errors
    ///
    /// `Closed` the second time; `Io` when the last fsync fails. The directory is released all the same.
    pub async fn close(&self) -> Result<()> {
        let handle = Arc::clone(&self.handle);
        offload(move || handle.close()).await
    }

    /// A picture of what the store has done and what shape it is in.
    pub fn stats(&self) -> LSMStats {
        self.handle.core.stats(&self.tree)
    }

    /// Whether the store can do all of its work.
    pub fn health(&self) -> Health {
        self.handle.core.failures.health()
    }

    /// Reads every file of the open store past all caches, and reports all that is wrong. Reads and writes go on;
    /// flushes wait while the logs are read.
    ///
    /// # Errors
    ///
    /// `Closed`. What is wrong with the files is no error, but in the report.
    pub async fn verify(&self) -> Result<Report> {
        let handle = Arc::clone(&self.handle);
        offload(move || handle.core.verify()).await
    }

    /// Forgets the cached rows and blocks; the counts of hits and misses stay.
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
        f.debug_struct("LSMTree").field("path", &self.handle.core.dir).finish_non_exhaustive()
    }
}

/// Looks a key up in memory and caches, and only then on the disk, on a blocking thread.
pub(crate) async fn lookup(
    core: &Arc<Core>,
    tree: &Arc<Tree>,
    key: &[u8],
    at: ReadAt,
) -> Result<Option<Bytes>> {
    match core.get(tree, key, at, ReadMode::CachedOnly) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            let (core, tree, key) = (Arc::clone(core), Arc::clone(tree), key.to_vec());
            offload(move || core.get(&tree, &key, at, ReadMode::Wait)).await
        }
        answer => answer,
    }
}

/// Runs what may block on a blocking thread of the runtime; without a runtime, here.
pub(crate) async fn offload<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return work() };
    match runtime.spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_cancelled) => Err(Error::new(ErrorKind::Closed, "the runtime is shutting down")),
        },
    }
}
