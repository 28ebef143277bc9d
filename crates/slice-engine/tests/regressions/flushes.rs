//! Writes that were lost, or out of sight, on their way from memory to a table.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use slice::blocking::LSMTree;
use slice::vfs::{Fault, FaultFs, MemFs};
use slice::{Builder, ErrorKind, Health};

use crate::gate::{LIMIT, assert_waits, beside, gates, until};
use crate::support::{assert_all, busy, files, key, put_all, quiet, value};

const KEYS: std::ops::Range<u32> = 0..20;

/// Crashes after every operation since `sync` said that the first generation is durable.
fn crash_while_flushing(open: impl Fn(&MemFs) -> Builder) {
    let fs = MemFs::recording();
    let lsm = open(&fs).open_blocking().unwrap();
    put_all(&lsm, KEYS, 1);
    lsm.sync().unwrap();
    let durable = fs.history().len();
    lsm.flush().unwrap();
    let flushed = fs.history().len();
    put_all(&lsm, 100..120, 2);
    lsm.flush().unwrap();
    let flushed_again = fs.history().len();
    drop(lsm);
    assert!(flushed > durable + 5, "a flush creates, writes, syncs, records and removes");
    let history = fs.history();
    let mut replay = history.replay();
    while replay.advance().is_some() {
        if replay.applied() < durable {
            continue;
        }
        for (seed, keep) in [0.0, 0.5, 1.0].into_iter().enumerate() {
            let image = replay.crash_image(keep, seed as u64 + replay.applied() as u64);
            let lsm = quiet(&image).open_blocking().unwrap();
            assert_all(&lsm, KEYS, Some(1));
            if replay.applied() >= flushed_again {
                assert_all(&lsm, 100..120, Some(2));
            }
        }
    }
}

#[test]
fn the_wal_outlives_its_memtable_until_the_table_is_synced() {
    crash_while_flushing(quiet);
    // With threads, logs are recycled as well as removed.
    crash_while_flushing(|fs| LSMTree::builder(crate::support::DIR).fs(Arc::new(fs.clone())));
}

/// Many writers over memtables of a few entries. At any moment, what was acknowledged by then is in the files: an entry
/// whose record is in the log of another memtable goes when that one is flushed.
#[test]
fn a_rotation_never_splits_a_record_from_its_entry() {
    const WRITERS: u32 = 6;
    const EACH: u32 = 100;
    let fs = MemFs::new();
    let lsm = busy(&fs).open_blocking().unwrap();
    let acknowledged: Vec<AtomicU32> = (0..WRITERS).map(|_| AtomicU32::new(0)).collect();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (lsm, acknowledged) = (&lsm, &acknowledged);
            scope.spawn(move || {
                for n in 0..EACH {
                    lsm.put(&key(writer * 1000 + n), &value(n, writer)).unwrap();
                    acknowledged[writer as usize].store(n + 1, Ordering::Release);
                }
            });
        }
        let counts = || acknowledged.iter().map(|count| count.load(Ordering::Acquire)).collect::<Vec<_>>();
        for seed in 0.. {
            let by_now = counts();
            assert_holds(&fs.crash_image(1.0, seed), &by_now);
            if by_now.iter().all(|count| *count == EACH) {
                break;
            }
        }
    });
    assert!(lsm.stats().flush_stats.flushes > 20, "{}", lsm.stats());
    drop(lsm);
    assert_holds(&fs, &[EACH; WRITERS as usize]);
}

#[track_caller]
fn assert_holds(fs: &MemFs, counts: &[u32]) {
    let lsm = quiet(fs).open_blocking().unwrap();
    for (writer, count) in (0..).zip(counts) {
        for n in 0..*count {
            let found = lsm.get(&key(writer * 1000 + n)).unwrap();
            assert!(
                found == Some(value(n, writer)),
                "entry {n} of writer {writer}, of {count}, is {found:?}"
            );
        }
    }
}

#[test]
fn a_reader_always_sees_an_entry_between_freezing_and_flushing() {
    const ROUNDS: u32 = 120;
    let lsm = busy(&MemFs::new()).row_cache_entries(0).open_blocking().unwrap();
    let written: Vec<AtomicU32> = KEYS.map(|_| AtomicU32::new(0)).collect();
    let done = AtomicBool::new(false);
    put_all(&lsm, KEYS, 0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for n in KEYS.cycle().take_while(|_| !done.load(Ordering::Acquire)) {
                    let at_least = written[n as usize].load(Ordering::Acquire);
                    let found = lsm.get(&key(n)).unwrap();
                    let found = found.unwrap_or_else(|| panic!("key {n} is gone, after write {at_least}"));
                    let found = String::from_utf8(found).unwrap();
                    let generation: u32 = found.rsplit(' ').next().unwrap().parse().unwrap();
                    assert!(generation >= at_least, "key {n}: {generation} after {at_least}");
                }
            });
        }
        for round in 1..ROUNDS {
            for n in KEYS {
                lsm.put(&key(n), &value(n, round)).unwrap();
                written[n as usize].store(round, Ordering::Release);
            }
        }
        done.store(true, Ordering::Release);
    });
    assert!(lsm.stats().flush_stats.flushes > 20, "{}", lsm.stats());
}

