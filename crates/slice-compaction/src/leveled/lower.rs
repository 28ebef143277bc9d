//! From one of the sorted levels into the next: the table that is cheapest to push down, and its neighbours.
//!
//! Cheapest is the one with the least *overlap ratio*, bytes overlapped below over bytes of its own. Tombstones make a
//! table's own bytes count for more, because what they hide goes with them.
//!
//! Source: RocksDB, `kMinOverlappingRatio` with compensated sizes.

use std::sync::Arc;

use super::Scene;
use crate::candidate::{Candidate, is_tombstone_heavy};
use crate::{Reason, TableMeta, Task};

/// The job that pushes at least `excess` bytes from a level into the next, if the bound allows for so much.
pub(crate) fn pick(scene: Scene<'_>, level: usize, excess: u64) -> Option<Candidate> {
    let (place, job) = by_ratio(scene, level)
        .into_iter()
        .filter_map(|place| Some((place, start(scene, level, place, level + 1)?)))
        .find(|(_, job)| scene.admits(job))?;
    Some(grow(scene, job, level, place, excess))
}

/// The job that pushes a table which consists largely of tombstones one level down. Tombstones reach the bottom in
/// this way, and go there.
pub(crate) fn pick_tombstones(scene: Scene<'_>, level: usize) -> Option<Task> {
    let tables = scene.levels.level(level);
    let heavy = (0..tables.len()).filter(|&place| is_tombstone_heavy(&tables[place], scene.options));
    let mut jobs = heavy.filter_map(|place| {
        let job = start(scene, level, place, level + 1)?;
        Some((tables[place].tombstones as f64 / tables[place].entries as f64, job))
    });
    let (share, job) = jobs.find(|(_, job)| scene.admits(job))?;
    Some(scene.task(job, Reason::Tombstones, share))
}

/// The job of one table of a level and what it overlaps in `output`.
pub(crate) fn start(scene: Scene<'_>, level: usize, place: usize, output: usize) -> Option<Candidate> {
    let table = &scene.levels.level(level)[place];
    Candidate::into_level(scene.levels, level, vec![table.clone()], output)
}

/// Takes in neighbours of the source at `place`, to the right and then to the left, as long as the job stays within
/// its bound, and either there is `excess` left to push or they overlap nothing more.
pub(crate) fn grow(
    scene: Scene<'_>,
    mut job: Candidate,
    level: usize,
    place: usize,
    excess: u64,
) -> Candidate {
    let tables = scene.levels.level(level);
    let (mut start, mut end) = (place, place + 1);
    while let Some(grown) = extend(scene, &job, level, &tables[start..], end - start + 1, excess) {
        job = grown;
        end += 1;
    }
    while let Some(before) = start.checked_sub(1) {
        let Some(grown) = extend(scene, &job, level, &tables[before..], end - before, excess) else { break };
        job = grown;
        start = before;
    }
    job
}

/// The job with the first `count` tables of `tables` as its sources, if that is better than `job`.
fn extend(
    scene: Scene<'_>,
    job: &Candidate,
    level: usize,
    tables: &[Arc<TableMeta>],
    count: usize,
    excess: u64,
) -> Option<Candidate> {
    let sources = tables.get(..count)?.to_vec();
    let pushed: u64 = job.of_level(level).iter().map(|table| table.bytes).sum();
    let grown = Candidate::into_level(scene.levels, level, sources, job.output)?;
    let is_free = grown.of_level(job.output).len() == job.of_level(job.output).len();
    ((is_free || pushed < excess) && scene.is_better(job, &grown)).then_some(grown)
}

/// The places of a level's tables, the least overlap ratio first.
fn by_ratio(scene: Scene<'_>, level: usize) -> Vec<usize> {
    let tables = scene.levels.level(level);
    let mut next = 0;
    let below = scene.levels.level(level + 1);
    let mut ratios = Vec::with_capacity(tables.len());
    for (place, table) in tables.iter().enumerate() {
        // Both levels ascend: what ends before this table ends before the following ones.
        next += below[next..].iter().take_while(|other| other.largest < table.smallest).count();
        let overlapped = below[next..].iter().take_while(|other| other.smallest <= table.largest);
        let overlapped: u64 = overlapped.map(|other| other.bytes).sum();
        ratios.push((overlapped as f64 / compensated_bytes(table), place));
    }
    ratios.sort_by(|left, right| left.0.total_cmp(&right.0));
    ratios.into_iter().map(|(_, place)| place).collect()
}

/// A table's bytes, up to twice over by the share of tombstones.
fn compensated_bytes(table: &TableMeta) -> f64 {
    let share = table.tombstones as f64 / table.entries.max(1) as f64;
    table.bytes.max(1) as f64 * (1.0 + share)
}
