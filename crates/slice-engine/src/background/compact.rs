//! Compaction jobs: run by one thread each, merged in parallel by key range. Which is next, `pick.rs` says.

use std::sync::Arc;

use slice_compaction::{
    DeeperKeys, MergeOptions, MergeStats, Raise, Task, TaskKind, merge_values, split_ranges,
};
use slice_sstable::{CachePolicy, IterOptions, ReadMode};
use slice_types::{Error, ErrorKind, Level, Result};

use super::counts;
use super::install::Change;
use super::outputs::Outputs;
use super::pick::Job;
use super::threads::in_parallel;
use crate::background::clock::now;
use crate::db::{Core, Horizon};
use crate::planted::Bug;
use crate::signal::lock;
use crate::tree::{Input, OpenTable, Run, RunIter, Tree};

impl Core {
    /// Runs one job on this thread; `false` when none is due.
    pub(crate) fn compact_one(&self) -> Result<bool> {
        let _one_at_a_time = lock(&self.compacting);
        self.check_open()?;
        let Some(job) = self.next_job() else { return Ok(false) };
        self.run_job(job)?;
        self.bury();
        Ok(true)
    }

    fn run_job(&self, job: Job) -> Result<()> {
        let mut ending = Ending::of(self, &job);
        let since = now();
        let span = tracing::info_span!("compaction", keyspace = job.tree.name, reason = %job.task.reason, output = job.task.output.0);
        let _entered = span.enter();
        let result = match job.task.kind {
            // A filter is to see every value that a compaction takes further down.
            TaskKind::TrivialMove if !job.tree.rules.filters() => self.move_tables(&job),
            TaskKind::TrivialMove | TaskKind::Merge => self.merge_tables(&job),
            TaskKind::Unlink => self.unlink_tables(&job),
        };
        if result.is_ok() {
            self.drained_level_0(job.level_0_bytes(), now() - since);
        }
        // The inputs' last user lets go before anyone is told that they are done with.
        drop(job);
        ending.result.clone_from(&result);
        if ending.is_void() { Ok(()) } else { result }
    }

    fn end_job(&self, Ending { tree, task, asked, .. }: &Ending<'_>, result: &Result<()>) {
        let mut state = lock(&tree.tasks);
        state.busy.finish(task);
        // A failure of what began before somebody asked says nothing: it is tried again at once.
        let failure = result.as_ref().err().filter(|_| *asked == state.asked);
        if let (Some(error), Some(_)) = (failure, state.full) {
            state.full = None;
            state.full_failure = Some(error.clone());
        }
        if !self.is_stopping() && (result.is_ok() || failure.is_some()) {
            self.failures.compaction_ended(failure.cloned());
        }
        drop(state);
        self.counters.running.sub(1);
        match result {
            Ok(()) => {
                self.counters.compactions.add(1);
                self.counters.tables_compacted.add(task.table_ids().count() as u64);
            }
            Err(_) if self.is_stopping() => {}
            Err(error) => {
                tracing::error!(%error, "a compaction failed; its inputs stay, and it will be tried again");
            }
        }
        self.update_pressure();
        self.changed.raise();
        self.jobs.changed.raise();
        self.logs.work.raise();
    }

    fn move_tables(&self, job: &Job) -> Result<()> {
        let tables: Vec<_> = job.task.table_ids().filter_map(|id| job.version.table(id).cloned()).collect();
        let change = Change {
            removed: job.task.table_ids().collect(),
            added: tables.into_iter().map(|table| (job.task.output, table)).collect(),
            ..Change::default()
        };
        self.install(&job.tree, &change, |_| {})?;
        self.counters.moves.add(1);
        Ok(())
    }

    /// Gives tables up that range tombstones cover. Those tombstones are durable: they came with the job's version.
    fn unlink_tables(&self, job: &Job) -> Result<()> {
        let removed: Vec<_> = job.task.table_ids().collect();
        let count = removed.len() as u64;
        self.install(&job.tree, &Change { removed, ..Change::default() }, |_| {})?;
        self.counters.unlinked.add(count);
        Ok(())
    }

