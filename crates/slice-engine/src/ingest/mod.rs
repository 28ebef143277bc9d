//! Loading sorted pairs in bulk: straight into tables, past the log and the memtables.
//!
//! ```text
//!   writers go on                          | writers wait                                      | and go on
//!   tables written, numbered 0   flush     | flush the rest - take numbers - sync the log -    |
//!                                          | place, record, show the tables - publish          |
//! ```
//!
//! A pair is newer than all that was written before and older than all that comes later. So when the tables take their
//! place, nothing older may be in a memtable, which is asked before any table; and writers wait meanwhile, for as long as
//! a flush and two fsyncs take. Each table has one number for all of its entries, which stands in the manifest; what is
//! in its blocks is a placeholder.
//!
//! Invariants: the tables are in one edit of the manifest, and their numbers are published at once. Nobody who has a view
//! without them gets to see what is written behind them: the memtable is a new one, too.

mod load;

use std::sync::Arc;

use slice_compaction::TableMeta;
use slice_types::{Error, KeyRange, Level, Result, SeqNo};

use crate::background::install::Change;
use crate::db::Core;
use crate::lsm::offload;
use crate::planted::Bug;
use crate::primitives::MutexGuard;
use crate::signal::lock;
use crate::tree::{OpenTable, Tree};
use crate::{LSMTree, blocking};

impl LSMTree {
    /// Loads pairs of key and value that come in ascending order of their keys, straight into tables: the way to fill
    /// a store, or a part of it. Gives how many there were.
    ///
    /// It replaces what the same keys had before. Readers see all of it or nothing, snapshots from before see none of it,
    /// and after a crash all of it is there or nothing; all of it, and all that was written before, is durable when this
    /// returns. It takes the memory of a table's index, however many pairs there are. Others read and write
    /// meanwhile; writers wait for a moment at the end. The pairs never expire.
    ///
    /// The iterator runs on a blocking thread of the runtime. Dropped before it is done, the load goes on.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` for a key that is not above the one before it, equal ones included, and for a key or a value that
    /// is too long; `Closed`, `ReadOnly`; `Io` and `StorageFull` when tables or the log cannot be written. Nothing was
    /// changed then; but when recording the tables fails and the machine with it, they may be there after the crash.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> slice::Result<()> {
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let path = dir.path().join("data");
    /// use slice::LSMTree;
    ///
    /// let lsm = LSMTree::new(&path).await?;
    /// let pairs = (0..10_000_u32).map(|n| (n.to_be_bytes(), format!("value {n}")));
    /// assert_eq!(lsm.ingest(pairs).await?, 10_000);
    /// assert_eq!(lsm.get(&7_u32.to_be_bytes()).await?, Some(b"value 7".to_vec()));
    /// # Ok(()) }
    /// ```
    pub async fn ingest<K, V, I>(&self, pairs: I) -> Result<u64>
    where
        K: AsRef<[u8]>,
        V: AsRef<[u8]>,
        I: IntoIterator<Item = (K, V)> + Send + 'static,
    {
        let (handle, tree) = (Arc::clone(&self.handle), Arc::clone(&self.tree));
        offload(move || handle.core.ingest(&tree, pairs)).await
    }
}

impl blocking::LSMTree {
    /// Loads pairs of key and value that come in ascending order of their keys, straight into tables.
    ///
    /// # Errors
    ///
    /// As [`slice::LSMTree::ingest`](crate::LSMTree::ingest).
    pub fn ingest<K, V, I>(&self, pairs: I) -> Result<u64>
    where
        K: AsRef<[u8]>,
        V: AsRef<[u8]>,
        I: IntoIterator<Item = (K, V)>,
    {
        self.handle.core.ingest(&self.tree, pairs)
    }
}

impl Core {
    /// Loads pairs into tables of a keyspace.
    pub(crate) fn ingest<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        tree: &Arc<Tree>,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<u64> {
        self.check_open()?;
        self.check_writable()?;
        tree.check_exists()?;
        let loaded = load::write(self, tree, pairs)?;
        let count = loaded.iter().map(|table| table.meta.entries).sum();
        if !loaded.is_empty() {
            let joined = self.flush_for_ingest(tree).inspect_err(|_| give_up(&loaded));
            let joined = joined.and_then(|()| self.join(tree, loaded));
            self.changed.raise();
            self.jobs.changed.raise();
            joined?;
        }
        if self.is_inline() {
            // What is loaded is there, whatever comes of merging it: a failure is told by the next call and by `health`.
            let _told = self.flush_inline();
        }
        Ok(count)
    }

