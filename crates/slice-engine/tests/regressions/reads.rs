//! Old values that came back: from a cache, from a deeper level, from behind a dropped tombstone.

use std::sync::atomic::{AtomicBool, Ordering};

use slice::vfs::MemFs;

use crate::support::{assert_all, busy, delete_all, key, put_all, quiet};

const KEYS: std::ops::Range<u32> = 0..60;

#[test]
fn the_row_cache_serves_no_old_value_after_a_flush() {
    let lsm = quiet(&MemFs::new()).row_cache_entries(1000).open_blocking().unwrap();
    for generation in 0..5 {
        put_all(&lsm, KEYS, generation);
        assert_all(&lsm, KEYS, Some(generation));
        lsm.flush().unwrap();
        // The first look fills the cache from the table, the second is answered by it.
        assert_all(&lsm, KEYS, Some(generation));
        assert_all(&lsm, KEYS, Some(generation));
    }
    assert!(lsm.stats().cache_stats.hit_ratio > 0.0, "the cache was not used");
    delete_all(&lsm, KEYS);
    assert_all(&lsm, KEYS, None);
    lsm.flush().unwrap();
    assert_all(&lsm, KEYS, None);
}

/// A reader that took its view before a flush must not put what it found into the cache after it.
#[test]
fn the_row_cache_serves_no_old_value_to_readers_beside_flushes() {
    let lsm = busy(&MemFs::new()).open_blocking().unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut last = 0;
                while !done.load(Ordering::Acquire) {
                    if let Some(found) = lsm.get(&key(0)).unwrap() {
                        let found = u32::from_be_bytes(found.try_into().unwrap());
                        assert!(found >= last, "{found} after {last}");
                        last = found;
                    }
                }
            });
        }
        for n in 0..400_u32 {
            lsm.put(&key(0), &n.to_be_bytes()).unwrap();
            lsm.put(&key(1), &[0; 100]).unwrap();
            assert_eq!(lsm.get(&key(0)).unwrap(), Some(n.to_be_bytes().to_vec()));
            if n % 8 == 0 {
                lsm.flush().unwrap();
                assert_eq!(lsm.get(&key(0)).unwrap(), Some(n.to_be_bytes().to_vec()));
            }
        }
        done.store(true, Ordering::Release);
    });
}

#[test]
fn a_deleted_key_does_not_come_back_after_compaction() {
    let fs = MemFs::new();
    let lsm = quiet(&fs).row_cache_entries(1000).open_blocking().unwrap();
    put_all(&lsm, KEYS, 1);
    lsm.compact().unwrap();
    assert_all(&lsm, KEYS, Some(1));
    delete_all(&lsm, KEYS.step_by(2));
    lsm.flush().unwrap();
    assert_all(&lsm, KEYS.step_by(2), None);
    for _ in 0..2 {
        lsm.compact().unwrap();
        assert_all(&lsm, KEYS.step_by(2), None);
        assert_all(&lsm, KEYS.skip(1).step_by(2), Some(1));
    }
    drop(lsm);
    let lsm = quiet(&fs).open_blocking().unwrap();
    assert_all(&lsm, KEYS.step_by(2), None);
    assert_all(&lsm, KEYS.skip(1).step_by(2), Some(1));
}

#[test]
fn levels_survive_a_restart_and_an_old_value_never_wins() {
    let fs = MemFs::new();
    let open = || quiet(&fs).open_blocking().unwrap();
    let mut lsm = open();
    put_all(&lsm, KEYS, 0);
    lsm.compact().unwrap();
    for generation in 1..6 {
        // Later tables have higher numbers, but a compaction gives the oldest data the newest number.
        put_all(&lsm, KEYS.step_by(generation as usize), generation);
        lsm.flush().unwrap();
        if generation == 3 {
            lsm.compact().unwrap();
        }
        let before = lsm.stats().level_stats;
        drop(lsm);
        lsm = open();
        assert_eq!(lsm.stats().level_stats, before, "generation {generation}");
        for n in KEYS {
            let newest = (1..=generation).rev().find(|step| n % step == 0).unwrap_or(0);
            assert_all(&lsm, [n], Some(newest));
        }
    }
    assert!(lsm.stats().level_stats.len() > 1, "{}", lsm.stats());
}

#[test]
fn tombstones_stay_while_deeper_levels_still_hold_the_key() {
    const ALL: u32 = 4000;
    let fs = MemFs::new();
    let open = || {
        quiet(&fs)
            .l0_compaction_trigger(2)
            .level_base_bytes(1 << 10)
            .target_table_bytes(4 << 10)
            .open_blocking()
    };
    let lsm = open().unwrap();
    put_all(&lsm, 0..ALL, 1);
    lsm.compact().unwrap();
    let last = lsm.stats().level_stats[0].0;
    for part in [0, 100] {
        // Tombstones among entries: a table of nothing else would be merged down at once.
        delete_all(&lsm, (part..ALL).step_by(200));
        put_all(&lsm, (part + 1..ALL).step_by(20), 2);
        lsm.flush().unwrap();
    }
    let levels: Vec<usize> = lsm.stats().level_stats.iter().map(|level| level.0).collect();
    assert!(levels.len() > 1 && levels[0] > 0 && levels.ends_with(&[last]), "no half way: {}", lsm.stats());
    assert_all(&lsm, (0..ALL).step_by(100), None);
    drop(lsm);
    let lsm = open().unwrap();
    assert_all(&lsm, (0..ALL).step_by(100), None);
    lsm.compact().unwrap();
    assert_all(&lsm, (0..ALL).step_by(100), None);
    assert_all(&lsm, (50..ALL).step_by(100), Some(1));
    let stats = lsm.stats();
    assert!(stats.level_stats.len() == 1 && stats.compaction_stats.tombstones_dropped > 0, "{stats}");
}
