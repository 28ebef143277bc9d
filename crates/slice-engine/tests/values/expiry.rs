//! Values that expire.

use std::sync::Arc;
use std::time::Duration;

use slice::vfs::MemFs;
use slice::{ManualClock, Result, WriteBatch};

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
