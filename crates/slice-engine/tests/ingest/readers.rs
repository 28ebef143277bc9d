//! What readers and later writers see of a load.

use std::sync::atomic::{AtomicBool, Ordering};

use slice::Background;
use slice::planted::Bug;
use slice::vfs::MemFs;

use super::{Pair, key, open, pairs, put, rounds, rounds_in, small, value};

#[test]
fn a_load_replaces_what_memtables_and_tables_had_and_later_writes_replace_it() {
    let fs = MemFs::new();
    let lsm = open(&fs);
    put(&lsm, 0..100, 1);
    lsm.compact().unwrap();
    put(&lsm, 50..150, 2);
    lsm.delete(&key(60)).unwrap();
    assert_eq!(lsm.ingest(pairs((0..200).step_by(2), 3)).unwrap(), 100);
    put(&lsm, 10..12, 4);
    let expected = |n| match n {
        10..12 => 4,
        _ if n % 2 == 0 => 3,
        50..150 => 2,
        0..50 => 1,
        _ => 0,
    };
    let expected: Vec<u32> = (0..200).map(expected).collect();
    assert_eq!(rounds_in(&lsm, 0..200), expected);
    lsm.flush().unwrap();
    assert_eq!(rounds_in(&lsm, 0..200), expected);
    lsm.compact().unwrap();
    assert_eq!(rounds_in(&lsm, 0..200), expected);
    assert!(lsm.verify().unwrap().is_clean());
    drop(lsm);
    let lsm = open(&fs);
    assert_eq!(rounds_in(&lsm, 0..200), expected);
}

#[test]
fn a_load_behind_unflushed_memtables_shows() {
    let lsm = small(&MemFs::new()).plant(Bug::IngestUnflushed).open_blocking().unwrap();
    put(&lsm, 0..10, 1);
    lsm.ingest(pairs(0..10, 2)).unwrap();
    assert_eq!(rounds_in(&lsm, 0..10), [1; 10], "the bug is there, and a read shows it");
}

#[test]
fn a_snapshot_from_before_sees_nothing_of_a_load_and_keeps_what_it_saw() {
    let lsm = open(&MemFs::new());
    put(&lsm, 0..40, 1);
    let before = lsm.snapshot();
    lsm.ingest(pairs(20..60, 2)).unwrap();
    let after = lsm.snapshot();
    put(&lsm, 0..60, 3);
    let old: Vec<u32> = (0..60).map(|n| u32::from(n < 40)).collect();
    let new: Vec<u32> = (0..60).map(|n| if n < 20 { 1 } else { 2 }).collect();
    for compacted in [false, true] {
        assert_eq!(rounds(0..60, |key| before.get(key).unwrap()), old, "compacted: {compacted}");
        assert_eq!(rounds(0..60, |key| after.get(key).unwrap()), new, "compacted: {compacted}");
        assert_eq!(rounds_in(&lsm, 0..60), [3; 60], "compacted: {compacted}");
        lsm.compact().unwrap();
    }
}

#[test]
fn scans_both_ways_see_what_gets_see() {
    let lsm = open(&MemFs::new());
    put(&lsm, (0..120).step_by(3), 1);
    let before = lsm.snapshot();
    lsm.ingest(pairs((0..120).step_by(2), 2)).unwrap();
    put(&lsm, 30..33, 3);
    let expected: Vec<Pair> =
        (0..120).map(key).filter_map(|key| Some((key.clone(), lsm.get(&key).unwrap()?))).collect();
    let pair = |pair: slice::Result<(bytes::Bytes, bytes::Bytes)>| {
        let (key, value) = pair.unwrap();
        (key.to_vec(), value.to_vec())
    };
    assert_eq!(lsm.iter().map(pair).collect::<Vec<_>>(), expected);
    let mut backwards: Vec<_> = lsm.iter().rev().map(pair).collect();
    backwards.reverse();
    assert_eq!(backwards, expected);
    let old: Vec<Pair> = pairs((0..120).step_by(3), 1).collect();
    assert_eq!(before.iter().map(pair).collect::<Vec<_>>(), old);
    assert_eq!(lsm.get(&key(1)).unwrap(), None);
    assert_eq!(lsm.get(&key(2)).unwrap(), Some(value(2, 2)));
}

#[test]
fn what_overlaps_nothing_goes_to_the_last_level_and_is_not_merged_again() {
    let lsm = open(&MemFs::new());
    lsm.ingest(pairs(0..500, 1)).unwrap();
    let first = lsm.stats().level_stats;
    assert!(matches!(first[..], [(6, tables, _)] if tables > 3), "{first:?}");
    lsm.ingest(pairs(500..1000, 1)).unwrap();
    let both = lsm.stats().level_stats;
    assert!(matches!(both[..], [(6, tables, _)] if tables > first[0].1), "{both:?}");
    lsm.ingest(pairs(400..600, 2)).unwrap();
    assert_eq!(lsm.stats().compaction_stats.bytes_compacted, 0);
    let expected: Vec<u32> = (0..1000).map(|n| if (400..600).contains(&n) { 2 } else { 1 }).collect();
    assert_eq!(rounds_in(&lsm, 0..1000), expected);
}

