//! Compactions that lost what they could not read, shared a table, or never ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use slice::blocking::LSMTree;
use slice::compaction::CompactionConfig;
use slice::vfs::{Call, Fault, FaultFs, MemFs, Span};
use slice::{ErrorKind, Health, Strategy};

use crate::gate::{LIMIT, assert_waits, beside, gates};
use crate::support::{
    DIR, assert_all, busy, content, delete_all, files, key, put_all, quiet, replace_file, value,
};

/// The keys of one of three tables, between those of the others, so that no table can just be moved.
fn part_of(part: u32) -> impl Iterator<Item = u32> {
    (part..150).step_by(3)
}

/// Three tables of level 0, each with keys of its own.
fn three_tables(lsm: &LSMTree) {
    for part in 0..3 {
        put_all(lsm, part_of(part), part);
        lsm.flush().unwrap();
    }
}

#[track_caller]
fn assert_three_tables(lsm: &LSMTree, except: Option<u32>) {
    for part in (0..3).filter(|part| Some(*part) != except) {
        assert_all(lsm, part_of(part), Some(part));
    }
}

#[test]
fn compaction_never_drops_an_input_that_it_cannot_read() {
    let fs = MemFs::new();
    let lsm = quiet(&fs).open_blocking().unwrap();
    three_tables(&lsm);
    drop(lsm);
    let damaged = files(&fs, ".db")[1].clone();
    let sound = content(&fs, &damaged);
    let mut bytes = sound.clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    replace_file(&fs, &damaged, &bytes);

    let lsm = quiet(&fs).open_blocking().unwrap();
    let before = files(&fs, "");
    for _ in 0..2 {
        let error = lsm.compact().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
        assert_eq!(error.file(), Some(damaged.as_path()), "{error}");
        let tables = |files: &[std::path::PathBuf]| {
            files
                .iter()
                .filter(|file| file.to_string_lossy().contains("sstable"))
                .cloned()
                .collect::<Vec<_>>()
        };
        assert_eq!(tables(&files(&fs, "")), tables(&before), "an input went, or an output stayed");
        assert_three_tables(&lsm, Some(1));
        assert_eq!(lsm.get(&key(1 + 3 * 25)).unwrap_err().kind(), ErrorKind::Corruption);
    }
    drop(lsm);
    replace_file(&fs, &damaged, &sound);
    let lsm = quiet(&fs).open_blocking().unwrap();
    lsm.compact().unwrap();
    assert_three_tables(&lsm, None);
}

#[test]
fn compaction_never_drops_an_input_that_it_cannot_read_for_once() {
    let make = || {
        let fs = FaultFs::new(Arc::new(MemFs::new()));
        let lsm = quiet(&fs).block_size(256).open_blocking().unwrap();
        three_tables(&lsm);
        (fs, lsm)
    };
    let (fs, lsm) = make();
    let before = fs.read_operations();
    lsm.compact().unwrap();
    let reads = fs.read_operations() - before;
    let mut failures = 0;
    for n in 0..reads {
        let (fs, lsm) = make();
        fs.fail_read_at(fs.read_operations() + n, Fault::Eio);
        if let Err(error) = lsm.compact() {
            assert_eq!(error.kind(), ErrorKind::Io, "read {n}: {error}");
            failures += 1;
        }
        assert_three_tables(&lsm, None);
        lsm.compact().unwrap();
        drop(lsm);
        assert_three_tables(&quiet(&fs).open_blocking().unwrap(), None);
    }
    assert!(failures >= 3, "only {failures} faults were noticed in {reads} reads");
}