    /// Gives tables their place in the history and in the tree.
    fn join(&self, tree: &Arc<Tree>, mut tables: Vec<Arc<OpenTable>>) -> Result<()> {
        let held = Held::new(self);
        let first = self.numbers_for(tree, &tables).inspect_err(|_| give_up(&tables))?;
        for (table, n) in tables.iter_mut().zip(0..) {
            Arc::get_mut(table).expect("nobody else has a table that is in no version").number(first.plus(n));
        }
        let last = first.plus(tables.len() as u64 - 1);
        let installed = self.install_ingested(tree, &tables);
        // The numbers are taken in any case.
        let changed = if installed.is_ok() { tables.iter().filter_map(range).collect() } else { Vec::new() };
        self.commit.publish(last, tree, &changed);
        drop(held);
        installed
    }

    /// The first of so many numbers. All that has lower ones is durable then, and in tables if it is of the keyspace.
    fn numbers_for(&self, tree: &Arc<Tree>, tables: &[Arc<OpenTable>]) -> Result<SeqNo> {
        self.flush_for_ingest(tree)?;
        let (first, end) = self.commit.take_numbers(tables.len())?;
        // What is recorded next survives a power failure, so all before it has to.
        self.sync_to(end)?;
        Ok(first)
    }

    /// Once before writers are held, so that little is left to do then, and once more.
    fn flush_for_ingest(&self, tree: &Arc<Tree>) -> Result<()> {
        if self.options.planted.has(Bug::IngestUnflushed) {
            return Ok(());
        }
        self.flush_blocking(std::slice::from_ref(tree))
    }

    fn install_ingested(&self, tree: &Arc<Tree>, tables: &[Arc<OpenTable>]) -> Result<()> {
        let fresh = self.commit.renew_memtable(tree);
        let installed = Self::beside_jobs(tree, |busy, levels| {
            let place = |table: &Arc<OpenTable>| (busy.place(&table.meta, levels), Arc::clone(table));
            let added: Vec<(Level, _)> = tables.iter().map(place).collect();
            let change = Change { added, ..Change::default() };
            self.install(tree, &change, |view| {
                view.active = fresh.clone().unwrap_or_else(|| view.active.clone());
            })
        });
        if installed.is_err()
            && let Some(fresh) = fresh
        {
            tree.update(|view| view.active = fresh);
        }
        installed
    }
}

/// The keys that a table may change.
fn range(table: &Arc<OpenTable>) -> Option<KeyRange> {
    let TableMeta { smallest, largest, .. } = &*table.meta;
    KeyRange::within::<&Arc<[u8]>>(&(smallest..=largest))
        .expect("keys of a table ascend, and are not too long")
}

/// Has the files of tables removed that are in no version.
fn give_up(tables: &[Arc<OpenTable>]) {
    for table in tables {
        table.retire();
    }
}

/// All writers wait for as long as it lives. One at a time.
struct Held<'a> {
    core: &'a Core,
    _one_at_a_time: MutexGuard<'a, ()>,
}

impl<'a> Held<'a> {
    fn new(core: &'a Core) -> Self {
        let one_at_a_time = lock(&core.ingesting);
        core.commit.hold();
        Self { core, _one_at_a_time: one_at_a_time }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.core.commit.let_go();
        self.core.changed.raise();
    }
}

/// A key that does not stand behind the one before it.
fn out_of_order(last: &[u8], key: &[u8]) -> Error {
    let (last, key) = (brief(last), brief(key));
    Error::invalid_argument(format!(
        "the pairs are not in ascending order of their keys: {key} follows {last}; sort them, each key once"
    ))
}

fn brief(key: &[u8]) -> String {
    let shown = &key[..key.len().min(64)];
    let rest = if shown.len() < key.len() { "..." } else { "" };
    format!("\"{}{rest}\"", shown.escape_ascii())
}