/// Writers, loads of the same keys, flushes and compactions, all at once; every reader sees all of a load or nothing.
#[test]
fn a_load_is_seen_whole_or_not_at_all_beside_writers_flushes_and_compactions() {
    let fs = MemFs::new();
    let builder = small(&fs).background(Background::Threads).l0_compaction_trigger(2);
    let lsm = builder.open_blocking().unwrap();
    lsm.ingest(pairs(0..300, 1)).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let until_done = |mut work: Box<dyn FnMut(u32) + Send>| {
            let done = &done;
            scope.spawn(move || {
                (0..u32::MAX).take_while(|_| !done.load(Ordering::Relaxed)).for_each(&mut work);
            });
        };
        let writer = lsm.clone();
        until_done(Box::new(move |n| put(&writer, 1000 + n % 500..1010 + n % 500, 1 + n % 9)));
        let flusher = lsm.clone();
        until_done(Box::new(move |_| flusher.flush().unwrap()));
        let reader = lsm.clone();
        until_done(Box::new(move |_| {
            let snapshot = reader.snapshot();
            let seen = rounds(0..300, |key| snapshot.get(key).unwrap());
            assert!(seen.iter().all(|round| *round == seen[0]), "{seen:?}");
        }));
        for round in 2..10 {
            assert_eq!(lsm.ingest(pairs(0..300, round)).unwrap(), 300);
            assert_eq!(rounds_in(&lsm, 0..300), [round; 300]);
        }
        done.store(true, Ordering::Relaxed);
    });
    lsm.compact().unwrap();
    assert_eq!(rounds_in(&lsm, 0..300), [9; 300]);
    assert!(lsm.verify().unwrap().is_clean());
}

#[test]
fn a_transaction_on_a_key_that_is_loaded_meanwhile_is_refused() {
    let lsm = open(&MemFs::new());
    put(&lsm, 0..3, 1);
    let conflict = |keys: std::ops::Range<u32>| {
        let transaction = lsm.begin(slice::Isolation::Snapshot);
        transaction.put(&key(2), b"mine").unwrap();
        lsm.ingest(pairs(keys, 2)).unwrap();
        transaction.commit().err().map(|error| error.kind())
    };
    assert_eq!(conflict(0..5), Some(slice::ErrorKind::Conflict));
    assert_eq!(conflict(3..5), None);
}

#[tokio::test]
async fn the_async_face_loads_on_a_real_disk() {
    let dir = tempfile::tempdir().unwrap();
    let lsm = slice::LSMTree::new(dir.path().join("data")).await.unwrap();
    lsm.put(&key(5), b"before").await.unwrap();
    assert_eq!(lsm.ingest(pairs(0..5000, 1)).await.unwrap(), 5000);
    assert_eq!(lsm.get(&key(5)).await.unwrap(), Some(value(5, 1)));
    lsm.close().await.unwrap();
    assert!(slice::verify(dir.path().join("data")).unwrap().is_clean());
    let lsm = slice::LSMTree::new(dir.path().join("data")).await.unwrap();
    assert_eq!(lsm.get(&key(4999)).await.unwrap(), Some(value(4999, 1)));
}

#[test]
fn a_load_comes_behind_a_range_that_was_deleted_before_and_before_one_that_is_deleted_later() {
    let fs = MemFs::new();
    let lsm = open(&fs);
    put(&lsm, 0..40, 1);
    lsm.compact().unwrap();
    // Nothing else is in the memtable.
    lsm.delete_range(key(0)..key(30)).unwrap();
    lsm.ingest(pairs(20..50, 2)).unwrap();
    let expected = |later: std::ops::Range<usize>| -> Vec<u32> {
        let round = |n| match n {
            _ if later.contains(&n) => 0,
            0..20 => 0,
            _ => 2,
        };
        (0..50).map(round).collect()
    };
    assert_eq!(rounds_in(&lsm, 0..50), expected(0..0));
    lsm.delete_range(key(45)..key(48)).unwrap();
    assert_eq!(rounds_in(&lsm, 0..50), expected(45..48));
    lsm.compact().unwrap();
    assert_eq!(rounds_in(&lsm, 0..50), expected(45..48));
    drop(lsm);
    assert_eq!(rounds_in(&open(&fs), 0..50), expected(45..48));
}
