//! Turning the oldest frozen memtable into a table of level 0.
//!
//! The memtable stays in the view, and its log on disk, until the table is durable and recorded: a flush that fails
//! is simply tried again.

use std::sync::Arc;

use slice_compaction::{DeeperKeys, MergeOptions, merge_values};
use slice_memtable::MemTable;
use slice_types::{EntryIterator, Level, LogNumber, RangeTombstone, Result};

use super::counts;
use super::install::Change;
use super::outputs::Outputs;
use crate::background::clock::now;
use crate::db::Core;
use crate::planted::Bug;
use crate::signal::lock;
use crate::tree::{Frozen, Input, OpenTable};

type Key = Arc<[u8]>;

/// Flushes the oldest frozen memtable; `false` when there is none.
pub(crate) fn flush_oldest(core: &Core) -> Result<bool> {
    let _one_flush = lock(&core.flushing);
    core.check_open()?;
    let Some(frozen) = core.tree.view().frozen.last().cloned() else { return Ok(false) };
    let span = tracing::info_span!("flush", log = frozen.log.0, entries = frozen.memory.len());
    let _entered = span.enter();
    let (since, began) = (now(), core.failures.flush_begins());
    let flushed = write(core, &frozen).and_then(|tables| install(core, &frozen, &tables).map(|()| tables));
    match flushed {
        Ok(tables) => {
            let bytes = tables.iter().map(|table| table.meta.bytes).sum();
            core.counters.flush_written.add(bytes);
            core.drained_memory(frozen.log_bytes(), now() - since);
            core.counters.flushes.add(1);
            core.failures.forget_flush();
            core.commit.sync.forget_through(frozen.log);
            core.logs.release(&frozen);
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
fn write(core: &Core, frozen: &Frozen) -> Result<Vec<Arc<OpenTable>>> {
    core.settle_manifest()?;
    let horizon = core.horizon();
    let deleted = frozen.memory.range_tombstones();
    let options = MergeOptions {
        snapshots: &horizon.snapshots,
        visible: horizon.visible,
        // Those of the tables are older than all that is in memory.
        range_tombstones: Arc::clone(&deleted),
        // Any of the keys may be in a table: every tombstone stays.
        deeper: DeeperKeys::new([bounds(frozen)?]),
        target_table_bytes: u64::MAX,
        grandparents: Vec::new(),
        range: (None, None),
        cancel: &core.stopping,
    };
    let mut outputs = Outputs::new(core, options.purged());
    let mut rules = core.tree.rules.of_flush();
    let inputs = vec![Input::Memory(frozen.memory.iter())];
    let stats = merge_values(inputs, &options, &mut rules, &mut outputs)?;
    let entries = frozen.memory.len() - deleted.tombstones().len();
    counts::check(entries as u64, &stats, outputs.entries())?;
    outputs.finish()
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
    frozen.memory.range_tombstones().tombstones().to_vec()
}

fn install(core: &Core, frozen: &Arc<Frozen>, tables: &[Arc<OpenTable>]) -> Result<()> {
    let change = Change {
        deleted: deleted(core, frozen),
        last_seqno: Some(frozen.memory.max_seqno()),
        added: tables.iter().map(|table| (Level::ZERO, Arc::clone(table))).collect(),
        first_log: Some(LogNumber(frozen.log.0 + 1)),
        ..Change::default()
    };
    core.install(&change, |view| view.frozen.retain(|other| !Arc::ptr_eq(other, frozen)))
}

/// What the flush thread does all its life.
pub(crate) fn run(core: &Core) {
    loop {
        let due = core.logs.flush.wait(|| {
            if core.is_stopping() {
                return Some(false);
            }
            (!core.tree.view().frozen.is_empty() && core.failures.flush().is_none()).then_some(true)
        });
        if !due {
            return;
        }
        // A failure is in `failures`, and keeps the thread waiting until the timer clears the way.
        let _told = flush_oldest(core);
    }
}
