//! Tiered compaction: few large sorted runs, merged with their neighbours in age.
//!
//! A byte is rewritten only a few times in its life; in return a read looks into every run, and until the next full
//! merge old versions take up space.
//!
//! ```text
//!   newest                                                        oldest
//!   ┌────┬────┬────┐   ┌──────────────┐   ┌───────────────────────────┐
//!   │ L0 │ L0 │ L0 │   │ L4, one run  │   │ L6, one run               │
//!   └────┴────┴────┘   └──────────────┘   └───────────────────────────┘
//!      \____\____\____________/
//!               merged into L5: the deepest level above the next older run
//! ```
//!
//! A run that consists largely of tombstones is merged with the next older one although nothing else is due, and the
//! last one is rewritten into the bottom level: a scan would step over all of them.
//!
//! A run is one table of level 0, or a whole deeper level. That is the invariant of leveled compaction too, so readers
//! need not care, and a tree can change its strategy.
//!
//! Source: RocksDB's universal compaction.

use std::ops::Range;
use std::sync::Arc;

use crate::candidate::{Candidate, is_worth_dropping};
use crate::{Busy, CompactionStrategy, Levels, Reason, StrategyOptions, TableMeta, Task};

/// The tiered strategy; see [`StrategyOptions`] for its numbers.
#[derive(Clone, Debug)]
pub struct Tiered {
    options: StrategyOptions,
}

/// A sorted run: tables of one level.
#[derive(Debug)]
struct Run {
    level: usize,
    tables: Vec<Arc<TableMeta>>,
    bytes: u64,
}

impl Run {
    fn new(level: usize, tables: Vec<Arc<TableMeta>>) -> Self {
        let bytes = tables.iter().map(|table| table.bytes).sum();
        Self { level, tables, bytes }
    }

    /// Whether it consists largely of tombstones.
    fn is_dead(&self, options: &StrategyOptions) -> bool {
        let count = |of: fn(&TableMeta) -> u64| self.tables.iter().map(|table| of(table)).sum();
        is_worth_dropping(count(|table| table.tombstones), count(|table| table.entries), options)
    }

    fn is_busy(&self, busy: &Busy) -> bool {
        self.tables.iter().any(|table| busy.is_busy(table.id))
    }
}

/// The runs of a tree, newest first.
fn runs(levels: &Levels) -> Vec<Run> {
    let level_0 = levels.level(0).iter().rev().map(|table| Run::new(0, vec![table.clone()]));
    let deeper = (1..levels.len()).map(|level| Run::new(level, levels.level(level).to_vec()));
    level_0.chain(deeper.filter(|run| !run.tables.is_empty())).collect()
}

/// The longest row of runs side by side that no running job holds; the newest of equals.
fn longest_free(runs: &[Run], busy: &Busy) -> Range<usize> {
    let mut longest = 0..0;
    let mut start = 0;
    for (place, run) in runs.iter().enumerate() {
        if run.is_busy(busy) {
            start = place + 1;
        } else if place + 1 - start > longest.len() {
            longest = start..place + 1;
        }
    }
    longest
}

impl Tiered {
    /// Makes the strategy. The options must be [valid](StrategyOptions::validate).
    pub const fn new(options: StrategyOptions) -> Self {
        Self { options }
    }

    /// The most runs of one job.
    fn max_runs(&self) -> usize {
        self.options.max_sstables_per_job.max(2)
    }

    fn trigger(&self) -> usize {
        self.options.l0_trigger.max(2)
    }

    /// Which of the free runs to merge, and why.
    fn choose(&self, runs: &[Run], free: &Range<usize>) -> Option<(Range<usize>, Reason)> {
        let due = self.due(runs, free);
        due.or_else(|| Some((self.dead(runs, free)?, Reason::Tombstones)))
    }

    /// The newest run that consists largely of tombstones, with the one that it hides something in.
    fn dead(&self, runs: &[Run], free: &Range<usize>) -> Option<Range<usize>> {
        let place = free.clone().find(|&place| runs[place].is_dead(&self.options))?;
        let is_last = place + 1 == runs.len();
        // A snapshot may keep what stands at the bottom from going: asked for again, it would never end.
        let has_somewhere_to_go = !is_last || runs[place].level == 0;
        let end = if is_last { place + 1 } else { place + 2 };
        (has_somewhere_to_go && end <= free.end).then_some(place..end)
    }