/// A table in two jobs would be removed twice, which the manifest refuses, or be merged into two outputs, which the
/// version refuses; either fails a compaction. Several must have run at once for that to mean anything.
#[test]
fn the_same_table_is_never_in_two_jobs() {
    const WRITERS: u32 = 3;
    let config = CompactionConfig { max_concurrent_compactions: 4, ..CompactionConfig::default() };
    let fs = MemFs::new();
    let open = || busy(&fs).compaction(config.clone()).level_base_bytes(4 << 10).target_table_bytes(1 << 10);
    let lsm = open().level_multiplier(2).open_blocking().unwrap();
    let done = AtomicBool::new(false);
    let at_once = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut most = 0;
            while !done.load(Ordering::Acquire) {
                most = most.max(lsm.stats().compaction_stats.concurrent_compactions);
                assert!(matches!(lsm.health(), Health::Healthy), "{:?}", lsm.health());
                std::thread::yield_now();
            }
            most
        });
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let lsm = &lsm;
                scope.spawn(move || {
                    for round in 0..2 {
                        put_all(lsm, (0..150).map(|n| n * WRITERS + writer), round);
                    }
                })
            })
            .collect();
        let ended: Vec<_> = writers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Release);
        for writer in ended {
            writer.unwrap();
        }
        watcher.join().unwrap()
    });
    assert!(at_once >= 2, "never two compactions at once");
    lsm.compact().unwrap();
    assert_all(&lsm, 0..150 * WRITERS, Some(1));
    let tables: usize = lsm.stats().level_stats.iter().map(|level| level.1).sum();
    lsm.close().unwrap();
    let lsm = quiet(&fs).open_blocking().unwrap();
    assert_all(&lsm, 0..150 * WRITERS, Some(1));
    assert_eq!(files(&fs, ".db").len(), tables, "a table that no level has");
}

#[test]
fn a_job_of_tombstones_only_is_not_scheduled_for_ever() {
    for strategy in [Strategy::Leveled, Strategy::Tiered] {
        within(Duration::from_secs(30), move || {
            let lsm =
                quiet(&MemFs::new()).l0_compaction_trigger(2).strategy(strategy).open_blocking().unwrap();
            for _ in 0..6 {
                delete_all(&lsm, 0..50);
                lsm.flush().unwrap();
            }
            put_all(&lsm, 0..50, 1);
            lsm.compact().unwrap();
            delete_all(&lsm, 0..50);
            lsm.compact().unwrap();
            let stats = lsm.stats();
            assert!(stats.level_stats.is_empty(), "{strategy:?}: {stats}");
            assert!(stats.compaction_stats.total_compactions < 40, "{strategy:?}: {stats}");
        });
    }
}

/// With threads, a job that finds its own output due again would not hang anyone, but never rest.
#[test]
fn a_tree_of_tombstones_comes_to_rest() {
    for strategy in [Strategy::Leveled, Strategy::Tiered] {
        let lsm = LSMTree::builder(DIR)
            .fs(Arc::new(MemFs::new()))
            .strategy(strategy)
            .l0_compaction_trigger(2)
            .flush_interval(Duration::from_millis(1))
            .compaction_interval(Duration::from_millis(1))
            .open_blocking()
            .unwrap();
        for n in 0..6 {
            lsm.put(&key(n), &value(n, 0)).unwrap();
            delete_all(&lsm, 0..50);
            lsm.flush().unwrap();
        }
        lsm.compact().unwrap();
        let done = || lsm.stats().compaction_stats.total_compactions;
        // What must not happen has no signal to wait for: fifty looks of the timer have to do. A job that was under way may
        // end in the first of these times; one that always makes another would be seen in all of them.
        let (_sender, never) = mpsc::channel::<()>();
        let rests = (0..20).any(|_| {
            let before = done();
            assert!(never.recv_timeout(Duration::from_millis(50)).is_err());
            done() == before
        });
        assert!(rests, "{strategy:?}: {}", lsm.stats());
        assert_all(&lsm, 0..50, None);
    }
}

