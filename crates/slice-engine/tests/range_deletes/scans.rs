//! Scans over what was deleted: they do not read it.

use std::sync::Arc;

use slice::Result;
use slice::blocking::LSMTree;
use slice::vfs::{FaultFs, MemFs};

use crate::support::{fill, key, quiet};

const KEYS: u32 = 20_000;

/// Tables of many small blocks, and no cache: what is read is read from the disk.
fn filled(fs: &FaultFs) -> Result<LSMTree> {
    let builder = quiet(&MemFs::new()).fs(Arc::new(fs.clone()));
    let lsm = builder.block_size(256).target_table_bytes(16 << 10).block_cache_bytes(0).open_blocking()?;
    fill(&lsm, 0..KEYS);
    lsm.compact()?;
    Ok(lsm)
}

fn numbers(scan: impl Iterator<Item = <slice::blocking::Scan as Iterator>::Item>) -> Result<Vec<u32>> {
    let number = |value: &[u8]| u32::from_le_bytes(value.try_into().expect("four bytes"));
    scan.map(|pair| pair.map(|(_, value)| number(&value))).collect()
}

#[test]
fn a_scan_seeks_past_a_range_that_was_deleted() -> Result<()> {
    // It counts what is read.
    let fs = FaultFs::new(Arc::new(MemFs::new()));
    let lsm = filled(&fs)?;
    lsm.delete_range(key(10)..key(KEYS - 10))?;
    let left: Vec<u32> = (0..10).chain(KEYS - 10..KEYS).collect();
    for step in 0..2 {
        let before = fs.read_operations();
        assert_eq!(numbers(lsm.iter())?, left, "step {step}");
        let mut backward = numbers(lsm.iter().rev())?;
        backward.reverse();
        assert_eq!(backward, left, "step {step}");
        let read = fs.read_operations() - before;
        assert!((4..60).contains(&read), "step {step}: {read} blocks");
        lsm.flush()?;
    }
    Ok(())
}

#[test]
fn what_was_written_into_a_deleted_range_since_is_found() -> Result<()> {
    let lsm = filled(&FaultFs::new(Arc::new(MemFs::new())))?;
    lsm.delete_range(key(10)..)?;
    let new: Vec<u32> = (0..KEYS).filter(|n| n % 1999 == 1000).collect();
    fill(&lsm, new.iter().copied());
    let expected: Vec<u32> = (0..10).chain(new).collect();
    for step in 0..2 {
        assert_eq!(numbers(lsm.iter())?, expected, "step {step}");
        let mut backward = numbers(lsm.iter().rev())?;
        backward.reverse();
        assert_eq!(backward, expected, "step {step}");
        lsm.flush()?;
    }
    Ok(())
}
