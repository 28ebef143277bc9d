//! What compactions make of deleted ranges: whole tables go unread, the rest is rewritten once, and then the range
//! tombstones go as well.

use std::sync::Arc;

use slice::blocking::LSMTree;
use slice::planted::Bug;
use slice::vfs::{FaultFs, MemFs};
use slice::{Builder, Result};

use crate::support::{fill, key, present, quiet};

const KEYS: u32 = 4000;

/// All in tables of a few KiB in the last level, on a file system that counts.
fn filled() -> Result<(FaultFs, LSMTree)> {
    let fs = FaultFs::new(Arc::new(MemFs::new()));
    let builder = quiet(&MemFs::new()).fs(Arc::new(fs.clone()));
    let lsm = builder.target_table_bytes(2 << 10).block_size(256).open_blocking()?;
    // Two tables that lie within each other: one alone would be moved as it is.
    fill(&lsm, (0..KEYS).step_by(2));
    lsm.flush()?;
    fill(&lsm, (1..KEYS).step_by(2));
    lsm.compact()?;
    assert!(tables(&lsm) > 10);
    Ok((fs, lsm))
}

fn tables(lsm: &LSMTree) -> usize {
    lsm.stats().level_stats.iter().map(|(_, tables, _)| tables).sum()
}

fn range_tombstones(lsm: &LSMTree) -> usize {
    lsm.stats().range_tombstones
}

#[test]
fn tables_that_a_range_covers_go_without_being_read() -> Result<()> {
    let (fs, lsm) = filled()?;
    let before = lsm.stats().compaction_stats;
    lsm.delete_range(key(0)..key(KEYS))?;
    let reads = fs.read_operations();
    lsm.flush()?;
    let after = lsm.stats().compaction_stats;
    assert_eq!((tables(&lsm), range_tombstones(&lsm)), (0, 0));
    assert!(after.tables_unlinked > 10, "{after:?}");
    assert_eq!((after.bytes_compacted, after.bytes_written), (before.bytes_compacted, before.bytes_written));
    // The directory may be listed; no table's block is read.
    assert!(fs.read_operations() - reads < 10, "{} reads", fs.read_operations() - reads);
    assert!(present(&lsm, KEYS).is_empty());
    Ok(())
}

#[test]
fn neighbouring_ranges_cover_a_table_together() -> Result<()> {
    let (_, lsm) = filled()?;
    for start in (0..KEYS).step_by(10) {
        lsm.delete_range(key(start)..key(start + 10))?;
    }
    lsm.flush()?;
    assert_eq!((tables(&lsm), range_tombstones(&lsm)), (0, 0));
    Ok(())
}

#[test]
fn a_snapshot_keeps_the_tables_that_it_reads_and_lets_the_others_go() -> Result<()> {
    let (_, lsm) = filled()?;
    let count = tables(&lsm);
    let snapshot = lsm.snapshot();
    fill(&lsm, 0..KEYS / 2);
    lsm.delete_range(..key(KEYS))?;
    lsm.flush()?;
    // Those of the snapshot stay, and what came after it was never written.
    assert_eq!((tables(&lsm), range_tombstones(&lsm)), (count, 1));
    let found = (0..KEYS).filter(|n| snapshot.get(&key(*n)).unwrap().is_some()).count();
    assert_eq!(found, KEYS as usize);
    assert!(present(&lsm, KEYS).is_empty());
    drop(snapshot);
    lsm.compact()?;
    assert_eq!((tables(&lsm), range_tombstones(&lsm)), (0, 0));
    Ok(())
}

