//! The shape of a tree: which tables stand in which level.
//!
//! ```text
//!   level 0   [ a-----m ] [ c---------z ] [ b--k ]     oldest first; they may overlap, each is a run of its own
//!   level 1   [a-c][d---h]      [p--t]                 sorted and disjoint: one run
//!     ...
//!   level 6   [a--b][c-d][e---k][l---p][q----z]
//! ```
//!
//! The invariant, on which readers rely: for any one key, all data in a level is newer than all data in deeper
//! levels, and in level 0 newer in a later table than in an earlier one. [`Levels::check`] checks as much of it as the
//! bounds of tables show.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use slice_types::{Error, Result, SeqNo, TableId};

use crate::Task;

/// What is known of a table without opening it.
#[derive(Clone, Debug, PartialEq)]
pub struct TableMeta {
    /// Its number.
    pub id: TableId,
    /// Its smallest user key.
    pub smallest: Arc<[u8]>,
    /// Its largest user key; it is in the table.
    pub largest: Arc<[u8]>,
    /// Its size as stored, in bytes.
    pub bytes: u64,
    /// Its entries, tombstones included.
    pub entries: u64,
    /// Its entries of the kind `Delete`. Range tombstones are in no table.
    pub tombstones: u64,
    /// The lowest sequence number in it.
    pub min_seqno: SeqNo,
    /// The highest sequence number in it.
    pub max_seqno: SeqNo,
    /// No entry in it is covered by a range tombstone at or below this number: the merge that wrote it saw to that. 0 when
    /// no tombstone was applied.
    pub purged: SeqNo,
}

impl TableMeta {
    /// Whether some key may be in both tables.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.smallest <= other.largest && other.smallest <= self.largest
    }

    /// Whether some key of the table may lie in the hull.
    pub(crate) fn touches(&self, hull: &Hull) -> bool {
        *self.smallest <= *hull.largest && *hull.smallest <= *self.largest
    }
}

/// The smallest and the largest user key of some tables, both included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hull {
    pub(crate) smallest: Arc<[u8]>,
    pub(crate) largest: Arc<[u8]>,
}

impl Hull {
    /// The hull of some tables; `None` of none.
    pub(crate) fn of<'a>(tables: impl IntoIterator<Item = &'a Arc<TableMeta>>) -> Option<Self> {
        let mut tables = tables.into_iter();
        let first = tables.next()?;
        let mut hull = Self { smallest: first.smallest.clone(), largest: first.largest.clone() };
        tables.for_each(|table| hull.include(table));
        Some(hull)
    }

    /// Grows to take in a table.
    pub(crate) fn include(&mut self, table: &TableMeta) {
        if table.smallest < self.smallest {
            self.smallest = table.smallest.clone();
        }
        if table.largest > self.largest {
            self.largest = table.largest.clone();
        }
    }

    /// Whether some key may lie in both.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.smallest <= other.largest && other.smallest <= self.largest
    }
}

/// The tables of a tree, level by level. Cheap to clone as trees go: it shares what is known of each table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Levels {
    levels: Vec<Vec<Arc<TableMeta>>>,
}

impl Levels {
    /// Takes the levels as they are: level 0 oldest first, each deeper one by smallest key. See [`check`](Self::check).
    pub fn new(levels: Vec<Vec<Arc<TableMeta>>>) -> Self {
        Self { levels }
    }

    /// How many levels there are, level 0 included.
    #[expect(clippy::len_without_is_empty, reason = "a tree without tables has levels all the same")]
    pub fn len(&self) -> usize {
        self.levels.len()
    }

    /// The tables of a level; none where the tree has no such level.
    pub fn level(&self, index: usize) -> &[Arc<TableMeta>] {
        self.levels.get(index).map_or(&[], Vec::as_slice)
    }

    /// All tables with the index of their level.
    pub fn tables(&self) -> impl Iterator<Item = (usize, &Arc<TableMeta>)> {
        self.levels
            .iter()
            .enumerate()
            .flat_map(|(index, tables)| tables.iter().map(move |table| (index, table)))
    }

    /// The stored bytes of a level.
    pub fn bytes(&self, index: usize) -> u64 {
        self.level(index).iter().map(|table| table.bytes).sum()
    }

    /// The deepest level that has a table.
    pub fn deepest(&self) -> Option<usize> {
        self.levels.iter().rposition(|tables| !tables.is_empty())
    }

    /// The first level below `index` that has a table.
    pub fn next_below(&self, index: usize) -> Option<usize> {
        (index + 1..self.len()).find(|&level| !self.level(level).is_empty())
    }

