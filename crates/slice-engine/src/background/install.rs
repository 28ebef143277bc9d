//! Making the next version: durable first, visible second, the old removed last.
//!
//! ```text
//!   tables written and synced ── names synced ── edit recorded and synced ── view published ── inputs retired
//!                                                          └ from here on a crash keeps the new tables
//! ```
//!
//! All of it happens under the manifest's lock, so versions follow one another in the order of their edits. Readers
//! never take that lock.

use std::collections::HashSet;
use std::sync::Arc;

use slice_types::{Error, Level, LogNumber, RangeTombstone, Result, SeqNo, TableId};
use slice_vfs::SyncSite;

use crate::db::Core;
use crate::manifest::{Edit, Manifest};
use crate::signal::lock;
use crate::tree::{OpenTable, Version, View};

/// Why the names of new tables are synced: the manifest is about to say that they are there.
pub const TABLE_NAMES: SyncSite = SyncSite::new("table.names");

/// What a flush or a compaction changes.
#[derive(Default)]
pub(crate) struct Change {
    pub(crate) removed: Vec<TableId>,
    pub(crate) added: Vec<(Level, Arc<OpenTable>)>,
    /// Range tombstones that leave memory together with what else is added.
    pub(crate) deleted: Vec<RangeTombstone>,
    /// The newest number in the memtable that a flush wrote.
    pub(crate) last_seqno: Option<SeqNo>,
    /// The logs below this number are not needed any more.
    pub(crate) first_log: Option<LogNumber>,
}

impl Core {
    /// Records a change and publishes it; `also` changes the rest of the view in the same step.
    ///
    /// # Errors
    ///
    /// Then nothing is changed, and the files of the added tables are kept until it is certain that no manifest
    /// names them.
    pub(crate) fn install(&self, change: &Change, also: impl FnOnce(&mut View)) -> Result<()> {
        let recorded = self.record_and_publish(change, also);
        if recorded.is_err() {
            let moved = |id: &TableId| change.removed.contains(id);
            let written = change.added.iter().map(|(_, table)| table.id()).filter(|id| !moved(id));
            lock(&self.limbo).extend(written);
        }
        recorded
    }

    fn record_and_publish(&self, change: &Change, also: impl FnOnce(&mut View)) -> Result<()> {
        let mut manifest = lock(&self.manifest);
        self.fs
            .sync_dir(&self.dir, TABLE_NAMES)
            .map_err(|error| Error::io("make the names of tables durable", error).with_file(&self.dir))?;
        let before = Arc::clone(&self.tree.view().version);
        let next = Arc::new(before.next(&change.removed, &change.added, &change.deleted));
        manifest.record(&self.edit(change, &before, &next))?;
        self.leave_limbo(&manifest);
        let mut retired = Vec::new();
        self.tree.update(|view| {
            retired = change.removed.iter().filter_map(|id| before.table(*id).cloned()).collect();
            retired.retain(|table| next.table(table.id()).is_none());
            view.version = next;
            also(view);
        });
        drop(manifest);
        self.balance_memory();
        for table in retired {
            table.retire();
        }
        Ok(())
    }

    /// Sees to it that the manifest can be written, before tables are written that it would have to name: a job that
    /// cannot be recorded must not fill the disk, time after time.
    pub(crate) fn settle_manifest(&self) -> Result<()> {
        let mut manifest = lock(&self.manifest);
        manifest.ensure_writable()?;
        self.leave_limbo(&manifest);
        drop(manifest);
        if self.is_inline() {
            self.bury();
        }
        Ok(())
    }

    /// Gives up the tables of edits that failed, once it is certain that no manifest names them, and tries again what
    /// could not be removed.
    fn leave_limbo(&self, manifest: &Manifest) {
        if manifest.is_settled() {
            lock(&self.graveyard).append(&mut lock(&self.limbo));
        }
    }

    fn edit(&self, change: &Change, before: &Version, next: &Version) -> Edit {
        let keyspace = self.tree.id;
        let added = change.added.iter().map(|(level, table)| (keyspace, *level, Arc::clone(&table.meta)));
        Edit {
            removed: change.removed.iter().map(|id| (keyspace, *id)).collect(),
            added: added.collect(),
            tombstones_added: joined(before, next).map(|tombstone| (keyspace, tombstone.clone())).collect(),
            tombstones_removed: joined(next, before).map(|tombstone| (keyspace, tombstone.seqno)).collect(),
            last_seqno: change.last_seqno,
            first_logs: change.first_log.map(|log| (keyspace, log)).into_iter().collect(),
            ..Edit::default()
        }
    }

    /// Removes the files of tables that nobody reads any more.
    pub(crate) fn bury(&self) {
        let dead = lock(&self.graveyard).clone();
        for id in &dead {
            self.remove_table_files(*id);
        }
        // Only now: while they are in the list, whoever waits for the files to be gone goes on waiting.
        lock(&self.graveyard).retain(|id| !dead.contains(id));
    }
}

/// The range tombstones of a version that another one does not have.
fn joined<'a>(before: &Version, next: &'a Version) -> impl Iterator<Item = &'a RangeTombstone> {
    let known: HashSet<_> = before.range_tombstones().iter().map(|tombstone| tombstone.seqno).collect();
    next.range_tombstones().iter().filter(move |tombstone| !known.contains(&tombstone.seqno))
}
