//! Which tables and key ranges running jobs hold: the gate that every job passes before it starts.
//!
//! The invariant of [`Levels`] must hold whatever jobs run at the same time and in whatever order they end. A job is
//! admitted when
//!
//! 1. none of its tables is in a running job;
//! 2. no running job writes into its output level, or into one that it skips, within its range;
//! 3. it leaves no older data behind above its output: of level 0 it takes every older table that overlaps one it
//!    takes (or, back into level 0, tables side by side in age); of skipped levels and of its output level it takes
//!    every table in its range.
//!
//! Giving tables up ([`TaskKind::Unlink`]) writes nothing, so only the first rule is for it.
//!
//! Strategies propose; the gate disposes, for them and for a manual compaction alike.

use std::collections::HashSet;
use std::sync::Arc;

use slice_types::TableId;

use crate::candidate::Candidate;
use crate::levels::Hull;
use crate::{Levels, TableMeta, Task, TaskKind};

/// The running jobs of one tree.
#[derive(Clone, Debug, Default)]
pub struct Busy {
    tables: HashSet<TableId>,
    running: Vec<Running>,
}

#[derive(Clone, Debug)]
struct Running {
    ids: Vec<TableId>,
    output: usize,
    hull: Hull,
}

impl Busy {
    /// No job runs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Marks a task as running. `levels` is the tree that it was picked for.
    ///
    /// # Panics
    ///
    /// When the task is not [admitted](Self::admits): run beside the others, it would bring old data back.
    pub fn start(&mut self, task: &Task, levels: &Levels) {
        let candidate =
            resolve(task, levels).filter(|candidate| self.admits_resolved(task, candidate, levels));
        let candidate = candidate.unwrap_or_else(|| panic!("{task:?} is in the way of a running job"));
        self.tables.extend(task.table_ids());
        self.running.push(Running {
            ids: task.table_ids().collect(),
            output: candidate.output,
            hull: candidate.hull,
        });
    }

    /// Marks a task as ended, whether it was done, failed or was cancelled.
    ///
    /// # Panics
    ///
    /// When it was not running.
    pub fn finish(&mut self, task: &Task) {
        let ids: Vec<_> = task.table_ids().collect();
        let place = self.running.iter().position(|running| running.ids == ids);
        let place = place.unwrap_or_else(|| panic!("{task:?} is not running"));
        self.running.swap_remove(place);
        for id in ids {
            self.tables.remove(&id);
        }
    }

    /// Whether the task can run beside those that do.
    pub fn admits(&self, task: &Task, levels: &Levels) -> bool {
        resolve(task, levels).is_some_and(|candidate| self.admits_resolved(task, &candidate, levels))
    }

    /// Whether a running job holds the table.
    pub fn is_busy(&self, id: TableId) -> bool {
        self.tables.contains(&id)
    }

    /// How many jobs run.
    pub fn len(&self) -> usize {
        self.running.len()
    }

    /// Whether no job runs.
    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Whether a running job may write anywhere in the hull into this level.
    pub(crate) fn writes_into(&self, level: usize, hull: &Hull) -> bool {
        self.running.iter().any(|running| running.output == level && running.hull.overlaps(hull))
    }

    /// Tables that are given up leave nothing behind that could come back: it is enough that nobody else holds them.
    fn admits_resolved(&self, task: &Task, candidate: &Candidate, levels: &Levels) -> bool {
        match task.kind {
            TaskKind::Unlink => candidate.tables().all(|table| !self.is_busy(table.id)),
            TaskKind::Merge | TaskKind::TrivialMove => self.admits_candidate(candidate, levels),
        }
    }

    pub(crate) fn admits_candidate(&self, job: &Candidate, levels: &Levels) -> bool {
        job.tables().all(|table| !self.is_busy(table.id))
            && !self.running.iter().any(|running| running.is_in_the_way_of(job))
            && takes_older_runs(job, levels)
            && takes_what_it_passes(job, levels)
    }
}

impl Running {
    fn is_in_the_way_of(&self, job: &Candidate) -> bool {
        // What is written to level 0 may overlap there.
        let between = self.output > job.top() && self.output < job.output;
        self.output > 0 && (between || self.output == job.output) && self.hull.overlaps(&job.hull)
    }
}

/// Rule 3 for level 0.
fn takes_older_runs(job: &Candidate, levels: &Levels) -> bool {
    let level_0 = levels.level(0);
    let taken = |table: &Arc<TableMeta>| job.takes(0, table.id);
    let Some(newest) = level_0.iter().rposition(taken) else { return true };
    let older = level_0[..newest].iter().enumerate().filter(|(_, table)| !taken(table));
    if job.output == 0 {
        return level_0.iter().skip_while(|table| !taken(table)).take(job.len()).all(taken);
    }
    let left_behind = |place: usize, older: &TableMeta| {
        level_0[place..=newest].iter().any(|table| taken(table) && table.overlaps(older))
    };
    !older.into_iter().any(|(place, table)| left_behind(place, table))
}

/// Rule 3 for the deeper levels.
fn takes_what_it_passes(job: &Candidate, levels: &Levels) -> bool {
    let first = if job.top() == job.output { job.output } else { job.top() + 1 };
    (first.max(1)..=job.output)
        .all(|level| levels.overlapping(level, &job.hull).len() == job.of_level(level).len())
}

/// The task's tables; `None` when one is gone, or when it has none.
fn resolve(task: &Task, levels: &Levels) -> Option<Candidate> {
    let mut inputs = Vec::with_capacity(task.inputs.len());
    for (level, ids) in &task.inputs {
        let ids: HashSet<_> = ids.iter().collect();
        let tables = levels.level(level.index()).iter().filter(|table| ids.contains(&table.id));
        let tables: Vec<_> = tables.cloned().collect();
        if tables.len() != ids.len() {
            return None;
        }
        inputs.push((level.index(), tables));
    }
    Candidate::new(inputs, task.output.index())
}
