//! Writers that wait: for an fsync that they share, for the flush of a full memtable. All of them are woken.

use slice::Durability;

use super::{builder, check, disk, join, number, open, start};

#[test]
fn writers_that_share_an_fsync_are_all_acknowledged() {
    check(|| {
        let fs = disk();
        let store = builder(&fs).durability(Durability::Fsync).open_blocking().expect("it opens");
        let writers = ["a", "b", "c"].map(|key| {
            let store = store.clone();
            start(move || {
                for n in [b"1", b"2"] {
                    store.put(key.as_bytes(), n).expect("it writes");
                }
            })
        });
        join(writers);
        for key in ["a", "b", "c"] {
            assert_eq!(number(&store, key), Some(2));
        }
    });
}

#[test]
fn writers_that_wait_for_a_flush_go_on_and_lose_nothing() {
    check(|| {
        let fs = disk();
        let store = builder(&fs).max_frozen_memtables(1).open_blocking().expect("it opens");
        let writers = ["a", "b"].map(|key| {
            let store = store.clone();
            start(move || {
                for n in 0..4 {
                    store.put(format!("{key}{n}").as_bytes(), &[b'0'; 600]).expect("it writes");
                }
            })
        });
        join(writers);
        assert!(store.stats().flush_stats.flushes > 0, "nobody waited");
        drop(store);
        let store = open(&fs);
        for key in ["a", "b"] {
            for n in 0..4 {
                assert!(number(&store, &format!("{key}{n}")).is_some(), "{key}{n} is lost");
            }
        }
    });
}
