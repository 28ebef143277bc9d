//! Out of level 0: the oldest tables first, into the base level; or merged where they are.
//!
//! ```text
//!   level 0   [1 a---m] [2 c-----z] [3 b-k] [4 p-s]      oldest first
//!                 \__________\________/
//!   base          [a-f][g---n][o--t][u-z]                all that the sources' range touches joins
//! ```
//!
//! A table may leave only when every older table that overlaps it leaves too or has left. Starting from the oldest,
//! that is so by itself; newer ones join as long as the job stays within its bound.
//!
//! A *fold* merges neighbours in age into one table that stays in level 0. It is no way down, but it keeps the number
//! of runs small while the way down is taken by a running job, and it spares the base level a rewrite for each table
//! when the bound lets only one in at a time.

use std::sync::Arc;

use super::Scene;
use crate::candidate::{Candidate, is_worth_dropping};
use crate::{Reason, TableMeta, Task};

/// The job of a level 0 with this score that goes into `output`, or a fold.
pub(crate) fn pick(scene: Scene<'_>, output: usize, score: f64) -> Option<Task> {
    let Some(job) = down(scene, output) else {
        let job = fold_newest(scene)?;
        return Some(scene.task(job, Reason::Level0Fold, score));
    };
    match fold_first(scene, &job) {
        Some(fold) => Some(scene.task(fold, Reason::Level0Fold, score)),
        None => Some(scene.task(job, Reason::Level0, score)),
    }
}

/// The job that takes a table which consists largely of tombstones out of a level 0 that is not due yet. A queue's
/// deleted front lies there, and each scan of it would step over all of that.
pub(crate) fn pick_tombstones(scene: Scene<'_>, output: usize) -> Option<Task> {
    let level_0 = scene.levels.level(0);
    let heavy = (0..level_0.len())
        .filter(|&place| is_worth_dropping(level_0[place].tombstones, level_0[place].entries, scene.options));
    let mut jobs = heavy.filter_map(|place| {
        let share = level_0[place].tombstones as f64 / level_0[place].entries as f64;
        Some((share, start(scene, place, output)?))
    });
    let (share, job) = jobs.find(|(_, job)| scene.admits(job))?;
    Some(scene.task(job, Reason::Tombstones, share))
}

/// The job that takes the oldest table that can go, and as many newer ones as fit.
pub(crate) fn down(scene: Scene<'_>, output: usize) -> Option<Candidate> {
    let level_0 = scene.levels.level(0);
    let seeds = (0..level_0.len()).filter(|&place| !scene.busy.is_busy(level_0[place].id));
    let mut job = seeds.filter_map(|seed| start(scene, seed, output)).find(|job| scene.admits(job))?;
    for table in level_0 {
        if job.takes(0, table.id) {
            continue;
        }
        let mut sources = job.of_level(0).to_vec();
        sources.push(table.clone());
        sort_by_age(&mut sources, level_0);
        let grown = Candidate::into_level(scene.levels, 0, sources, output)?;
        if scene.is_better(&job, &grown) {
            job = grown;
        }
    }
    Some(job)
}

/// The job of one table, and of what is older and overlaps it or another that joined for the same reason.
fn start(scene: Scene<'_>, seed: usize, output: usize) -> Option<Candidate> {
    let level_0 = scene.levels.level(0);
    let mut sources = vec![level_0[seed].clone()];
    for older in level_0[..seed].iter().rev() {
        if sources.iter().any(|newer| newer.overlaps(older)) {
            sources.insert(0, older.clone());
        }
    }
    Candidate::into_level(scene.levels, 0, sources, output)
}

fn sort_by_age(sources: &mut [Arc<TableMeta>], level_0: &[Arc<TableMeta>]) {
    let age = |table: &Arc<TableMeta>| level_0.iter().position(|other| other.id == table.id);
    sources.sort_by_key(age);
}

/// When the bound lets a single table into `job` and others wait behind it: a fold of that one and its successors.
///
/// Only when the others together are as large as the first. So a byte is folded again only once its table has
/// doubled, however small the flushed tables are.
fn fold_first(scene: Scene<'_>, job: &Candidate) -> Option<Candidate> {
    let [first] = job.of_level(0) else { return None };
    let bound = scene.options.max_sstables_per_job;
    if job.len() < bound || job.of_level(job.output).is_empty() {
        return None;
    }
    let from_first = scene.levels.level(0).iter().skip_while(|table| table.id != first.id);
    let span: Vec<_> =
        from_first.take_while(|table| !scene.busy.is_busy(table.id)).take(bound).cloned().collect();
    let others: u64 = span.iter().skip(1).map(|table| table.bytes).sum();
    let is_worth_it = span.len() > 1 && first.bytes <= others;
    fold(scene, span).filter(|_| is_worth_it)
}

/// When the way down is blocked: a fold of the newest tables, as many as make it cheaper for each run that it saves.
///
/// Source: RocksDB, `FindIntraL0Compaction`.
fn fold_newest(scene: Scene<'_>) -> Option<Candidate> {
    let least = scene.options.l0_trigger.max(2);
    let free = scene.levels.level(0).iter().rev().take_while(|table| !scene.busy.is_busy(table.id));
    let mut span: Vec<Arc<TableMeta>> = Vec::new();
    let mut bytes = 0_u64;
    for table in free.take(scene.options.max_sstables_per_job) {
        let saved = span.len() as u64;
        let grows_dearer = saved > 1 && (bytes + table.bytes) / saved > bytes / (saved - 1);
        if grows_dearer {
            break;
        }
        bytes += table.bytes;
        span.push(table.clone());
    }
    span.reverse();
    if span.len() >= least { fold(scene, span) } else { None }
}

fn fold(scene: Scene<'_>, span: Vec<Arc<TableMeta>>) -> Option<Candidate> {
    Candidate::new(vec![(0, span)], 0).filter(|job| scene.admits(job))
}