#[test]
fn a_full_compaction_rewrites_what_a_range_covers_in_part_and_ends() -> Result<()> {
    let (_, lsm) = filled()?;
    lsm.delete_range(key(5)..key(15))?;
    lsm.delete_range(key(KEYS - 15)..)?;
    let snapshot = lsm.snapshot();
    lsm.delete_range(key(1000)..key(1010))?;
    lsm.flush()?;
    assert_eq!(range_tombstones(&lsm), 3);
    let before = lsm.stats().compaction_stats.bytes_compacted;
    lsm.compact()?;
    // The snapshot reads what the last of them covers.
    assert_eq!(range_tombstones(&lsm), 1);
    let read = lsm.stats().compaction_stats.bytes_compacted - before;
    assert!(read < 40 << 10, "only the tables at the edges are rewritten: {read} bytes");
    drop(snapshot);
    lsm.compact()?;
    assert_eq!(range_tombstones(&lsm), 0);
    let before = lsm.stats().compaction_stats.total_compactions;
    lsm.compact()?;
    assert_eq!(lsm.stats().compaction_stats.total_compactions, before, "nothing is left to do");
    assert_eq!(present(&lsm, KEYS).len() as u32, KEYS - 10 - 15 - 10);
    Ok(())
}

#[test]
fn a_range_tombstone_over_nothing_goes_with_its_flush() -> Result<()> {
    let fs = MemFs::new();
    let lsm = quiet(&fs).open_blocking()?;
    fill(&lsm, 0..10);
    lsm.delete_range("x"..)?;
    lsm.flush()?;
    lsm.delete_range("x".."y")?;
    lsm.flush()?;
    assert_eq!((tables(&lsm), range_tombstones(&lsm)), (1, 0));
    // Nothing of it is in the log or the manifest, and still its number is not used again.
    let last = lsm.stats().last_seqno;
    drop(lsm);
    assert_eq!(quiet(&fs).open_blocking()?.stats().last_seqno, last);
    Ok(())
}

#[test]
fn too_many_range_tombstones_are_got_rid_of_without_being_asked() -> Result<()> {
    let (_, lsm) = filled()?;
    for start in (0..KEYS).step_by(20) {
        lsm.delete_range(key(start)..key(start + 10))?;
    }
    lsm.flush()?;
    assert!(range_tombstones(&lsm) <= 64, "{} of 200 are left", range_tombstones(&lsm));
    assert_eq!(present(&lsm, KEYS).len() as u32, KEYS / 2);
    Ok(())
}

#[test]
fn range_tombstones_outlive_a_reopen_until_they_are_applied() -> Result<()> {
    let fs = MemFs::new();
    let open = || quiet(&fs).target_table_bytes(4 << 10).open_blocking();
    let lsm = open()?;
    fill(&lsm, 0..100);
    lsm.compact()?;
    lsm.delete_range(key(10)..key(20))?;
    lsm.flush()?;
    drop(lsm);
    let lsm = open()?;
    assert_eq!((range_tombstones(&lsm), present(&lsm, 100).len()), (1, 90));
    fill(&lsm, 15..16);
    lsm.compact()?;
    assert_eq!((range_tombstones(&lsm), present(&lsm, 100).len()), (0, 91));
    drop(lsm);
    assert_eq!(present(&open()?, 100).len(), 91);
    Ok(())
}

#[test]
fn the_verifier_finds_what_should_have_been_left_out() -> Result<()> {
    let is_found = |builder: Builder| {
        let lsm = builder.l0_compaction_trigger(2).open_blocking()?;
        // One table that goes on needing the range tombstone, and others that are merged: one alone would be moved.
        for keys in [60..100, 5..15] {
            fill(&lsm, keys);
            lsm.compact()?;
        }
        fill(&lsm, 10..50);
        lsm.flush()?;
        lsm.delete_range(key(20)..key(80))?;
        fill(&lsm, 30..31);
        lsm.flush()?;
        assert_eq!(range_tombstones(&lsm), 1);
        let report = lsm.verify()?;
        Ok(report.faults().any(|fault| fault.to_string().contains("recorded as applied")))
    };
    assert!(!is_found(quiet(&MemFs::new()))?);
    assert!(is_found(quiet(&MemFs::new()).plant(Bug::KeepCovered))?);
    Ok(())
}
