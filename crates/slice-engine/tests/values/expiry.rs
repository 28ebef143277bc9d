//! Values that expire.

use std::sync::Arc;
use std::time::Duration;

use slice::operators::Counter;
use slice::vfs::MemFs;
use slice::{ErrorKind, Isolation, KeyspaceOptions, ManualClock, Result, Strategy, WriteBatch};

use crate::support::timed;

const MS: Duration = Duration::from_millis(1);

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(1000))
}

#[test]
fn a_value_is_there_until_its_time_is_over_and_gone_from_then_on() -> Result<()> {
    let clock = clock();
    let lsm = timed(&MemFs::new(), &clock).open_blocking()?;
    lsm.put_with_ttl(b"k", b"v", 10 * MS)?;
    clock.set(1009);
    assert_eq!(lsm.get(b"k")?.as_deref(), Some(&b"v"[..]));
    clock.set(1010);
    assert_eq!(lsm.get(b"k")?, None);
    Ok(())
}

#[test]
fn an_expired_value_does_not_uncover_the_one_before() -> Result<()> {
    let (clock, fs) = (clock(), MemFs::new());
    let lsm = timed(&fs, &clock).open_blocking()?;
    lsm.put(b"k", b"old")?;
    lsm.flush()?;
    lsm.put_with_ttl(b"k", b"new", 10 * MS)?;
    clock.set(1010);
    for round in 0..4 {
        assert_eq!(lsm.get(b"k")?, None, "round {round}");
        if round == 0 { lsm.flush()? } else { lsm.compact()? }
    }
    Ok(())
}

#[test]
fn a_clock_that_is_set_back_brings_nothing_back_while_the_store_is_open() -> Result<()> {
    let clock = clock();
    let lsm = timed(&MemFs::new(), &clock).open_blocking()?;
    lsm.put_with_ttl(b"k", b"v", 10 * MS)?;
    clock.set(1010);
    assert_eq!(lsm.get(b"k")?, None);
    clock.set(5);
    assert_eq!(lsm.get(b"k")?, None);
    // Counted from the latest time seen, so that it is there for all of its time.
    lsm.put_with_ttl(b"k", b"again", 10 * MS)?;
    clock.set(1019);
    assert_eq!(lsm.get(b"k")?.as_deref(), Some(&b"again"[..]));
    clock.set(1020);
    assert_eq!(lsm.get(b"k")?, None);
    Ok(())
}

#[test]
fn expiry_counts_the_time_that_the_store_was_closed() -> Result<()> {
    let (clock, fs) = (clock(), MemFs::new());
    timed(&fs, &clock).open_blocking()?.put_with_ttl(b"k", b"v", 10 * MS)?;
    clock.set(1009);
    assert!(timed(&fs, &clock).open_blocking()?.get(b"k")?.is_some());
    clock.set(1010);
    assert!(timed(&fs, &clock).open_blocking()?.get(b"k")?.is_none());
    Ok(())
}

#[test]
fn a_time_without_end_is_for_ever_and_none_at_all_is_over_at_once() -> Result<()> {
    let clock = clock();
    let lsm = timed(&MemFs::new(), &clock).open_blocking()?;
    lsm.put_with_ttl(b"ever", b"v", Duration::MAX)?;
    lsm.put_with_ttl(b"never", b"v", Duration::ZERO)?;
    lsm.put_with_ttl(b"less than a millisecond", b"v", Duration::from_nanos(1))?;
    assert!(lsm.get(b"never")?.is_none());
    assert!(lsm.get(b"less than a millisecond")?.is_some());
    clock.set(u64::MAX);
    assert!(lsm.get(b"ever")?.is_some());
    Ok(())
}

#[test]
fn the_time_of_a_batch_begins_when_it_is_written() -> Result<()> {
    let clock = clock();
    let lsm = timed(&MemFs::new(), &clock).open_blocking()?;
    let mut batch = WriteBatch::new();
    batch.put_with_ttl(b"k", b"v", 10 * MS)?;
    batch.put(b"stays", b"v")?;
    clock.set(2000);
    lsm.write(batch)?;
    clock.set(2009);
    assert!(lsm.get(b"k")?.is_some());
    clock.set(2010);
    assert!(lsm.get(b"k")?.is_none());
    assert!(lsm.get(b"stays")?.is_some());
    Ok(())
}

