//! Leveled compaction: each level a sorted run, `multiplier` times larger than the one above.
//!
//! Reads touch one table a level and little space is wasted; in return a byte is rewritten about `multiplier / 2`
//! times in each level it passes.
//!
//! Each level has a score, its size over its [target](targets); level 0 counts tables. The highest score of 1 or more
//! goes first; where running jobs leave no room, the next one. When no level is due, tables that consist largely of
//! tombstones are pushed down.
//!
//! Source: LevelDB; scores, dynamic targets and the merge within level 0 as in RocksDB.

pub(crate) mod level0;
pub(crate) mod lower;
mod targets;

use crate::candidate::Candidate;
use crate::{Busy, CompactionStrategy, Levels, Reason, StrategyOptions, Task};
use targets::Targets;

/// The leveled strategy; see [`StrategyOptions`] for its numbers.
#[derive(Clone, Debug)]
pub struct Leveled {
    options: StrategyOptions,
}

/// What a strategy looks at to decide.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) levels: &'a Levels,
    pub(crate) busy: &'a Busy,
    pub(crate) options: &'a StrategyOptions,
}

impl Scene<'_> {
    pub(crate) fn admits(&self, job: &Candidate) -> bool {
        self.busy.admits_candidate(job, self.levels)
    }

    /// Whether `grown` may take the place of `job`: within the bound on tables, admitted, and no rewrite of what could
    /// have been moved.
    pub(crate) fn is_better(&self, job: &Candidate, grown: &Candidate) -> bool {
        grown.len() <= self.options.max_sstables_per_job
            && self.admits(grown)
            && (!job.is_move(self.levels, self.options) || grown.is_move(self.levels, self.options))
    }

    pub(crate) fn task(&self, job: Candidate, reason: Reason, score: f64) -> Task {
        job.into_task(self.levels, self.options, reason, score)
    }
}

impl Leveled {
    /// Makes the strategy. The options must be [valid](StrategyOptions::validate).
    pub const fn new(options: StrategyOptions) -> Self {
        Self { options }
    }

    /// Levels that are due, the most urgent first.
    fn due(&self, levels: &Levels, targets: &Targets) -> Vec<(f64, usize)> {
        let deeper = (1..targets.last).map(|level| {
            let score = levels.bytes(level) as f64 / targets.bytes(level) as f64;
            (score, level)
        });
        let all = std::iter::once((self.level_0_score(levels), 0)).chain(deeper);
        let mut due: Vec<_> = all.filter(|(score, _)| *score >= 1.0).collect();
        due.sort_by(|left, right| right.0.total_cmp(&left.0));
        due
    }

    fn level_0_score(&self, levels: &Levels) -> f64 {
        let tables = levels.level(0).len() as f64 / self.options.l0_trigger as f64;
        tables.max(levels.bytes(0) as f64 / self.options.level_base_bytes as f64)
    }
}

impl CompactionStrategy for Leveled {
    fn name(&self) -> &'static str {
        "leveled"
    }

    fn pick(&self, levels: &Levels, busy: &Busy) -> Option<Task> {
        let scene = Scene { levels, busy, options: &self.options };
        let targets = Targets::new(levels, &self.options);
        let pick_of = |(score, level)| {
            if level == 0 {
                return level0::pick(scene, targets.base, score);
            }
            let excess = levels.bytes(level).saturating_sub(targets.bytes(level));
            let job = lower::pick(scene, level, excess)?;
            Some(scene.task(job, Reason::LevelSize, score))
        };
        self.due(levels, &targets)
            .into_iter()
            .find_map(pick_of)
            .or_else(|| level0::pick_tombstones(scene, targets.base))
            .or_else(|| (1..targets.last).find_map(|level| lower::pick_tombstones(scene, level)))
    }

    /// Level by level: what is over the target, times one plus the share of the next level that it will be merged
    /// with; what is pushed down counts there again.
    fn debt_bytes(&self, levels: &Levels) -> u64 {
        let targets = Targets::new(levels, &self.options);
        let is_due = self.level_0_score(levels) >= 1.0;
        let mut pushed = if is_due { levels.bytes(0) } else { 0 };
        let mut debt = pushed;
        if is_due {
            debt += levels.bytes(targets.base);
        }
        for level in targets.base..targets.last {
            let bytes = levels.bytes(level) + pushed;
            pushed = bytes.saturating_sub(targets.bytes(level));
            let fan_out = levels.bytes(level + 1) as f64 / bytes.max(1) as f64;
            debt += pushed + (pushed as f64 * fan_out) as u64;
        }
        debt
    }
}
