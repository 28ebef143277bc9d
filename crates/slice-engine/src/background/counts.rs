//! Counts what goes through a merge. What a merge loses unnoticed is lost for good once its inputs are removed.
//!
//! ```text
//!   entries of the inputs ── read ──┬── dropped: hidden, a tombstone with nothing to hide, folded into another, filtered
//!                                   └── kept ── written ── entries of the tables
//! ```
//!
//! Every arrow keeps the number. RocksDB checks the same ("compaction_verify_record_count"): it costs one comparison
//! a job, so it is done in every build.

use slice_compaction::MergeStats;
use slice_types::{Error, Result};

/// Compares what a merge did with the entries that its inputs have, and with those of its tables.
///
/// # Errors
///
/// `Corruption` when some were lost or came from nowhere: the tables must not replace the inputs then.
pub(super) fn check(inputs: u64, stats: &MergeStats, tables: u64) -> Result<()> {
    let dropped = stats.dropped_versions + stats.dropped_tombstones + stats.folded + stats.filtered;
    same("inputs", inputs, "read", stats.entries_in)?;
    same("read", stats.entries_in, "kept or dropped", stats.entries_out + dropped)?;
    same("kept", stats.entries_out, "in the new tables", tables)
}

fn same(what: &str, count: u64, other: &str, others: u64) -> Result<()> {
    if count == others {
        return Ok(());
    }
    let message = format!("a merge has lost count of its entries: {what} {count}, {other} {others}");
    Err(Error::corruption(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATS: MergeStats = MergeStats {
        entries_in: 10,
        entries_out: 6,
        dropped_versions: 3,
        dropped_tombstones: 1,
        folded: 0,
        filtered: 0,
        expired: 0,
        bytes_in: 0,
        bytes_out: 0,
        tables_out: 1,
    };

    #[test]
    fn what_went_in_is_what_came_out_and_what_was_dropped() {
        check(10, &STATS, 6).unwrap();
    }

    #[test]
    fn an_entry_lost_on_any_step_is_noticed() {
        let lost_while_merging = MergeStats { dropped_versions: 2, ..STATS };
        for (inputs, stats, tables, step) in [
            (11, STATS, 6, "inputs 11, read 10"),
            (10, lost_while_merging, 6, "read 10, kept or dropped 9"),
            (10, STATS, 5, "kept 6, in the new tables 5"),
        ] {
            let error = check(inputs, &stats, tables).unwrap_err();
            assert!(error.to_string().contains(step), "{error}");
        }
    }
}
