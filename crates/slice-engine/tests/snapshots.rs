//! Snapshots: each sees its moment, through flushes and compactions, and keeps no more than it reads.

use std::sync::Arc;

use slice::blocking::LSMTree;
use slice::vfs::MemFs;
use slice::{Background, Result};

fn store() -> Result<LSMTree> {
    LSMTree::builder("/db").fs(Arc::new(MemFs::new())).background(Background::Inline).open_blocking()
}

#[test]
fn a_snapshot_sees_its_moment_through_writes_flushes_and_compactions() -> Result<()> {
    let lsm = store()?;
    let empty = lsm.snapshot();
    lsm.put(b"k", b"1")?;
    let first = lsm.snapshot();
    lsm.put(b"k", b"2")?;
    let second = lsm.snapshot();
    lsm.delete(b"k")?;
    let deleted = lsm.snapshot();
    for round in 0..3 {
        assert_eq!(empty.get(b"k")?, None, "round {round}");
        assert_eq!(first.get(b"k")?.as_deref(), Some(&b"1"[..]), "round {round}");
        assert_eq!(second.clone().get(b"k")?.as_deref(), Some(&b"2"[..]), "round {round}");
        assert_eq!(deleted.get(b"k")?, None, "round {round}");
        if round == 0 { lsm.flush()? } else { lsm.compact()? }
    }
    Ok(())
}

#[test]
fn a_compaction_keeps_what_snapshots_read_and_no_more() -> Result<()> {
    let lsm = store()?;
    let entries = |lsm: &LSMTree| lsm.verify().map(|report| report.entries);
    for n in 0..10_u8 {
        lsm.put(b"k", &[n])?;
    }
    let snapshot = lsm.snapshot();
    for n in 10..20_u8 {
        lsm.put(b"k", &[n])?;
    }
    lsm.compact()?;
    assert_eq!(entries(&lsm)?, 2);
    assert_eq!(snapshot.get(b"k")?, Some(vec![9]));
    drop(snapshot);
    lsm.put(b"k", b"last")?;
    lsm.compact()?;
    assert_eq!(entries(&lsm)?, 1);
    Ok(())
}
