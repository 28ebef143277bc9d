//! What must be true of every version. Looked at whenever one is made, in builds with debug assertions.
//!
//! ```text
//!   level 0   [ seqno 41..60 ] [ 61..75 ] [ 76..99 ]    each table is newer than the one before, as a whole
//!   level n   [ a..d ] [ e..k ] [ l..z ]                sorted by key and disjoint
//! ```
//!
//! From level to level the bounds of tables say nothing: for any one key the upper level is newer, but a table may
//! have bounds that it has no entries near to.

use std::sync::Arc;

use slice_compaction::{Levels, TableMeta};
use slice_types::{Error, Result};

/// Checks the order, the overlap and the sequence numbers of the tables.
///
/// # Errors
///
/// `Corruption`, naming the tables.
pub(super) fn check(levels: &Levels) -> Result<()> {
    levels.check()?;
    check_ages(levels.level(0))
}

/// A flush takes all of a memtable, and a merge within level 0 takes neighbours, so no two tables share a stretch of
/// the history.
fn check_ages(level_0: &[Arc<TableMeta>]) -> Result<()> {
    let unordered = |pair: &&[Arc<TableMeta>]| pair[0].max_seqno >= pair[1].min_seqno;
    match level_0.windows(2).find(unordered) {
        None => Ok(()),
        Some(pair) => Err(Error::corruption(format!(
            "tables {} and {} of level 0 share sequence numbers: {}..{} and {}..{}",
            pair[0].id,
            pair[1].id,
            pair[0].min_seqno,
            pair[0].max_seqno,
            pair[1].min_seqno,
            pair[1].max_seqno,
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slice_types::{SeqNo, TableId};

    fn table(id: u64, keys: [&str; 2], seqnos: [u64; 2]) -> Arc<TableMeta> {
        Arc::new(TableMeta {
            id: TableId(id),
            smallest: keys[0].as_bytes().into(),
            largest: keys[1].as_bytes().into(),
            bytes: 10,
            entries: 10,
            tombstones: 0,
            min_seqno: SeqNo::new(seqnos[0]),
            max_seqno: SeqNo::new(seqnos[1]),
            purged: SeqNo::ZERO,
        })
    }

    fn objection(levels: Vec<Vec<Arc<TableMeta>>>) -> String {
        check(&Levels::new(levels)).unwrap_err().to_string()
    }

    #[test]
    fn a_tree_of_any_ages_below_level_0_is_sound() {
        let level_0 = vec![table(5, ["a", "z"], [41, 60]), table(6, ["b", "c"], [61, 61])];
        let level_1 = vec![table(1, ["a", "c"], [1, 40]), table(2, ["d", "f"], [2, 30])];
        check(&Levels::new(vec![level_0, level_1])).unwrap();
    }

    #[test]
    fn tables_of_level_0_that_share_sequence_numbers_are_seen() {
        let overlapping = vec![table(1, ["a", "b"], [1, 10]), table(2, ["c", "d"], [10, 20])];
        assert!(objection(vec![overlapping]).contains("share sequence numbers"));
        let within = vec![table(1, ["a", "b"], [5, 6]), table(2, ["c", "d"], [1, 20])];
        assert!(objection(vec![within]).contains("share sequence numbers"));
    }

    #[test]
    fn tables_of_a_deeper_level_that_overlap_are_seen() {
        let level_1 = vec![table(1, ["a", "d"], [1, 2]), table(2, ["d", "f"], [3, 4])];
        assert!(objection(vec![Vec::new(), level_1]).contains("overlaps or follows"));
    }
}