    fn merge_tables(&self, job: &Job) -> Result<()> {
        self.settle_manifest()?;
        let parts = self.parts(job);
        let horizon = self.horizon();
        let merged = match &parts[..] {
            [whole] => vec![self.merge_part(job, whole, &horizon)],
            parts => {
                self.counters.parallel_merges.add(parts.len() as u64);
                in_parallel(parts.iter().map(|part| || self.merge_part(job, part, &horizon)).collect())
            }
        };
        // All parts have ended by here; tables of those that ended well go when another did not.
        let (stats, outputs): (Vec<_>, Vec<_>) =
            merged.into_iter().collect::<Result<Vec<_>>>()?.into_iter().unzip();
        job.check_counts(&stats, &outputs)?;
        let added = finish_all(outputs)?;
        self.counters.compaction_written.add(added.iter().map(|table| table.meta.bytes).sum());
        self.counters.bytes_compacted.add(job.task.bytes(&job.shape));
        let change = Change {
            removed: job.task.table_ids().collect(),
            added: added.into_iter().map(|table| (job.task.output, table)).collect(),
            ..Change::default()
        };
        self.install(&job.tree, &change, |_| {})?;
        for part in &stats {
            self.counters.tombstones_dropped.add(part.dropped_tombstones);
            self.counters.values_expired.add(part.expired);
            self.counters.operands_folded.add(part.folded);
        }
        Ok(())
    }

    /// The key ranges that the job is merged in, at once.
    fn parts(&self, job: &Job) -> Vec<Part> {
        let config = &self.options.compaction;
        let wanted = (job.task.bytes(&job.shape) / self.options.merge_part_bytes)
            .min(config.merge_parallelism as u64) as usize;
        // What goes to level 0 has to be one table.
        if !config.enable_parallel_merge || wanted < 2 || job.task.output == Level::ZERO {
            return vec![Part::default()];
        }
        let tables = job.task.table_ids().filter_map(|id| job.version.table(id));
        let splits = split_ranges(&tables.map(samples).collect::<Vec<_>>(), wanted);
        let starts = std::iter::once(None).chain(splits.iter().cloned().map(Some));
        let ends = splits.iter().cloned().map(Some).chain(std::iter::once(None));
        starts.zip(ends).map(|(start, end)| Part { start, end }).collect()
    }

    fn merge_part(&self, job: &Job, part: &Part, horizon: &Horizon) -> Result<(MergeStats, Outputs<'_>)> {
        let mut options = MergeOptions {
            snapshots: &horizon.snapshots,
            visible: horizon.visible,
            range_tombstones: job.version.range_index(),
            deeper: self.deeper_keys(job),
            raise: raise(job),
            target_table_bytes: job.task.target_table_bytes(&job.settings.strategy_options),
            grandparents: job.task.grandparents(&job.shape),
            range: (part.start.as_deref(), part.end.as_deref()),
            cancel: &job.tree.cancel,
        };
        let mut outputs = Outputs::new(self, &job.settings, job.task.output, options.purged());
        if self.options.planted.has(Bug::KeepCovered) {
            options.range_tombstones = Arc::default();
        }
        let inputs = inputs(job, self.budget.readahead(&self.options));
        let mut rules = job.tree.rules.of_compaction(job.task.output.index());
        let stats = merge_values(inputs, &options, &mut rules, &mut outputs)?;
        Ok((stats, outputs))
    }

    /// The keys whose tombstones the job must keep.
    fn deeper_keys(&self, job: &Job) -> DeeperKeys {
        if self.options.planted.has(Bug::DropTombstones) {
            return DeeperKeys::default();
        }
        job.task.deeper_keys(&job.shape)
    }
}

/// Ends a job when it is dropped, by a panic too: a task that stayed busy would keep its tables from every other one,
/// and whoever waits for them waiting.
struct Ending<'a> {
    core: &'a Core,
    tree: Arc<Tree>,
    epoch: u64,
    task: Task,
    asked: u64,
    result: Result<()>,
}

impl<'a> Ending<'a> {
    fn of(core: &'a Core, job: &Job) -> Self {
        let panicked =
            Error::new(ErrorKind::Io, "a compaction panicked, which is a bug").with_file(&core.dir);
        let tree = Arc::clone(&job.tree);
        let (task, asked) = (job.task.clone(), job.asked);
        Self { core, tree, epoch: job.epoch, task, asked, result: Err(panicked) }
    }