#[test]
fn a_default_time_is_that_of_puts_without_one() -> Result<()> {
    let clock = clock();
    let lsm = timed(&MemFs::new(), &clock).default_ttl(10 * MS).open_blocking()?;
    let mut batch = WriteBatch::new();
    batch.put(b"batch", b"v")?;
    lsm.write(batch)?;
    lsm.put(b"put", b"v")?;
    lsm.put_with_ttl(b"longer", b"v", 20 * MS)?;
    lsm.put_with_ttl(b"for ever", b"v", Duration::MAX)?;
    clock.set(1010);
    let is_there = [&b"batch"[..], b"put", b"longer", b"for ever"].map(|key| lsm.get(key).unwrap().is_some());
    assert_eq!(is_there, [false, false, true, true]);
    Ok(())
}

#[test]
fn a_snapshot_sees_a_value_expire_like_everyone_else() -> Result<()> {
    let clock = clock();
    let lsm = timed(&MemFs::new(), &clock).open_blocking()?;
    lsm.put_with_ttl(b"k", b"v", 10 * MS)?;
    let snapshot = lsm.snapshot();
    lsm.delete(b"k")?;
    lsm.compact()?;
    assert_eq!(snapshot.get(b"k")?.as_deref(), Some(&b"v"[..]));
    clock.set(1010);
    assert_eq!(snapshot.get(b"k")?, None);
    lsm.compact()?;
    assert_eq!(snapshot.get(b"k")?, None);
    Ok(())
}

#[test]
fn a_compaction_removes_what_has_expired_also_from_the_last_level() -> Result<()> {
    for strategy in [Strategy::Leveled, Strategy::Tiered] {
        let clock = clock();
        let lsm = timed(&MemFs::new(), &clock).strategy(strategy).open_blocking()?;
        for n in 0..20_u8 {
            lsm.put_with_ttl(&[n], b"v", u32::from(n % 2 + 1) * 10 * MS)?;
        }
        lsm.put(b"stays", b"v")?;
        lsm.compact()?;
        assert_eq!(lsm.verify()?.entries, 21, "{strategy:?}");
        for (now, left) in [(1010, 11), (1020, 1)] {
            clock.set(now);
            lsm.compact()?;
            assert_eq!(lsm.verify()?.entries, left, "{strategy:?} at {now}");
        }
        assert_eq!(lsm.stats().compaction_stats.values_expired, 20);
    }
    Ok(())
}

#[test]
fn each_keyspace_has_its_own_rules() -> Result<()> {
    let clock = clock();
    let brief = KeyspaceOptions::new().default_ttl(Some(10 * MS));
    let sums = KeyspaceOptions::new().merge_operator(Some(Arc::new(Counter)));
    let lsm = timed(&MemFs::new(), &clock).keyspace("brief", brief).keyspace("sums", sums).open_blocking()?;
    let (brief, sums) = (lsm.keyspace("brief")?, lsm.keyspace("sums")?);
    let one = 1_i64.to_le_bytes();
    let mut batch = WriteBatch::new();
    batch.put(b"k", b"v")?;
    batch.put_in(&brief, b"k", b"v")?;
    batch.put_with_ttl_in(&sums, b"k", &one, 20 * MS)?;
    batch.merge_in(&sums, b"k", &one)?;
    lsm.write(batch)?;
    let read = || [lsm.get(b"k"), brief.get(b"k"), sums.get(b"k")].map(|value| value.unwrap());
    let (v, sum) = (Some(b"v".to_vec()), |n: i64| Some(n.to_le_bytes().to_vec()));
    assert_eq!(read(), [v.clone(), v.clone(), sum(2)]);
    clock.set(1010);
    assert_eq!(read(), [v.clone(), None, sum(2)]);
    clock.set(1020);
    assert_eq!(read(), [v.clone(), None, sum(1)]);
    assert_eq!(lsm.merge(b"k", &one).unwrap_err().kind(), ErrorKind::InvalidArgument);
    let mut refused = WriteBatch::new();
    refused.put(b"k", b"other")?;
    refused.merge_in(&brief, b"k", &one)?;
    assert_eq!(lsm.write(refused).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(read(), [v, None, sum(1)]);
    Ok(())
}

#[test]
fn a_default_time_is_that_of_puts_in_transactions() -> Result<()> {
    let clock = clock();
    let lsm = timed(&MemFs::new(), &clock).default_ttl(10 * MS).open_blocking()?;
    let transaction = lsm.begin(Isolation::Snapshot);
    transaction.put(b"k", b"v")?;
    transaction.commit()?;
    lsm.compare_and_swap(b"swapped", None, Some(b"v"))?;
    clock.set(1009);
    assert_eq!([lsm.get(b"k")?.is_some(), lsm.get(b"swapped")?.is_some()], [true, true]);
    clock.set(1010);
    assert_eq!([lsm.get(b"k")?, lsm.get(b"swapped")?], [None, None]);
    Ok(())
}
