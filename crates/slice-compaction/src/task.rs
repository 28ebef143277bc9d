//! What a strategy asks for: these tables, into that level.

use std::fmt;
use std::sync::Arc;

use slice_types::{Level, TableId};

use crate::levels::Hull;
use crate::merge::{DeeperKeys, Grandparent, Raise};
use crate::{Levels, StrategyOptions, TableMeta};

/// A job to do. Nothing has happened yet: [`Busy::start`](crate::Busy::start) marks it as running,
/// [`Levels::apply`] gives the tree once it is done.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// The tables it takes, by level, shallowest level first. Level 0 oldest first, deeper levels by key.
    pub inputs: Vec<(Level, Vec<TableId>)>,
    /// The level that the result goes to.
    pub output: Level,
    /// Whether data is rewritten.
    pub kind: TaskKind,
    /// Why it is to be done.
    pub reason: Reason,
    /// How urgent it is: 1 is due, more is overdue. Comparable within one strategy.
    pub score: f64,
}

/// Whether a [`Task`] rewrites data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskKind {
    /// Merge the inputs into new tables.
    Merge,
    /// The tables are put into another level as they are: a manifest edit and no more.
    TrivialMove,
    /// The tables are given up unread, for range tombstones cover all that is in them. There is no output.
    Unlink,
}

/// Why a [`Task`] is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Level 0 has too many tables or bytes.
    Level0,
    /// Level 0 is long and the way down is blocked or costly: its tables are merged into one that stays.
    Level0Fold,
    /// A level is over its size.
    LevelSize,
    /// A table consists largely of tombstones.
    Tombstones,
    /// The newer runs hold too much beside the oldest one.
    SpaceAmplification,
    /// Runs of like size stand side by side.
    SizeRatio,
    /// There are too many runs.
    RunCount,
    /// Range tombstones cover something in the tables.
    RangeTombstones,
    /// Someone asked for it.
    Manual,
}

impl Reason {
    /// A short name, for logs and statistics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Level0 => "level-0",
            Self::Level0Fold => "level-0-fold",
            Self::LevelSize => "level-size",
            Self::Tombstones => "tombstones",
            Self::SpaceAmplification => "space-amplification",
            Self::SizeRatio => "size-ratio",
            Self::RunCount => "run-count",
            Self::RangeTombstones => "range-tombstones",
            Self::Manual => "manual",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Task {
    /// Whether it is a [`TrivialMove`](TaskKind::TrivialMove).
    pub fn is_move(&self) -> bool {
        self.kind == TaskKind::TrivialMove
    }

    /// The tables it takes.
    pub fn table_ids(&self) -> impl Iterator<Item = TableId> + '_ {
        self.inputs.iter().flat_map(|(_, ids)| ids.iter().copied())
    }

    /// The inputs as they stand in `levels`, in the order of [`inputs`](Self::inputs).
    ///
    /// # Panics
    ///
    /// When one is not where the task says.
    pub fn tables(&self, levels: &Levels) -> Vec<Arc<TableMeta>> {
        let find = |level: &Level, id: &TableId| {
            let found = levels.level(level.index()).iter().find(|table| table.id == *id);
            found.cloned().unwrap_or_else(|| panic!("table {id} of the task is not in level {level}"))
        };
        self.inputs.iter().flat_map(|(level, ids)| ids.iter().map(move |id| find(level, id))).collect()
    }

    /// The stored bytes that it reads.
    ///
    /// # Panics
    ///
    /// As [`tables`](Self::tables).
    pub fn bytes(&self, levels: &Levels) -> u64 {
        self.tables(levels).iter().map(|table| table.bytes).sum()
    }

    /// The size at which its tables end, in bytes. What goes to level 0 is one table, however large: as several,
    /// each would count as a run, and nothing would be won. For the same reason such a task is not to be split.
    pub fn target_table_bytes(&self, options: &StrategyOptions) -> u64 {
        if self.output == Level::ZERO { u64::MAX } else { options.target_table_bytes }
    }

    /// Where older data than the task's may be: the tables below its output, and for an output in level 0 also the
    /// older tables there. As of `levels`, which must be the tree that it was picked for.
    ///
    /// # Panics
    ///
    /// As [`tables`](Self::tables).
    pub fn deeper_keys(&self, levels: &Levels) -> DeeperKeys {
        let Some(hull) = Hull::of(&self.tables(levels)) else { return DeeperKeys::default() };
        let below = self.output.index() + 1..levels.len();
        let deeper = below.flat_map(|level| levels.overlapping(level, &hull));
        let older = self.older_in_level_0(levels).iter().filter(|table| table.touches(&hull));
        DeeperKeys::new(deeper.chain(older).map(|table| (table.smallest.clone(), table.largest.clone())))
    }

    /// Which sequence numbers of its tables may become one: all up to the highest, but where tables above its output may have
    /// newer versions without higher numbers. As of `levels`, which must be the tree that it was picked for.
    ///
    /// # Panics
    ///
    /// As [`tables`](Self::tables).
    pub fn raise(&self, levels: &Levels) -> Raise {
        let inputs = self.tables(levels);
        let Some(hull) = Hull::of(&inputs) else { return Raise::default() };
        let to = inputs.iter().map(|table| table.max_seqno).max().unwrap_or_default();
        let is_input = |table: &TableMeta| inputs.iter().any(|input| input.id == table.id);
        // Of level 0, an output there leaves all that is newer above it.
        let above = (0..self.output.index().max(1)).flat_map(|level| levels.level(level));
        let newer = above.filter(|table| table.min_seqno <= to && table.touches(&hull) && !is_input(table));
        let newer = newer.map(|table| (table.smallest.clone(), table.largest.clone()));
        Raise { to, newer: DeeperKeys::new(newer) }
    }

    fn older_in_level_0<'a>(&self, levels: &'a Levels) -> &'a [Arc<TableMeta>] {
        let level_0 = levels.level(0);
        let oldest = level_0.iter().position(|table| self.table_ids().any(|id| id == table.id));
        if self.output == Level::ZERO { &level_0[..oldest.unwrap_or(0)] } else { &[] }
    }

    /// The tables of the level below the output that its range overlaps: what the new tables will be merged with, one
    /// day. None for an output in level 0, which is one table in any case.
    ///
    /// # Panics
    ///
    /// As [`tables`](Self::tables).
    pub fn grandparents(&self, levels: &Levels) -> Vec<Grandparent> {
        let hull = Hull::of(&self.tables(levels)).filter(|_| self.output != Level::ZERO);
        hull.map_or_else(Vec::new, |hull| {
            let tables = levels.overlapping(self.output.index() + 1, &hull);
            tables.iter().map(|table| Grandparent::from(&**table)).collect()
        })
    }
}