    /// The places in a level of 1 or deeper of the tables that touch the hull.
    pub(crate) fn overlap(&self, index: usize, hull: &Hull) -> Range<usize> {
        assert!(index > 0, "the tables of level 0 are not sorted by key");
        let tables = self.level(index);
        let start = tables.partition_point(|table| table.largest < hull.smallest);
        let len = tables.iter().skip(start).take_while(|table| table.smallest <= hull.largest).count();
        start..start + len
    }

    /// The tables of a level of 1 or deeper that touch the hull.
    pub(crate) fn overlapping(&self, index: usize, hull: &Hull) -> &[Arc<TableMeta>] {
        &self.level(index)[self.overlap(index, hull)]
    }

    /// Checks the invariant: no table twice, bounds in order, level 0 by age, deeper levels sorted and disjoint.
    ///
    /// # Errors
    ///
    /// [`Corruption`](slice_types::ErrorKind::Corruption), with the level and the tables.
    pub fn check(&self) -> Result<()> {
        let mut seen = HashSet::new();
        for (level, table) in self.tables() {
            if !seen.insert(table.id) {
                return Err(Error::corruption(format!("table {} is in the tree twice", table.id)));
            }
            if table.smallest > table.largest || table.min_seqno > table.max_seqno {
                return Err(broken(level, table, table, "has bounds that are the wrong way round"));
            }
        }
        self.check_age()?;
        (1..self.len()).try_for_each(|level| self.check_sorted(level))
    }

    fn check_age(&self) -> Result<()> {
        let unordered = |pair: &&[Arc<TableMeta>]| pair[0].max_seqno > pair[1].max_seqno;
        match self.level(0).windows(2).find(unordered) {
            Some(pair) => Err(broken(0, &pair[0], &pair[1], "is newer than its successor")),
            None => Ok(()),
        }
    }

    fn check_sorted(&self, level: usize) -> Result<()> {
        let unordered = |pair: &&[Arc<TableMeta>]| pair[0].largest >= pair[1].smallest;
        match self.level(level).windows(2).find(unordered) {
            Some(pair) => Err(broken(level, &pair[0], &pair[1], "overlaps or follows its successor")),
            None => Ok(()),
        }
    }

    /// The tree once `task` is done and has written `outputs`, in key order. A moved table goes by itself: a
    /// trivial move takes no outputs.
    ///
    /// What was flushed since the task was picked stays where it is. A task of level 0 into level 0 puts its outputs
    /// where its oldest input was.
    ///
    /// # Panics
    ///
    /// When an input is not where the task says.
    #[must_use]
    pub fn apply(&self, task: &Task, outputs: Vec<Arc<TableMeta>>) -> Self {
        let mut next = self.clone();
        next.levels.resize_with(self.len().max(task.output.index() + 1), Vec::new);
        let mut arrivals = outputs;
        let mut place = None;
        for (level, ids) in &task.inputs {
            let (gone, kept) = split_off(&next.levels[level.index()], ids);
            assert!(gone.len() == ids.len(), "a table of the task is not in level {level}");
            if *level == task.output {
                place = next.levels[level.index()].iter().position(|table| ids.contains(&table.id));
            }
            next.levels[level.index()] = kept;
            if task.is_move() {
                arrivals.extend(gone);
            }
        }
        next.arrive(task.output.index(), place, arrivals);
        next
    }

    fn arrive(&mut self, level: usize, place: Option<usize>, arrivals: Vec<Arc<TableMeta>>) {
        let tables = &mut self.levels[level];
        if level > 0 {
            tables.extend(arrivals);
            tables.sort_by(|left, right| left.smallest.cmp(&right.smallest));
        } else {
            let place = place.unwrap_or(0);
            tables.splice(place..place, arrivals);
        }
    }
}

type Tables = Vec<Arc<TableMeta>>;

fn split_off(tables: &[Arc<TableMeta>], ids: &[TableId]) -> (Tables, Tables) {
    let ids: HashSet<_> = ids.iter().collect();
    tables.iter().cloned().partition(|table| ids.contains(&table.id))
}

#[cold]
fn broken(level: usize, left: &TableMeta, right: &TableMeta, what: &str) -> Error {
    Error::corruption(format!(
        "table {} [{}..{}] of level {level} {what} (table {} [{}..{}])",
        left.id,
        left.smallest.escape_ascii(),
        left.largest.escape_ascii(),
        right.id,
        right.smallest.escape_ascii(),
        right.largest.escape_ascii(),
    ))
}