#[test]
fn a_failed_flush_keeps_the_memtable() {
    let operations = {
        let (fs, lsm) = unflushed();
        let before = fs.operations();
        lsm.flush().unwrap();
        fs.operations() - before
    };
    let mut failures = 0;
    for fault in [Fault::Eio, Fault::Enospc, Fault::ShortWrite] {
        for n in 0..operations {
            let (fs, lsm) = unflushed();
            fs.fail_at(fs.operations() + n, fault);
            if let Err(error) = lsm.flush() {
                let expected = if fault == Fault::Enospc { ErrorKind::StorageFull } else { ErrorKind::Io };
                assert_eq!(error.kind(), expected, "operation {n}: {error}");
                assert!(error.to_string().contains("/db"), "operation {n} names no file: {error}");
                failures += 1;
            }
            assert_all(&lsm, KEYS, Some(2));
            lsm.flush().unwrap_or_else(|error| panic!("after {fault:?} at operation {n}: {error}"));
            assert_all(&lsm, KEYS, Some(2));
            assert_eq!(lsm.stats().immutable_memtables, 0);
            let tables = lsm.stats().level_stats.iter().map(|level| level.1).sum::<usize>();
            drop(lsm);
            assert_all(&quiet(&fs).open_blocking().unwrap(), KEYS, Some(2));
            assert_eq!(files(&fs, ".db").len(), tables, "{fault:?} at operation {n} left a file");
        }
    }
    assert!(failures >= 3 * 8, "only {failures} faults were noticed in {operations} operations");
}

/// A store with one generation in a table and a newer one in memory.
fn unflushed() -> (FaultFs, LSMTree) {
    let fs = FaultFs::new(Arc::new(MemFs::new()));
    let lsm = quiet(&fs).open_blocking().unwrap();
    put_all(&lsm, KEYS, 1);
    lsm.flush().unwrap();
    put_all(&lsm, KEYS, 2);
    (fs, lsm)
}

/// The end of a compaction, of which all who wait for anything are told.
#[test]
fn a_flush_that_is_woken_early_goes_on_waiting() {
    let (fs, [flushing, compacting]) = gates(["slice-flush", "slice-compact"]);
    let lsm = busy(&fs).memtable_size(1 << 20).open_blocking().unwrap();
    // With the same keys further down, no table can just be moved there.
    put_all(&lsm, KEYS, 1);
    lsm.compact().unwrap();
    compacting.shut();
    for _ in 0..2 {
        put_all(&lsm, KEYS, 2);
        lsm.flush().unwrap();
    }
    compacting.arrival();
    let before = lsm.stats().compaction_stats.total_compactions;
    flushing.shut();
    put_all(&lsm, KEYS, 3);
    let waiting = lsm.clone();
    let flushed = beside(move || waiting.flush());
    flushing.arrival();
    compacting.open();
    let compacted = lsm.clone();
    until(move || compacted.stats().compaction_stats.total_compactions > before);
    assert_waits(&flushed);
    flushing.open();
    flushed.recv_timeout(LIMIT).unwrap().unwrap();
    assert_eq!(lsm.stats().immutable_memtables, 0);
    assert_all(&lsm, KEYS, Some(3));
}

/// An attempt is under way that the disk has failed, and the disk is sound by the time somebody asks.
#[test]
fn a_flush_is_not_told_of_a_failure_from_before_it() {
    let (fs, [flushing]) = gates(["slice-flush"]);
    let lsm = busy(&fs).memtable_size(1 << 20).open_blocking().unwrap();
    put_all(&lsm, KEYS, 1);
    flushing.shut();
    let (first, second) = (lsm.clone(), lsm.clone());
    let first = beside(move || first.flush());
    flushing.arrival();
    fs.fail_at(fs.operations(), Fault::Eio);
    let second = beside(move || second.flush());
    assert_waits(&second);
    flushing.open();
    second.recv_timeout(LIMIT).unwrap().unwrap();
    // Its own attempt failed; it may hear of that, or of the next one's success.
    let first = first.recv_timeout(LIMIT).unwrap();
    assert!(first.as_ref().map_or_else(|error| error.kind() == ErrorKind::Io, |()| true), "{first:?}");
    assert!(matches!(lsm.health(), Health::Healthy), "{:?}", lsm.health());
    assert_all(&lsm, KEYS, Some(1));
}