    /// Whether the keyspace was cleared or dropped since the job began: that it failed is no failure then.
    fn is_void(&self) -> bool {
        self.tree.epoch() != self.epoch
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let result = if self.is_void() { &Ok(()) } else { &self.result };
        self.core.end_job(self, result);
    }
}

impl Job {
    /// Checks that nothing was lost between the tables of the task and those that are to replace them.
    fn check_counts(&self, parts: &[MergeStats], outputs: &[Outputs<'_>]) -> Result<()> {
        let inputs = self.task.table_ids().filter_map(|id| self.version.table(id));
        let mut stats = MergeStats::default();
        for part in parts {
            stats.add(part);
        }
        let written = outputs.iter().map(Outputs::entries).sum();
        counts::check(inputs.map(|table| table.meta.entries).sum(), &stats, written)
    }

    /// Bytes that the job takes out of level 0.
    fn level_0_bytes(&self) -> u64 {
        if self.task.output == Level::ZERO {
            return 0;
        }
        let of_level_0 = self.task.inputs.iter().filter(|(level, _)| *level == Level::ZERO);
        let tables = of_level_0.flat_map(|(_, ids)| ids).filter_map(|id| self.version.table(*id));
        tables.map(|table| table.table.properties().raw_bytes).sum()
    }
}

/// A range of user keys: `None` for no bound.
#[derive(Default)]
struct Part {
    start: Option<Vec<u8>>,
    end: Option<Vec<u8>>,
}

/// The keys at which a table may be split, with the bytes between them: about a block each.
fn samples(table: &Arc<OpenTable>) -> Vec<(Vec<u8>, u64)> {
    let block = table.meta.bytes / table.table.properties().blocks.max(1);
    table.table.split_keys().map(|key| (key.to_vec(), block)).collect()
}

/// The numbers that entries may be raised to: none above what a full compaction waits for, which knows by their numbers the
/// tables that it is not to wait for; and none at all beside range tombstones, for a number above that of one would hide from
/// the verifier what it should have deleted.
fn raise(job: &Job) -> Raise {
    if !job.version.range_tombstones().is_empty() {
        return Raise::default();
    }
    let raise = job.task.raise(&job.shape);
    Raise { to: job.full_upto.map_or(raise.to, |upto| raise.to.min(upto)), ..raise }
}

/// An iterator for each table of level 0, newest first, then one for each deeper level.
fn inputs(job: &Job, readahead_bytes: usize) -> Vec<Input> {
    let options = IterOptions { cache_policy: CachePolicy::Bypass, readahead_bytes, mode: ReadMode::Wait };
    let mut inputs = Vec::new();
    for (level, ids) in &job.task.inputs {
        let tables: Vec<Arc<OpenTable>> =
            ids.iter().filter_map(|id| job.version.table(*id).cloned()).collect();
        assert_eq!(tables.len(), ids.len(), "a task names tables of its version");
        if *level == Level::ZERO {
            inputs.extend(tables.iter().rev().map(|table| Input::of_table(table, options)));
        } else {
            inputs.push(Input::Run(RunIter::new(Run::Tables(tables), options)));
        }
    }
    inputs
}

fn finish_all(outputs: Vec<Outputs<'_>>) -> Result<Vec<Arc<OpenTable>>> {
    let mut tables = Vec::new();
    for output in outputs {
        match output.finish() {
            Ok(finished) => tables.extend(finished),
            Err(error) => {
                for table in &tables {
                    OpenTable::retire(table);
                }
                return Err(error);
            }
        }
    }
    Ok(tables)
}

/// What a compaction thread does all its life.
pub(crate) fn run(core: &Core) {
    // Reads and writes come first, and flushes, which writers wait for; compaction takes what is left.
    slice_vfs::lower_thread_priority();
    loop {
        let job = core.jobs.changed.wait(|| {
            if core.is_stopping() {
                return Some(None);
            }
            core.failures.compaction().is_none().then(|| core.next_job()).flatten().map(Some)
        });
        let Some(job) = job else { return };
        // A failure is in `failures`, and keeps the threads waiting until the timer clears the way.
        let _told = core.run_job(job);
    }
}