    fn due(&self, runs: &[Run], free: &Range<usize>) -> Option<(Range<usize>, Reason)> {
        if runs.len() < self.trigger() || free.len() < 2 {
            return None;
        }
        if let Some(all) = self.too_much_space(runs, free) {
            return Some((all, Reason::SpaceAmplification));
        }
        if let Some(alike) = self.alike(runs, free) {
            return Some((alike, Reason::SizeRatio));
        }
        let surplus = runs.len() - self.trigger() + 2;
        let count = surplus.min(self.max_runs()).min(free.len());
        Some((free.start..free.start + count, Reason::RunCount))
    }

    /// All runs, or of too many the oldest, when the newer ones hold too much beside the oldest.
    fn too_much_space(&self, runs: &[Run], free: &Range<usize>) -> Option<Range<usize>> {
        let (oldest, newer) = runs.split_last()?;
        let newer: u64 = newer.iter().map(|run| run.bytes).sum();
        let limit = u128::from(oldest.bytes) * u128::from(self.options.space_amplification_percent);
        let is_too_much = u128::from(newer) * 100 > limit;
        let start = free.start.max(free.end.saturating_sub(self.max_runs()));
        (is_too_much && free.end == runs.len()).then_some(start..free.end)
    }

    /// The newest row of runs in which each is hardly larger than all newer ones of the row together.
    fn alike(&self, runs: &[Run], free: &Range<usize>) -> Option<Range<usize>> {
        let row_from = |start: usize| {
            let mut bytes = runs[start].bytes;
            let mut end = start + 1;
            while end < free.end && end - start < self.max_runs() && self.joins(&runs[end], bytes) {
                bytes += runs[end].bytes;
                end += 1;
            }
            start..end
        };
        free.clone().map(row_from).find(|row| row.len() > 1)
    }

    fn joins(&self, run: &Run, newer_bytes: u64) -> bool {
        let limit = u128::from(newer_bytes) * u128::from(100 + self.options.size_ratio_percent);
        u128::from(run.bytes) * 100 <= limit
    }

    /// The level for the merged run: the deepest one above the next older run.
    fn output(&self, levels: &Levels, runs: &[Run], merged: &Range<usize>) -> usize {
        let last = (self.options.levels - 1).max(levels.deepest().unwrap_or(0));
        runs.get(merged.end).map_or(last, |older| older.level.saturating_sub(1))
    }

    fn candidate(&self, levels: &Levels, runs: &[Run], merged: &Range<usize>) -> Option<Candidate> {
        let mut inputs: Vec<(usize, Vec<Arc<TableMeta>>)> = Vec::new();
        // Runs are newest first, the tables of level 0 oldest first.
        for run in runs[merged.clone()].iter().rev() {
            match inputs.last_mut() {
                Some((0, tables)) => tables.extend_from_slice(&run.tables),
                _ => inputs.push((run.level, run.tables.clone())),
            }
        }
        inputs.reverse();
        Candidate::new(inputs, self.output(levels, runs, merged))
    }
}

impl CompactionStrategy for Tiered {
    fn name(&self) -> &'static str {
        "tiered"
    }

    fn pick(&self, levels: &Levels, busy: &Busy) -> Option<Task> {
        let runs = runs(levels);
        let free = longest_free(&runs, busy);
        let (merged, reason) = self.choose(&runs, &free)?;
        let job = self.candidate(levels, &runs, &merged)?;
        let score = runs.len() as f64 / self.trigger() as f64;
        busy.admits_candidate(&job, levels).then(|| job.into_task(levels, &self.options, reason, score))
    }

    /// The bytes of the next task of a tree in which nothing runs.
    fn debt_bytes(&self, levels: &Levels) -> u64 {
        self.pick(levels, &Busy::new()).map_or(0, |task| task.bytes(levels))
    }
}
