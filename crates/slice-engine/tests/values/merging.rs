//! Merges: counters and lists, and operators that fail.

use std::sync::Arc;
use std::time::Duration;

use slice::blocking::LSMTree;
use slice::operators::{Append, Counter};
use slice::vfs::MemFs;
use slice::{Error, ErrorKind, Health, ManualClock, MergeOperator, Result, WriteBatch};

use crate::support::{quiet, timed};

fn append(fs: &MemFs) -> LSMTree {
    quiet(fs).merge_operator(Arc::new(Append::with(b","))).open_blocking().unwrap()
}

fn get(lsm: &LSMTree, key: &str) -> Option<String> {
    lsm.get(key.as_bytes()).unwrap().map(|value| String::from_utf8(value).unwrap())
}

#[test]
fn operands_are_folded_through_memtables_and_tables_of_all_levels() -> Result<()> {
    let fs = MemFs::new();
    let lsm = append(&fs);
    lsm.put(b"k", b"a")?;
    lsm.merge(b"k", b"b")?;
    lsm.compact()?;
    lsm.merge(b"k", b"c")?;
    lsm.flush()?;
    lsm.merge(b"k", b"d")?;
    lsm.merge(b"k", b"e")?;
    for round in 0..3 {
        assert_eq!(get(&lsm, "k").as_deref(), Some("a,b,c,d,e"), "round {round}");
        if round == 0 { lsm.flush()? } else { lsm.compact()? }
    }
    drop(lsm);
    assert_eq!(get(&append(&fs), "k").as_deref(), Some("a,b,c,d,e"));
    Ok(())
}

#[test]
fn a_delete_ends_what_operands_apply_to() -> Result<()> {
    let lsm = append(&MemFs::new());
    lsm.merge(b"k", b"a")?;
    lsm.flush()?;
    lsm.delete(b"k")?;
    lsm.flush()?;
    lsm.merge(b"k", b"b")?;
    lsm.flush()?;
    lsm.merge(b"k", b"c")?;
    assert_eq!(get(&lsm, "k").as_deref(), Some("b,c"));
    lsm.compact()?;
    assert_eq!(get(&lsm, "k").as_deref(), Some("b,c"));
    Ok(())
}

#[test]
fn a_snapshot_sees_the_operands_of_its_moment() -> Result<()> {
    let lsm = append(&MemFs::new());
    let mut snapshots = Vec::new();
    for n in 0..5 {
        lsm.merge(b"k", n.to_string().as_bytes())?;
        snapshots.push((lsm.snapshot(), (0..=n).map(|n| n.to_string()).collect::<Vec<_>>().join(",")));
    }
    for round in 0..3 {
        for (snapshot, expected) in &snapshots {
            assert_eq!(snapshot.get(b"k")?.as_deref(), Some(expected.as_bytes()), "round {round}");
        }
        if round == 0 { lsm.flush()? } else { lsm.compact()? }
    }
    Ok(())
}

#[test]
fn the_row_cache_does_not_keep_an_operand_for_a_value() -> Result<()> {
    let lsm = append(&MemFs::new());
    lsm.put(b"k", b"a")?;
    lsm.flush()?;
    lsm.merge(b"k", b"b")?;
    lsm.flush()?;
    for _ in 0..3 {
        assert_eq!(get(&lsm, "k").as_deref(), Some("a,b"));
    }
    lsm.merge(b"k", b"c")?;
    assert_eq!(get(&lsm, "k").as_deref(), Some("a,b,c"));
    Ok(())
}

/// Entries in the tables and logs of a store.
fn entries(lsm: &LSMTree) -> u64 {
    lsm.verify().unwrap().entries
}

#[test]
fn flushes_and_compactions_fold_operands() -> Result<()> {
    let lsm = append(&MemFs::new());
    lsm.put(b"k", b"a")?;
    lsm.flush()?;
    for n in 0..100 {
        lsm.merge(b"k", b"b")?;
        if n % 10 == 9 {
            lsm.flush()?;
        }
    }
    assert_eq!(entries(&lsm), 11, "each flush leaves one operand");
    lsm.compact()?;
    assert_eq!(entries(&lsm), 1);
    assert_eq!(lsm.stats().compaction_stats.operands_folded, 10);
    assert_eq!(get(&lsm, "k").map(|value| value.len()), Some(201));
    Ok(())
}

/// Refuses `!`, panics on `?`, and appends everything else.
struct Moody;

impl MergeOperator for Moody {
    fn name(&self) -> &'static str {
        "moody"
    }

    fn merge(&self, _: &[u8], existing: Option<&[u8]>, operand: &[u8]) -> Result<Vec<u8>> {
        let merged = [existing.unwrap_or_default(), operand].concat();
        assert!(!merged.contains(&b'?'), "on purpose");
        if merged.contains(&b'!') { Err(Error::invalid_argument("no")) } else { Ok(merged) }
    }
}

