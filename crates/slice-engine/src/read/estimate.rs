//! How much there is, without reading it.

use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use slice_memtable::MemTable;
use slice_types::Result;

use super::Reader;
use crate::scan::KeyRange;
use crate::tree::{OpenTable, View};

impl Reader<'_> {
    /// About how many keys there are.
    pub(super) fn approximate_len(&self) -> u64 {
        let view = self.tree.keep_view();
        let (entries, tombstones) = counted(&view);
        // A tombstone is an entry, and most often there is another one that it hides.
        entries.saturating_sub(tombstones.saturating_mul(2))
    }

    /// About how many bytes of tables a range takes.
    pub(super) fn approximate_size(&self, range: &KeyRange) -> Result<u64> {
        self.handle.core.check_open()?;
        range.check()?;
        let view = self.tree.keep_view();
        Ok(view.version.levels().iter().flatten().map(|table| share(table, range)).sum())
    }
}

/// The entries of a view, and the tombstones among them.
fn counted(view: &View) -> (u64, u64) {
    let memories = std::iter::once(&view.active).chain(view.frozen.iter().map(|frozen| &frozen.memory));
    let in_memory = memories.map(|memory| (memory.len() as u64, memory.tombstones() as u64));
    let tables = view.version.levels().iter().flatten();
    let in_tables = tables.map(|table| (table.meta.entries, table.meta.tombstones));
    in_memory.chain(in_tables).fold((0, 0), |sum, next| (sum.0 + next.0, sum.1 + next.1))
}

/// The bytes of a table's blocks that the range touches.
fn share(table: &Arc<OpenTable>, range: &KeyRange) -> u64 {
    if range.starts_behind(&table.meta.largest) || range.ends_before(&table.meta.smallest) {
        return 0;
    }
    let offset = |bound: &Bound<Bytes>| match bound {
        Bound::Included(key) | Bound::Excluded(key) => Some(table.table.approximate_offset(key)),
        Bound::Unbounded => None,
    };
    let start = offset(&range.lower).unwrap_or(0);
    let end = offset(&range.upper).unwrap_or(table.table.properties().data_bytes);
    end.saturating_sub(start)
}
