//! Making, emptying and dropping keyspaces: an edit of the manifest each.
//!
//! ```text
//!   create   edit durable ── takes writes ── can be found
//!   clear    writers wait ── log switched, synced ── edit durable ── empty view published ── writers go on
//!   drop     the same, and then the keyspace is found no more; entries that are left in logs are of a number that is not
//!            given again
//! ```
//!
//! The log is synced before an edit takes anything away: what was written before must not be lost by a power failure
//! that the edit survives.

use std::sync::Arc;

use slice_types::{Error, KeyspaceId, LogNumber, Result};
use slice_wal::{EncodedBatch, LogPosition};

use super::open::view;
use super::{Core, Declared, Ready};
use crate::commit::unknown;
use crate::manifest::{DEFAULT_NAME, Edit, Manifest};
use crate::options::{KeyspaceOptions, Options};
use crate::signal::lock;
use crate::tree::{Settings, Tree, Version};
use crate::values::Rules;

/// The longest name of a keyspace, in bytes.
pub const MAX_KEYSPACE_NAME_LEN: usize = 255;

impl Core {
    /// The keyspace of a name, made with the store's options if there is none.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` for a name that cannot be; `Closed`; what keeps the manifest from being written.
    pub(crate) fn keyspace(&self, name: &str) -> Result<Arc<Tree>> {
        self.check_open()?;
        match self.trees.named(name) {
            Some(tree) => Ok(tree),
            None => self.find_or_create(name, &self.options),
        }
    }

    /// The keyspace of a name with options of its own, made if there is none. Of one that is there the options count
    /// from now on.
    ///
    /// # Errors
    ///
    /// As [`Core::keyspace`]; `InvalidArgument` for options out of their bounds, and for the default keyspace.
    pub(crate) fn keyspace_with(&self, name: &str, own: &KeyspaceOptions) -> Result<Arc<Tree>> {
        self.check_open()?;
        check_own(name, own, &self.options)?;
        if name == DEFAULT_NAME {
            return Ok(Arc::clone(&self.tree));
        }
        let options = self.budget.cut(own.over(&self.options));
        let tree = self.find_or_create(name, &options)?;
        let chosen = tree.settings();
        if chosen.options != options {
            check_same_rules(&chosen.options, &options)?;
            self.commit.choose(tree.id, &options);
            tree.choose(Settings::new(options));
        }
        Ok(tree)
    }

    /// Opens or makes the keyspaces that were declared.
    ///
    /// # Errors
    ///
    /// As [`Core::keyspace_with`].
    pub(crate) fn declare(&self, declared: &Declared) -> Result<()> {
        declared.iter().try_for_each(|(name, own)| self.keyspace_with(name, own).map(drop))
    }

    fn find_or_create(&self, name: &str, options: &Options) -> Result<Arc<Tree>> {
        check_name(name)?;
        self.check_writable()?;
        let mut manifest = lock(&self.manifest);
        // Closed meanwhile, the directory may be another's.
        self.check_open()?;
        match self.trees.named(name) {
            Some(tree) => Ok(tree),
            None => self.create(&mut manifest, name, options),
        }
    }

    fn create(&self, manifest: &mut Manifest, name: &str, options: &Options) -> Result<Arc<Tree>> {
        let id = manifest.state().next_keyspace;
        // Older logs may be gone, and are not to be missed.
        let first_logs = vec![(id, self.commit.position().log)];
        manifest.record(&Edit { keyspaces: vec![(id, name.to_owned())], first_logs, ..Edit::default() })?;
        self.leave_limbo(manifest);
        let view = view(options.memtable_kind, Vec::new(), Version::default());
        let settings = Settings::new(options.clone());
        let rules = Rules::new(options, Arc::clone(&self.time));
        let tree = Arc::new(Tree::new(id, name.to_owned(), settings, rules, view));
        self.commit.add(Arc::clone(&tree));
        self.trees.add(Arc::clone(&tree));
        Ok(tree)
    }

    /// The names of all keyspaces, in order.
    pub(crate) fn keyspaces(&self) -> Vec<String> {
        let mut names: Vec<_> = self.trees.all().iter().map(|tree| tree.name.clone()).collect();
        names.sort_unstable();
        names
    }

    /// The keyspaces of a batch, in its order.
    pub(crate) fn trees_of(&self, batch: &EncodedBatch) -> Result<Vec<Arc<Tree>>> {
        let tree = |id: &KeyspaceId| self.trees.get(*id).ok_or_else(|| unknown(*id));
        batch.keyspaces().iter().map(tree).collect()
    }