#[test]
fn an_operator_that_refuses_or_panics_fails_reads_and_nothing_else() -> Result<()> {
    for bad in ["!", "?"] {
        let fs = MemFs::new();
        let moody = quiet(&fs).merge_operator(Arc::new(Moody)).open_blocking()?;
        for operand in ["a", bad, "b"] {
            moody.merge(b"k", operand.as_bytes())?;
        }
        moody.merge(b"other", b"fine")?;
        for round in 0..3 {
            let error = moody.get(b"k").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::MergeOperator, "round {round}");
            assert!(error.message().contains("moody"), "{error}");
            assert_eq!(get(&moody, "other").as_deref(), Some("fine"));
            if round == 0 { moody.flush()? } else { moody.compact()? }
        }
        assert!(matches!(moody.health(), Health::Healthy));
        drop(moody);
        // The operands were kept: a better operator folds them.
        let better = quiet(&fs).merge_operator(Arc::new(Append::default())).open_blocking()?;
        assert_eq!(get(&better, "k"), Some(format!("a{bad}b")));
        // And the key can be written anew.
        better.put(b"k", b"new")?;
        assert_eq!(get(&better, "k").as_deref(), Some("new"));
    }
    Ok(())
}

#[test]
fn a_store_is_shared_in_a_process_by_the_name_of_its_operator() -> Result<()> {
    let fs = MemFs::new();
    let lsm = append(&fs);
    append(&fs).merge(b"k", b"a")?;
    assert_eq!(get(&lsm, "k").as_deref(), Some("a"));
    let error = quiet(&fs).merge_operator(Arc::new(Counter)).open_blocking().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    Ok(())
}

#[test]
fn operands_on_a_value_that_expires_start_anew_when_it_has() -> Result<()> {
    let (fs, clock) = (MemFs::new(), Arc::new(ManualClock::new(0)));
    let lsm = timed(&fs, &clock).merge_operator(Arc::new(Append::default())).open_blocking()?;
    lsm.put_with_ttl(b"k", b"a", Duration::from_millis(10))?;
    lsm.merge(b"k", b"b")?;
    for (now, expected) in [(9, "ab"), (10, "b"), (11, "b")] {
        clock.set(now);
        lsm.compact()?;
        assert_eq!(get(&lsm, "k").as_deref(), Some(expected), "at {now}");
    }
    Ok(())
}

#[test]
fn a_merge_without_an_operator_is_refused_and_nothing_is_written() -> Result<()> {
    let lsm = quiet(&MemFs::new()).open_blocking()?;
    assert_eq!(lsm.merge(b"k", b"1").unwrap_err().kind(), ErrorKind::InvalidArgument);
    let mut batch = WriteBatch::new();
    batch.put(b"other", b"v")?;
    batch.merge(b"k", b"1")?;
    let error = lsm.write(batch).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("merge_operator"), "{error}");
    assert_eq!((lsm.get(b"other")?, lsm.stats().last_seqno), (None, 0));
    Ok(())
}

#[test]
fn operands_without_an_operator_are_an_error_that_says_what_to_do_and_stay() -> Result<()> {
    let fs = MemFs::new();
    append(&fs).merge(b"k", b"a")?;
    let without = quiet(&fs).open_blocking()?;
    for round in 0..3 {
        let error = without.get(b"k").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MergeOperator);
        assert!(error.message().contains("merge_operator"), "{error}");
        if round == 0 { without.flush()? } else { without.compact()? }
    }
    drop(without);
    assert_eq!(get(&append(&fs), "k").as_deref(), Some("a"));
    Ok(())
}

#[test]
fn counters_count_also_in_batches() -> Result<()> {
    let lsm = quiet(&MemFs::new()).merge_operator(Arc::new(Counter)).open_blocking()?;
    for round in 0..10_i64 {
        let mut batch = WriteBatch::new();
        batch.merge(b"up", &round.to_le_bytes())?;
        batch.merge(b"up", &1_i64.to_le_bytes())?;
        batch.merge(b"down", &(-round).to_le_bytes())?;
        lsm.write(batch)?;
        if round % 3 == 0 {
            lsm.flush()?;
        }
    }
    let count = |key: &[u8]| i64::from_le_bytes(lsm.get(key).unwrap().unwrap().try_into().unwrap());
    assert_eq!((count(b"up"), count(b"down")), (55, -45));
    lsm.compact()?;
    assert_eq!((count(b"up"), count(b"down")), (55, -45));
    Ok(())
}
