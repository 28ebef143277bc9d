//! What range tombstones have to do with the shape of a tree: which of them a tree still needs.
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
//! Once no table may hold what it covers, a tombstone is done with: entries that come later are newer than it.

use slice_types::RangeTombstone;

use crate::{Levels, TableMeta};

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