    /// Takes away all that is in a keyspace.
    ///
    /// # Errors
    ///
    /// `Closed`; `InvalidArgument` when it was dropped; what keeps the log from being synced or the manifest from being
    /// written. Nothing is changed then.
    pub(crate) fn clear(&self, tree: &Tree) -> Result<()> {
        self.take_away(tree, Edit::default(), || ())
    }

    /// Drops a keyspace, with all that is in it.
    ///
    /// # Errors
    ///
    /// As [`Core::clear`]; `InvalidArgument` when there is none of that name, and for the default keyspace.
    pub(crate) fn drop_keyspace(&self, name: &str) -> Result<()> {
        self.check_open()?;
        let named = self.trees.named(name);
        let tree = named.ok_or_else(|| Error::invalid_argument(format!("there is no keyspace {name:?}")))?;
        if tree.id == KeyspaceId::DEFAULT {
            return Err(Error::invalid_argument("the default keyspace cannot be dropped; clear it"));
        }
        self.take_away(&tree, Edit { dropped: vec![tree.id], ..Edit::default() }, || {
            tree.drop_for_good();
            self.commit.remove(tree.id);
            self.trees.remove(tree.id);
        })
    }

    /// Empties a keyspace by an edit; `also` is done in the same step as the empty view is published.
    fn take_away(&self, tree: &Tree, edit: Edit, also: impl FnOnce()) -> Result<()> {
        self.check_writable()?;
        let no_flush = lock(&self.flushing);
        self.check_open()?;
        let last = self.pause(tree)?;
        let taken = self.take_away_through(tree, last, edit, also);
        self.commit.all_has_changed(tree.id);
        self.commit.go_on(tree.id);
        drop(no_flush);
        if taken.is_ok() {
            self.release_logs();
            self.update_pressure();
        } else {
            // What was frozen is still to be flushed.
            self.logs.flush_is_due();
        }
        self.changed.raise();
        self.jobs.changed.raise();
        self.logs.work.raise();
        if self.is_inline() {
            self.bury();
        }
        taken
    }

    /// Makes writers to a keyspace wait, and gives the last log that has anything of it.
    fn pause(&self, tree: &Tree) -> Result<LogNumber> {
        loop {
            match self.commit.pause(tree.id, &self.logs)? {
                Ready::Now(last) => {
                    return last.ok_or_else(|| tree.check_exists().err().unwrap_or_else(|| self.closed()));
                }
                Ready::Later(ticket) => self.changed.wait(|| self.next_log(ticket))?,
            }
        }
    }

    /// Takes away what a keyspace has in logs up to `last` and in tables.
    fn take_away_through(&self, tree: &Tree, last: LogNumber, edit: Edit, also: impl FnOnce()) -> Result<()> {
        self.sync_to(LogPosition { log: last, offset: u64::MAX })?;
        let mut manifest = lock(&self.manifest);
        let view = tree.view();
        let tables = view.version.levels().iter().flatten().map(|table| (tree.id, table.id()));
        let is_dropped = !edit.dropped.is_empty();
        let logs = self.leaves_logs(tree, LogNumber(last.0 + 1));
        let edit = if is_dropped {
            Edit { first_logs: Vec::new(), dropped: edit.dropped, ..logs }
        } else {
            let tombstones =
                view.version.range_tombstones().iter().map(|tombstone| (tree.id, tombstone.seqno));
            Edit { removed: tables.collect(), tombstones_removed: tombstones.collect(), ..logs }
        };
        manifest.record(&edit)?;
        self.leave_limbo(&manifest);
        also();
        let retired = tree.empty(last);
        drop(manifest);
        for table in retired {
            table.retire();
        }
        Ok(())
    }
}

/// Whether a keyspace may have this name.
pub(crate) fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.len() > MAX_KEYSPACE_NAME_LEN {
        let message =
            format!("the name of a keyspace has 1 to {MAX_KEYSPACE_NAME_LEN} bytes, not {}", name.len());
        return Err(Error::invalid_argument(message));
    }
    Ok(())
}

/// Whether a keyspace may have these options in a store of those.
pub(crate) fn check_own(name: &str, own: &KeyspaceOptions, store: &Options) -> Result<()> {
    check_name(name)?;
    if name == DEFAULT_NAME && *own != KeyspaceOptions::new() {
        return Err(Error::invalid_argument("the options of the default keyspace are those of the store"));
    }
    own.over(store).validate()
}

/// What values mean is fixed while a keyspace is open: reads and merges under way count on it.
fn check_same_rules(chosen: &Options, asked: &Options) -> Result<()> {
    if (&chosen.merge_operator, chosen.default_ttl) == (&asked.merge_operator, asked.default_ttl) {
        return Ok(());
    }
    let message = "the keyspace is open with another merge operator or time to live; declare it with \
                   Builder::keyspace when the store is opened";
    Err(Error::invalid_argument(message))
}