/// Without threads the panic is the caller's, who may catch it and go on.
#[test]
fn a_compaction_that_panicked_keeps_nobody_waiting() {
    within(Duration::from_secs(30), || {
        let fs = FaultFs::new(Arc::new(MemFs::new()));
        let lsm = quiet(&fs).open_blocking().unwrap();
        three_tables(&lsm);
        let is_set = AtomicBool::new(true);
        fs.watch(move |operation| {
            let is_it = operation.call == Call::CreateAppend && is_set.swap(false, Ordering::SeqCst);
            assert!(!is_it, "a bug in the file system, at {operation}");
        });
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| lsm.compact()));
        assert!(panicked.is_err());
        lsm.compact().unwrap();
        assert_three_tables(&lsm, None);
        assert_eq!(lsm.stats().compaction_stats.concurrent_compactions, 0);
    });
}

/// What each of several who ask for a full compaction is told, when `then` happens as it is about to write a table.
fn all_told(then: impl FnOnce(&FaultFs)) -> (FaultFs, LSMTree, Vec<slice::Result<()>>) {
    let (fs, [compacting]) = gates(["slice-compact"]);
    let lsm = busy(&fs).memtable_size(1 << 20).l0_compaction_trigger(100).open_blocking().unwrap();
    three_tables(&lsm);
    compacting.shut();
    let ask = || {
        let asking = lsm.clone();
        beside(move || asking.compact())
    };
    let waiters = [ask(), ask(), ask()];
    compacting.arrival();
    waiters.iter().for_each(assert_waits);
    then(&fs);
    compacting.open();
    let told = waiters.iter().map(|waiter| waiter.recv_timeout(LIMIT).unwrap()).collect();
    (fs, lsm, told)
}

#[test]
fn all_who_wait_for_a_full_compaction_are_told_of_its_end() {
    let (_, lsm, told) = all_told(|_| ());
    assert!(told.iter().all(Result::is_ok), "{told:?}");
    assert_eq!(lsm.stats().level_stats.len(), 1, "{}", lsm.stats());
    assert_three_tables(&lsm, None);
}

#[test]
fn all_who_wait_for_a_full_compaction_are_told_of_its_failure() {
    let (fs, lsm, told) = all_told(|fs| fs.fail_at_for(fs.operations(), Fault::Eio, Span::Forever));
    for told in told {
        let error = told.unwrap_err();
        assert_eq!((error.kind(), error.file().is_some()), (ErrorKind::Io, true), "{error}");
    }
    assert!(matches!(lsm.health(), Health::Degraded(_)), "{:?}", lsm.health());
    assert_three_tables(&lsm, None);
    fs.clear();
    lsm.compact().unwrap();
    assert_three_tables(&lsm, None);
}

/// A job is under way that the disk has failed, and the disk is sound by the time somebody asks.
#[test]
fn a_full_compaction_is_not_told_of_a_failure_from_before_it() {
    let (fs, [compacting]) = gates(["slice-compact"]);
    let lsm = busy(&fs).memtable_size(1 << 20).l0_compaction_trigger(3).open_blocking().unwrap();
    // With the same keys further down, no table can just be moved there.
    three_tables(&lsm);
    lsm.compact().unwrap();
    compacting.shut();
    three_tables(&lsm);
    compacting.arrival();
    fs.fail_at(fs.operations(), Fault::Eio);
    let asking = lsm.clone();
    let compacted = beside(move || asking.compact());
    assert_waits(&compacted);
    compacting.open();
    compacted.recv_timeout(LIMIT).unwrap().unwrap();
    assert!(matches!(lsm.health(), Health::Healthy), "{:?}", lsm.health());
    assert_three_tables(&lsm, None);
}

/// Runs `body` on a thread; a panic of it, or no end in time, is a panic here.
#[track_caller]
fn within(time: Duration, body: impl FnOnce() + Send + 'static) {
    let (sender, ended) = mpsc::channel();
    let runner = std::thread::Builder::new().spawn(move || {
        body();
        sender.send(()).unwrap();
    });
    match ended.recv_timeout(time) {
        Ok(()) => {}
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("not done within {time:?}"),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            std::panic::resume_unwind(runner.unwrap().join().unwrap_err())
        }
    }
}
