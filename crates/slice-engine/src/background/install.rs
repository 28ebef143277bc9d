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

use slice_types::{Error, ErrorKind, Level, LogNumber, RangeTombstone, Result, TableId};
use slice_vfs::SyncSite;

use crate::db::Core;
use crate::manifest::{Edit, Manifest};
use crate::signal::lock;
use crate::tree::{OpenTable, Tree, Version, View};

/// Why the names of new tables are synced: the manifest is about to say that they are there.
pub const TABLE_NAMES: SyncSite = SyncSite::new("table.names");

/// What a flush or a compaction changes.
#[derive(Default)]
pub(crate) struct Change {
    pub(crate) removed: Vec<TableId>,
    pub(crate) added: Vec<(Level, Arc<OpenTable>)>,
    /// Range tombstones that leave memory together with what else is added.
    pub(crate) deleted: Vec<RangeTombstone>,
    /// The keyspace needs the logs below this number no more.
    pub(crate) first_log: Option<LogNumber>,
}

impl Core {
    /// Records a change of a keyspace and publishes it; `also` changes the rest of the view in the same step.
    ///
    /// # Errors
    ///
    /// `Conflict` when the keyspace was dropped, or a table that is to be removed is gone: the keyspace was cleared. Any
    /// error changes nothing, and the files of the added tables are kept until it is certain that no manifest names
    /// them.
    pub(crate) fn install(&self, tree: &Tree, change: &Change, also: impl FnOnce(&mut View)) -> Result<()> {
        let recorded = self.record_and_publish(tree, change, also);
        if recorded.is_err() {
            let moved = |id: &TableId| change.removed.contains(id);
            let written = change.added.iter().map(|(_, table)| table.id()).filter(|id| !moved(id));
            lock(&self.limbo).extend(written);
        }
        recorded
    }

    fn record_and_publish(&self, tree: &Tree, change: &Change, also: impl FnOnce(&mut View)) -> Result<()> {
        let mut manifest = lock(&self.manifest);
        check_is_current(tree, change)?;
        self.fs
            .sync_dir(&self.dir, TABLE_NAMES)
            .map_err(|error| Error::io("make the names of tables durable", error).with_file(&self.dir))?;
        let before = Arc::clone(&tree.view().version);
        let next = Arc::new(before.next(&change.removed, &change.added, &change.deleted));
        manifest.record(&self.edit(tree, change, &before, &next))?;
        self.leave_limbo(&manifest);
        let mut retired = Vec::new();
        tree.update(|view| {
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
    pub(crate) fn leave_limbo(&self, manifest: &Manifest) {
        if manifest.is_settled() {
            lock(&self.graveyard).append(&mut lock(&self.limbo));
        }
    }

    fn edit(&self, tree: &Tree, change: &Change, before: &Version, next: &Version) -> Edit {
        let added = change.added.iter().map(|(level, table)| (tree.id, *level, Arc::clone(&table.meta)));
        let logs = change.first_log.map(|first| self.leaves_logs(tree, first)).unwrap_or_default();
        Edit {
            removed: change.removed.iter().map(|id| (tree.id, *id)).collect(),
            added: added.collect(),
            tombstones_added: joined(before, next).map(|tombstone| (tree.id, tombstone.clone())).collect(),
            tombstones_removed: joined(next, before).map(|tombstone| (tree.id, tombstone.seqno)).collect(),
            ..logs
        }
    }

    /// What the manifest has to know once a keyspace needs the logs below `first` no more: how far back logs are needed
    /// then, and which numbers the logs before that have taken. The numbers are those of the logs that go, and not the
    /// newest: a later recovery shows a hole in the logs that stay by a number that does not follow on these.
    pub(crate) fn leaves_logs(&self, tree: &Tree, first: LogNumber) -> Edit {
        let oldest = self.commit.oldest_log(tree.id, first);
        Edit {
            first_logs: vec![(tree.id, first)],
            oldest_log: Some(oldest),
            last_seqno: self.logs.last_below(oldest),
            ..Edit::default()
        }
    }

    /// Gives up the logs that no keyspace needs any more, as the manifest says by now.
    pub(crate) fn release_logs(&self) {
        let first = lock(&self.manifest).state().first_log();
        if let Some(last) = first.0.checked_sub(1).map(LogNumber) {
            self.commit.sync.forget_through(last);
        }
        self.logs.release_below(first);
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

/// Whether the keyspace still is what the change was made for. Under the manifest's lock, so it stays so.
fn check_is_current(tree: &Tree, change: &Change) -> Result<()> {
    tree.check_exists()?;
    let view = tree.view();
    if change.removed.iter().any(|id| view.version.table(*id).is_none()) {
        return Err(Error::new(ErrorKind::Conflict, "the keyspace was cleared meanwhile"));
    }
    Ok(())
}
