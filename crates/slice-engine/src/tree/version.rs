//! A version: the tables of each level at one moment. Immutable; a flush or compaction makes the next one.

use std::sync::Arc;

use bytes::Bytes;
use slice_compaction::Levels;
use slice_sstable::ReadMode;
use slice_types::{Level, RangeIndex, RangeTombstone, Result, SeqNo, TableId, Trailer, hash_key};

use super::caches::Caches;
use super::candidates::Candidates;
use super::open_table::OpenTable;
use super::sound;

/// The tables of each level: level 0 oldest first and overlapping, the others by key and disjoint.
#[derive(Clone, Default)]
pub(crate) struct Version {
    levels: Vec<Vec<Arc<OpenTable>>>,
    /// The same tables, as lookups want them.
    candidates: Candidates,
    /// The range tombstones that some of the tables may need; none at all when they are none.
    range_tombstones: Option<Arc<RangeIndex>>,
}

impl Version {
    /// Puts tables into their places.
    ///
    /// # Panics
    ///
    /// When tables of a level below 0 overlap: what was read from such a version would be wrong. With debug assertions
    /// also when anything else about it is not sound.
    pub(crate) fn new(mut levels: Vec<Vec<Arc<OpenTable>>>) -> Self {
        for (level, tables) in levels.iter_mut().enumerate() {
            if level == 0 {
                tables.sort_by_key(|table| table.meta.max_seqno);
                continue;
            }
            tables.sort_by(|left, right| left.meta.smallest.cmp(&right.meta.smallest));
            for pair in tables.windows(2) {
                assert!(pair[0].meta.largest < pair[1].meta.smallest, "tables of level {level} overlap");
            }
        }
        let version = Self { candidates: Candidates::new(&levels), levels, range_tombstones: None };
        if cfg!(debug_assertions) {
            version.assert_sound();
        }
        version
    }

    fn assert_sound(&self) {
        if let Err(error) = sound::check(&self.shape(0)) {
            panic!("a version that is not sound: {error}");
        }
    }

    /// The version with range tombstones as well, in place of those that it had.
    pub(crate) fn with_range_tombstones(
        mut self,
        tombstones: impl IntoIterator<Item = RangeTombstone>,
    ) -> Self {
        let index = RangeIndex::new(tombstones);
        self.range_tombstones = (!index.is_empty()).then(|| Arc::new(index));
        self
    }

    /// The next version: without the `removed`, with the `added`, and with those range tombstones, its own and the
    /// `deleted`, that may cover something in the tables.
    pub(crate) fn next(
        &self,
        removed: &[TableId],
        added: &[(Level, Arc<OpenTable>)],
        deleted: &[RangeTombstone],
    ) -> Self {
        let next = self.with_tables(removed, added);
        let before = self.range_tombstones();
        if before.is_empty() && deleted.is_empty() {
            return next;
        }
        let shape = next.shape(0);
        let all = before.iter().chain(deleted);
        let needed: Vec<_> = all.filter(|tombstone| shape.need(tombstone)).cloned().collect();
        if needed == before {
            return Self { range_tombstones: self.range_tombstones.clone(), ..next };
        }
        next.with_range_tombstones(needed)
    }

    fn with_tables(&self, removed: &[TableId], added: &[(Level, Arc<OpenTable>)]) -> Self {
        let depth =
            added.iter().map(|(level, _)| level.index() + 1).max().unwrap_or(0).max(self.levels.len());
        let mut levels = self.levels.clone();
        levels.resize_with(depth, Vec::new);
        for tables in &mut levels {
            tables.retain(|table| !removed.contains(&table.id()));
        }
        for (level, table) in added {
            levels[level.index()].push(Arc::clone(table));
        }
        Self::new(levels)
    }

    /// The range tombstones, newest first.
    pub(crate) fn range_tombstones(&self) -> &[RangeTombstone] {
        self.range_tombstones.as_ref().map_or(&[], |index| index.tombstones())
    }

    /// The range tombstones as a merge takes them.
    pub(crate) fn range_index(&self) -> Arc<RangeIndex> {
        self.range_tombstones.clone().unwrap_or_default()
    }

    /// The same, where there are any.
    pub(crate) fn range_index_if_any(&self) -> Option<Arc<RangeIndex>> {
        self.range_tombstones.clone()
    }

    /// The newest range tombstone at or below `at` that has the key in its range.
    #[inline]
    pub(crate) fn covering(&self, key: &[u8], at: SeqNo) -> Option<SeqNo> {
        self.range_tombstones.as_ref()?.covering(key, at)
    }

    pub(crate) fn levels(&self) -> &[Vec<Arc<OpenTable>>] {
        &self.levels
    }

    /// Bytes of memory that the filters and indexes of its tables take.
    pub(crate) fn memory_used(&self) -> usize {
        self.levels.iter().flatten().map(|table| table.table.memory_used()).sum()
    }

    pub(crate) fn table(&self, id: TableId) -> Option<&Arc<OpenTable>> {
        self.levels.iter().flatten().find(|table| table.id() == id)
    }

    /// The shape that compaction strategies decide on, with at least `depth` levels.
    pub(crate) fn shape(&self, depth: usize) -> Levels {
        let mut levels: Vec<Vec<_>> = self
            .levels
            .iter()
            .map(|tables| tables.iter().map(|table| Arc::clone(&table.meta)).collect())
            .collect();
        levels.resize_with(depth.max(levels.len()), Vec::new);
        Levels::new(levels)
    }

    /// The newest version of a key at or below `at`, tombstones included; `None` if a range tombstone covers it.
    pub(crate) fn get(
        &self,
        key: &[u8],
        at: SeqNo,
        mode: ReadMode,
        caches: &Caches,
    ) -> Result<Option<(Trailer, Bytes)>> {
        let hash = hash_key(key);
        let covering = self.covering(key, at);
        for table in self.candidates.of(key) {
            if Some(table.meta.max_seqno) < covering || !table.table.may_contain(hash) {
                continue;
            }
            if let Some((trailer, value)) = get_row(table, key, hash, at, mode, caches)? {
                return Ok((Some(trailer.seqno()) > covering).then_some((trailer, value)));
            }
        }
        Ok(None)
    }
}

/// Asks the row cache, then the table.
///
/// A row is the newest version that the table holds, so it answers only readers that see all of the table. It can
/// never be stale: tables do not change, and their numbers are not used again.
fn get_row(
    table: &OpenTable,
    key: &[u8],
    hash: u64,
    at: SeqNo,
    mode: ReadMode,
    caches: &Caches,
) -> Result<Option<(Trailer, Bytes)>> {
    let rows = match caches.rows.for_lookup(hash, || caches.blocks.stats()) {
        Some(rows) if at >= table.meta.max_seqno => rows,
        _ => return table.table.get(key, at, mode),
    };
    let id = table.id().0;
    if let Some(row) = rows.get(id, key, hash) {
        return Ok(row);
    }
    let row = table.table.get(key, at, mode)?;
    if row.as_ref().is_some_and(|(_, value)| value.len() > caches.row_max()) {
        return Ok(row);
    }
    // A copy: a row that shared its block would keep all of the block in memory.
    let kept = row.as_ref().map(|(trailer, value)| (*trailer, Bytes::copy_from_slice(value)));
    rows.insert(id, key, hash, kept);
    Ok(row)
}
