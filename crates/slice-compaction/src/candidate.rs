//! A job in the making: grown table by table, then weighed and turned into a [`Task`].

use std::sync::Arc;

use slice_types::{Level, TableId};

use crate::levels::Hull;
use crate::{Levels, Reason, StrategyOptions, TableMeta, Task, TaskKind};

/// The tables of a job, and where they are to go. At least one table; levels ascending, none empty.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) inputs: Vec<(usize, Vec<Arc<TableMeta>>)>,
    pub(crate) output: usize,
    pub(crate) hull: Hull,
}

impl Candidate {
    /// A job of exactly these tables; `None` of none.
    pub(crate) fn new(mut inputs: Vec<(usize, Vec<Arc<TableMeta>>)>, output: usize) -> Option<Self> {
        inputs.retain(|(_, tables)| !tables.is_empty());
        let hull = Hull::of(inputs.iter().flat_map(|(_, tables)| tables))?;
        Some(Self { inputs, output, hull })
    }

    /// A job of these tables of one level, joined by all that they overlap in the deeper level `output`.
    pub(crate) fn into_level(
        levels: &Levels,
        level: usize,
        sources: Vec<Arc<TableMeta>>,
        output: usize,
    ) -> Option<Self> {
        let overlapped = levels.overlapping(output, &Hull::of(&sources)?).to_vec();
        Self::new(vec![(level, sources), (output, overlapped)], output)
    }

    pub(crate) fn tables(&self) -> impl Iterator<Item = &Arc<TableMeta>> {
        self.inputs.iter().flat_map(|(_, tables)| tables)
    }

    pub(crate) fn len(&self) -> usize {
        self.inputs.iter().map(|(_, tables)| tables.len()).sum()
    }

    /// The tables that it takes of one level.
    pub(crate) fn of_level(&self, level: usize) -> &[Arc<TableMeta>] {
        self.inputs.iter().find(|(index, _)| *index == level).map_or(&[], |(_, tables)| tables)
    }

    pub(crate) fn takes(&self, level: usize, id: TableId) -> bool {
        self.of_level(level).iter().any(|table| table.id == id)
    }

    /// The shallowest level that it takes a table of.
    pub(crate) fn top(&self) -> usize {
        self.inputs.first().map_or(self.output, |(level, _)| *level)
    }

    /// Whether it is enough to move the tables: nothing interleaves, nothing would be dropped, and no moved table will
    /// be a huge job's source at its next step.
    pub(crate) fn is_move(&self, levels: &Levels, options: &StrategyOptions) -> bool {
        self.output > 0
            && self.of_level(self.output).is_empty()
            && self.is_disjoint()
            && self.tables().all(|table| {
                grandparent_bytes(levels, self.output, table) <= options.max_grandparent_bytes()
                    && !(is_tombstone_heavy(table, options) && is_bottommost(levels, self.output, table))
            })
    }

    fn is_disjoint(&self) -> bool {
        let mut tables: Vec<_> = self.tables().collect();
        tables.sort_by(|left, right| left.smallest.cmp(&right.smallest));
        tables.windows(2).all(|pair| pair[0].largest < pair[1].smallest)
    }

    pub(crate) fn into_task(
        self,
        levels: &Levels,
        options: &StrategyOptions,
        reason: Reason,
        score: f64,
    ) -> Task {
        let kind = if self.is_move(levels, options) { TaskKind::TrivialMove } else { TaskKind::Merge };
        let ids = |tables: &[Arc<TableMeta>]| tables.iter().map(|table| table.id).collect();
        let inputs = self.inputs.iter().map(|(level, tables)| (to_level(*level), ids(tables))).collect();
        Task { inputs, output: to_level(self.output), kind, reason, score }
    }
}

/// Whether the share of tombstones is above the limit.
pub(crate) fn is_tombstone_heavy(table: &TableMeta, options: &StrategyOptions) -> bool {
    table.tombstones.saturating_mul(100) > table.entries.saturating_mul(options.tombstone_percent)
}

/// Whether tombstones among so many entries are worth a job of their own, however little is due otherwise.
pub(crate) fn is_worth_dropping(tombstones: u64, entries: u64, options: &StrategyOptions) -> bool {
    tombstones >= options.tombstones_min
        && tombstones.saturating_mul(100) > entries.saturating_mul(options.tombstone_percent)
}

/// Whether nothing below `level` can hold a key of the table.
fn is_bottommost(levels: &Levels, level: usize, table: &Arc<TableMeta>) -> bool {
    let hull = Hull { smallest: table.smallest.clone(), largest: table.largest.clone() };
    (level + 1..levels.len()).all(|below| levels.overlap(below, &hull).is_empty())
}

fn grandparent_bytes(levels: &Levels, output: usize, table: &Arc<TableMeta>) -> u64 {
    let hull = Hull { smallest: table.smallest.clone(), largest: table.largest.clone() };
    levels.overlapping(output + 1, &hull).iter().map(|table| table.bytes).sum()
}

/// # Panics
///
/// When the tree has more than 256 levels, which [`StrategyOptions::validate`] refuses.
fn to_level(index: usize) -> Level {
    Level(u8::try_from(index).expect("options with more than 256 levels are refused"))
}
