//! Turning the oldest frozen memtable into a table of level 0.
//!
//! The memtable stays in the view, and its log on disk, until the table is durable and recorded: a flush that fails
//! is simply tried again.

use std::sync::Arc;

use slice_compaction::{DeeperKeys, MergeOptions, Raise, merge_values};
use slice_memtable::MemTable;
use slice_types::{EntryIterator, Level, LogNumber, RangeIndex, RangeTombstone, Result, SeqNo};
use slice_wal::LogPosition;

use super::counts;
use super::install::Change;
use super::outputs::Outputs;
use crate::background::clock::now;
use crate::db::Core;
use crate::planted::Bug;
use crate::signal::lock;
use crate::tree::{Frozen, Input, OpenTable, Tree};

type Key = Arc<[u8]>;

/// The frozen memtable that holds the oldest log back, of all keyspaces.
fn oldest(core: &Core) -> Option<(Arc<Tree>, Arc<Frozen>)> {
    let trees = core.trees.all();
    let oldest = trees.iter().filter_map(|tree| Some((tree, tree.view().frozen.last().cloned()?)));
    oldest.min_by_key(|(_, frozen)| frozen.log).map(|(tree, frozen)| (Arc::clone(tree), frozen))
}

/// Flushes the oldest frozen memtable; `false` when there is none.
pub(crate) fn flush_oldest(core: &Core) -> Result<bool> {
    let _one_flush = lock(&core.flushing);
    core.check_open()?;
    let Some((tree, frozen)) = oldest(core) else { return Ok(false) };
    let span =
        tracing::info_span!("flush", keyspace = tree.name, log = frozen.log.0, entries = frozen.memory.len());
    let _entered = span.enter();
    let (since, began) = (now(), core.failures.flush_begins());
    let flushed = write(core, &tree, &frozen)
        .and_then(|tables| install(core, &tree, &frozen, &tables).map(|()| tables));
    match flushed {
        Ok(tables) => {
            let bytes = tables.iter().map(|table| table.meta.bytes).sum();
            core.counters.flush_written.add(bytes);
            core.drained_memory(frozen.bytes, now() - since);
            core.counters.flushes.add(1);
            core.failures.forget_flush();
            core.release_logs();
            core.update_pressure();
            core.changed.raise();
            core.jobs.changed.raise();
            Ok(true)
        }
        Err(error) => {
            if !core.is_stopping() {
                tracing::error!(%error, "a flush failed; the memtable and its log stay, and it will be tried again");
                core.failures.flush_failed(began, &error);
            }
            core.changed.raise();
            Err(error)
        }
    }
}

/// Writes one table with the versions of each key that somebody may read, tombstones included.
fn write(core: &Core, tree: &Tree, frozen: &Frozen) -> Result<Vec<Arc<OpenTable>>> {
    core.settle_manifest()?;
    let horizon = core.horizon();
    let deleted = RangeIndex::join(&frozen.memory.range_tombstones());
    let options = MergeOptions {
        snapshots: &horizon.snapshots,
        visible: horizon.visible,
        // Those of the tables are older than all that is in memory.
        range_tombstones: Arc::clone(&deleted),
        // Any of the keys may be in a table: every tombstone stays.
        deeper: DeeperKeys::new([bounds(frozen)?]),
        raise: raise(frozen, &deleted),
        target_table_bytes: u64::MAX,
        grandparents: Vec::new(),
        range: (None, None),
        cancel: &core.stopping,
    };
    let mut outputs = Outputs::new(core, &tree.settings(), Level::ZERO, options.purged());
    let mut rules = tree.rules.of_flush();
    let inputs = vec![Input::Memory(frozen.memory.iter())];
    let stats = merge_values(inputs, &options, &mut rules, &mut outputs)?;
    let entries = frozen.memory.len() - deleted.tombstones().len();
    counts::check(entries as u64, &stats, outputs.entries())?;
    outputs.finish()
}

/// What is newer is in newer memtables. Beside range tombstones, numbers stay as they are: see `compact`.
fn raise(frozen: &Frozen, deleted: &RangeIndex) -> Raise {
    let to = if deleted.is_empty() { frozen.memory.max_seqno() } else { SeqNo::ZERO };
    Raise { to, newer: DeeperKeys::default() }
}

fn bounds(frozen: &Frozen) -> Result<(Key, Key)> {
    let mut iter = frozen.memory.iter();
    iter.seek_to_first()?;
    let smallest = iter.entry().map(|entry| entry.key.into()).unwrap_or_default();
    iter.seek_to_last()?;
    let largest = iter.entry().map(|entry| entry.key.into()).unwrap_or_default();
    Ok((smallest, largest))
}

/// The range tombstones that go from memory into the manifest.
fn deleted(core: &Core, frozen: &Frozen) -> Vec<RangeTombstone> {
    if core.options.planted.has(Bug::ForgetRangeTombstones) {
        return Vec::new();
    }
    let indexes = frozen.memory.range_tombstones();
    indexes.iter().flat_map(|index| index.tombstones()).cloned().collect()
}

fn install(core: &Core, tree: &Tree, frozen: &Arc<Frozen>, tables: &[Arc<OpenTable>]) -> Result<()> {
    sync_shared_logs(core, tree, frozen)?;
    let change = Change {
        deleted: deleted(core, frozen),
        added: tables.iter().map(|table| (Level::ZERO, Arc::clone(table))).collect(),
        first_log: Some(LogNumber(frozen.log.0 + 1)),
        ..Change::default()
    };
    core.install(tree, &change, |view| view.frozen.retain(|other| !Arc::ptr_eq(other, frozen)))
}

/// Makes those logs of a memtable durable that hold entries of other keyspaces, too: what comes later in the history
/// must not survive a power failure that takes those, and of a batch over several keyspaces there must not be one half
/// in a table and the other nowhere.
fn sync_shared_logs(core: &Core, tree: &Tree, frozen: &Frozen) -> Result<()> {
    let needed = core.commit.oldest_log(tree.id, LogNumber(frozen.log.0 + 1));
    if needed > frozen.log || core.options.planted.has(Bug::FlushBeforeSharedLogs) {
        return Ok(());
    }
    core.sync_to(LogPosition { log: frozen.log, offset: u64::MAX })
}

/// What the flush thread does all its life.
pub(crate) fn run(core: &Core) {
    loop {
        let due = core.logs.flush.wait(|| {
            if core.is_stopping() {
                return Some(false);
            }
            (core.failures.flush().is_none() && oldest(core).is_some()).then_some(true)
        });
        if !due {
            return;
        }
        // A failure is in `failures`, and keeps the thread waiting until the timer clears the way.
        let _told = flush_oldest(core);
    }
}
