//! A manual full compaction: the next step of bringing everything into the bottom level.

use slice_types::{SeqNo, TableId};

use crate::candidate::Candidate;
use crate::leveled::{Scene, level0, lower};
use crate::{Busy, Levels, Reason, StrategyOptions, TableMeta, Task};

/// The next task of compacting everything into the bottom, whatever the strategy. The bottom is the last level that
/// has tables; of a tree with nothing below level 0, the last level that there can be.
///
/// Do it, apply it, and ask again. `None` with nothing in `busy` means that all is done: everything is in the bottom,
/// and no table there has a tombstone that is sure to go. `None` beside running jobs means to ask again when one ends.
///
/// Level by level, each table goes into the next level that has any; then tables of the bottom that hold tombstones
/// are rewritten where they stand, if every entry of theirs is at or below `oldest_snapshot`: the lowest sequence
/// number that anyone may still read at, the newest published one when there is no snapshot. Such a rewrite drops
/// every tombstone, so it is not asked for twice; any other one might drop nothing, and is not asked for at all.
///
/// # Panics
///
/// When the options are not [valid](StrategyOptions::validate).
pub fn pick_full(
    levels: &Levels,
    busy: &Busy,
    options: &StrategyOptions,
    oldest_snapshot: SeqNo,
) -> Option<Task> {
    pick_full_expiring(levels, busy, options, oldest_snapshot, |_| false)
}

/// As [`pick_full`], where a table also has something to lose when `has_expired` says that a value in it has expired.
///
/// # Panics
///
/// As [`pick_full`].
pub fn pick_full_expiring(
    levels: &Levels,
    busy: &Busy,
    options: &StrategyOptions,
    oldest_snapshot: SeqNo,
    has_expired: impl Fn(TableId) -> bool,
) -> Option<Task> {
    let scene = Scene { levels, busy, options };
    let bottom = levels.deepest().filter(|&level| level > 0).unwrap_or(options.levels - 1);
    let loses = |table: &TableMeta| {
        table.max_seqno <= oldest_snapshot && (table.tombstones > 0 || has_expired(table.id))
    };
    empty_level_0(scene, bottom)
        .or_else(|| (1..bottom).find_map(|level| empty_level(scene, level)))
        .or_else(|| drop_tombstones(scene, bottom, loses))
}

fn empty_level_0(scene: Scene<'_>, bottom: usize) -> Option<Task> {
    if scene.levels.level(0).is_empty() {
        return None;
    }
    let output = scene.levels.next_below(0).unwrap_or(bottom);
    let mut task = level0::pick(scene, output, 1.0)?;
    task.reason = Reason::Manual;
    Some(task)
}

fn empty_level(scene: Scene<'_>, level: usize) -> Option<Task> {
    let output = scene.levels.next_below(level)?;
    let places = 0..scene.levels.level(level).len();
    let mut jobs = places.filter_map(|place| Some((place, lower::start(scene, level, place, output)?)));
    let (place, job) = jobs.find(|(_, job)| scene.admits(job))?;
    let job = lower::grow(scene, job, level, place, u64::MAX);
    Some(scene.task(job, Reason::Manual, 1.0))
}

/// Rewrites the first neighbours in the bottom level that are sure to lose tombstones, or what is one by now.
fn drop_tombstones(scene: Scene<'_>, bottom: usize, loses: impl Fn(&TableMeta) -> bool) -> Option<Task> {
    let rows = scene.levels.level(bottom).chunk_by(|left, right| loses(left) == loses(right));
    let jobs =
        rows.filter(|row| loses(&row[0])).flat_map(|row| row.chunks(scene.options.max_sstables_per_job));
    let mut jobs = jobs.filter_map(|row| Candidate::new(vec![(bottom, row.to_vec())], bottom));
    let job = jobs.find(|job| scene.admits(job))?;
    Some(scene.task(job, Reason::Manual, 1.0))
}
