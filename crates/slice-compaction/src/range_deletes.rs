//! What range tombstones have to do with the shape of a tree: which of them it still needs, and which of its tables
//! they are enough to remove.
//!
//! Range tombstones are in no table. A tree has them beside its tables, and a merge leaves out what they cover:
//!
//! ```text
//!   tombstone @50          [ e ----------------- p )
//!   table, @10..@40    [ a ------ g ]                      may hold what is covered: the tombstone is needed
//!   table, @51..@60               [ g --- k ]              newer
//!   table, @10..@40, purged @50      [ i ---- m ]          a merge has applied the tombstone already
//!   table, @10..@40                                [ p - ] beside it
//! ```
//!
//! Once no table may hold what it covers, a tombstone is done with: entries that come later are newer than it. It gets
//! there in three ways: tables that it covers as a whole are given up unread ([`pick_covered`]); merges apply it in
//! passing; and where it goes on lying around, the tables that need it are rewritten for its sake ([`pick_purge`]).

use std::sync::Arc;

use slice_types::{Level, RangeIndex, RangeTombstone, SeqNo, TableId};

use crate::candidate::Candidate;
use crate::{Busy, Levels, Reason, StrategyOptions, TableMeta, Task, TaskKind};

impl TableMeta {
    /// Whether the table may hold entries that the tombstone covers.
    pub fn may_be_covered_by(&self, tombstone: &RangeTombstone) -> bool {
        self.min_seqno < tombstone.seqno
            && self.purged < tombstone.seqno
            && tombstone.range.touches(&self.smallest, &self.largest)
    }
}

impl Levels {
    /// Whether some table may hold entries that the tombstone covers.
    pub fn need(&self, tombstone: &RangeTombstone) -> bool {
        let is_covered = |table: &TableMeta| table.may_be_covered_by(tombstone);
        if self.level(0).iter().any(|table| is_covered(table)) {
            return true;
        }
        (1..self.len()).any(|level| {
            let tables = self.level(level);
            let start = tables.partition_point(|table| *table.largest < *tombstone.range.start());
            let touched = tables[start..]
                .iter()
                .take_while(|table| tombstone.range.touches(&table.smallest, &table.largest));
            touched.into_iter().any(|table| is_covered(table))
        })
    }
}

/// The task of giving up all tables that range tombstones cover as a whole, for every reader: one that reads at one of
/// the `snapshots` (ascending) or at `visible` or later. The tombstones must be durable.
pub fn pick_covered(
    levels: &Levels,
    busy: &Busy,
    tombstones: &RangeIndex,
    snapshots: &[SeqNo],
    visible: SeqNo,
) -> Option<Task> {
    if tombstones.is_empty() {
        return None;
    }
    // The first who reads anything of the table reads nothing of it, nor does anybody after that.
    let is_covered = |table: &TableMeta| {
        let first = snapshots.partition_point(|snapshot| *snapshot < table.min_seqno);
        let at = snapshots.get(first).map_or(visible, |first| visible.min(*first));
        tombstones.newest(at) > Some(table.max_seqno)
            && tombstones.covers_all(&table.smallest, &table.largest, table.max_seqno, at)
    };
    let mut inputs: Vec<(Level, Vec<TableId>)> = Vec::new();
    for (level, table) in levels.tables().filter(|(_, table)| !busy.is_busy(table.id) && is_covered(table)) {
        let level = Level(u8::try_from(level).ok()?);
        match inputs.last_mut() {
            Some((last, ids)) if *last == level => ids.push(table.id),
            _ => inputs.push((level, vec![table.id])),
        }
    }
    let (kind, reason) = (TaskKind::Unlink, Reason::RangeTombstones);
    (!inputs.is_empty()).then_some(Task { inputs, output: Level::ZERO, kind, reason, score: 1.0 })
}

/// The task of rewriting a table below level 0 for the sake of range tombstones at or below `at`, the lowest number that
/// anyone may still read at; `None` while there are no more tombstones than `bearable`.
///
/// The rewritten table needs none of them, so it is not asked for twice.
pub fn pick_purge(
    levels: &Levels,
    busy: &Busy,
    options: &StrategyOptions,
    tombstones: &RangeIndex,
    at: SeqNo,
    bearable: usize,
) -> Option<Task> {
    if tombstones.tombstones().len() <= bearable {
        return None;
    }
    let is_due = |table: &Arc<TableMeta>| {
        let done = table.purged.max(table.min_seqno);
        tombstones.newest(at) > Some(done) && tombstones.touches(&table.smallest, &table.largest, done, at)
    };
    let due = levels.tables().filter(|(level, table)| *level > 0 && is_due(table));
    let mut jobs =
        due.filter_map(|(level, table)| Candidate::new(vec![(level, vec![Arc::clone(table)])], level));
    let job = jobs.find(|job| busy.admits_candidate(job, levels))?;
    Some(job.into_task(levels, options, Reason::RangeTombstones, 1.0))
}
