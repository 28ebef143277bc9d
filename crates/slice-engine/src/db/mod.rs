//! A database: one directory, one log, one manifest, and all that works on them.
//!
//! [`Core`] is what everything shares. Background threads hold it; users hold a [`Handle`], and when the last handle
//! goes, the threads are told to end and the directory is released.

mod handle;
mod keyspaces;
pub(crate) mod logs;
pub(crate) mod names;
mod open;
mod read;
mod read_only;
mod snapshots;
#[cfg(test)]
mod tests;
mod trees;
mod upkeep;
mod write;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use slice_memtable::MemTable;
use slice_types::{Error, ErrorKind, TableId};
use slice_vfs::{FileLock, Fs};

pub(crate) use handle::Handle;
pub use keyspaces::MAX_KEYSPACE_NAME_LEN;
pub(crate) use keyspaces::check_own;
pub(crate) use logs::{Logs, Pace, Ready, Ticket, Wanted};
pub(crate) use open::{Declared, directory, open};
pub(crate) use read::ReadAt;
pub(crate) use snapshots::{Horizon, Snapshots};
pub(crate) use trees::Trees;

use crate::background::drain::Drain;
use crate::background::pick::Jobs;
use crate::background::threads::Threads;
use crate::background::timer::Timer;
use crate::commit::Commit;
use crate::commit::pressure::Pressure;
use crate::health::Failures;
use crate::manifest::Manifest;
use crate::options::{Background, Budget, Options};
use crate::primitives::Mutex;
use crate::signal::{Signal, lock};
use crate::stats::{Counters, LSMStats};
use crate::tree::{Caches, Graveyard, Tree};
use crate::values::Time;

/// All that a database consists of while it is open.
///
/// Locks are taken in this order, and each is left out where it is not needed: `ingesting`, `flushing`, `manifest`, the commit
/// lock, the tree's update lock. No lock is held while a reader or writer is waited for.
pub(crate) struct Core {
    pub(crate) fs: Arc<dyn Fs>,
    pub(crate) dir: PathBuf,
    pub(crate) options: Options,
    pub(crate) budget: Budget,
    /// What time it is for values that expire.
    pub(crate) time: Arc<Time>,
    /// The default keyspace.
    pub(crate) tree: Arc<Tree>,
    /// All keyspaces, the default one among them.
    pub(crate) trees: Trees,
    pub(crate) snapshots: Snapshots,
    pub(crate) caches: Caches,
    pub(crate) commit: Commit,
    pub(crate) logs: Logs,
    pub(crate) manifest: Mutex<Manifest>,
    pub(crate) next_table: AtomicU64,
    pub(crate) graveyard: Arc<Graveyard>,
    /// Tables to be removed later: of an edit that may or may not have been recorded, until the manifest is settled
    /// again; and those whose files could not be removed.
    pub(crate) limbo: Mutex<Vec<TableId>>,
    pub(crate) jobs: Jobs,
    /// Held by the one flush that runs.
    pub(crate) flushing: Mutex<()>,
    /// Held by the one load in bulk that takes its place.
    pub(crate) ingesting: Mutex<()>,
    /// Held by a caller that compacts by itself.
    pub(crate) compacting: Mutex<()>,
    pub(crate) pressure: Pressure,
    pub(crate) drain: Drain,
    pub(crate) counters: Counters,
    pub(crate) failures: Failures,
    /// Raised after each flush and compaction, ended well or badly, and at close.
    pub(crate) changed: Signal,
    pub(crate) timer: Timer,
    pub(crate) threads: Threads,
    pub(crate) stopping: AtomicBool,
    directory_lock: Mutex<Option<Box<dyn FileLock>>>,
}

impl Core {
    /// A number for a table that is about to be written.
    pub(crate) fn new_table_id(&self) -> TableId {
        TableId(self.next_table.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub(crate) fn is_inline(&self) -> bool {
        self.options.background == Background::Inline
    }

    /// An error once the database is closed.
    pub(crate) fn check_open(&self) -> slice_types::Result<()> {
        if self.is_stopping() { Err(self.closed()) } else { Ok(()) }
    }

    /// Does something in the directory that a store which is closed meanwhile must not do: it is not released before this
    /// is done.
    ///
    /// # Errors
    ///
    /// `Closed` once it was released, and nothing is done; what `work` says.
    pub(crate) fn in_directory<T>(
        &self,
        work: impl FnOnce() -> slice_types::Result<T>,
    ) -> slice_types::Result<T> {
        let held = lock(&self.directory_lock);
        if held.is_none() {
            return Err(self.closed());
        }
        work()
    }

    pub(crate) fn closed(&self) -> Error {
        Error::new(ErrorKind::Closed, "the store was closed; open it again").with_file(&self.dir)
    }

    /// Bytes that the filters and indexes of the open tables take.
    fn table_memory(&self) -> usize {
        let memory_of = |tree: &Arc<Tree>| tree.view().version.memory_used();
        self.trees.all().iter().map(memory_of).sum()
    }

    /// Makes the block cache fit beside the tables that are open now.
    pub(crate) fn balance_memory(&self) {
        self.caches.make_room(&self.options, self.table_memory());
    }

    /// A picture of this moment: the shape of one keyspace, and what the store has done for all.
    pub(crate) fn stats(&self, tree: &Tree) -> LSMStats {
        let view = tree.view();
        let levels = view.version.levels();
        let bytes =
            |tables: &Vec<Arc<crate::tree::OpenTable>>| tables.iter().map(|table| table.meta.bytes).sum();
        let (open_transactions, conflict_index_entries) = self.commit.transactions();
        LSMStats {
            level_stats: levels
                .iter()
                .enumerate()
                .filter(|(_, tables)| !tables.is_empty())
                .map(|(level, tables)| (level, tables.len(), bytes(tables)))
                .collect(),
            immutable_memtables: view.frozen.len(),
            cache_stats: self.caches.rows.cache().stats(),
            block_cache_stats: self.caches.blocks.stats(),
            compaction_stats: self.counters.compaction_stats(),
            flush_stats: self.counters.flush_stats(),
            write_delays: self.pressure.counted(),
            write_delays_by_cause: self.pressure.by_cause(),
            memtable_bytes: view.active.memory_used(),
            table_memory: self.table_memory(),
            last_seqno: self.commit.visible().get(),
            range_tombstones: view.version.range_tombstones().len(),
            open_transactions,
            conflict_index_entries,
        }
    }

    /// Makes all that was written so far durable, then stops as [`Core::stop`] does.
    pub(crate) fn close(&self) -> slice_types::Result<()> {
        self.check_open()?;
        let synced = self.sync_blocking();
        self.commit.close(&self.closed());
        let trimmed = self.commit.trim();
        self.stop();
        synced.and(trimmed)
    }

    /// Refuses writes, ends the background threads, and releases the directory. The log stays as it is.
    pub(crate) fn stop(&self) {
        // The signals raised below, and the locks in them, bring it to all who wait.
        if self.stopping.swap(true, Ordering::Relaxed) {
            return;
        }
        self.trees.all().iter().for_each(|tree| tree.cancel.store(true, Ordering::Relaxed));
        self.commit.close(&self.closed());
        self.commit.sync.stop();
        self.timer.stop();
        self.jobs.changed.raise();
        self.logs.work.raise();
        self.logs.flush.raise();
        self.changed.raise();
        self.threads.join();
        // Callers that do the work themselves, too, have to be done before the directory is somebody else's.
        drop((lock(&self.ingesting), lock(&self.flushing), lock(&self.compacting)));
        self.bury();
        self.logs.drop_next();
        lock(&self.directory_lock).take();
    }
}
