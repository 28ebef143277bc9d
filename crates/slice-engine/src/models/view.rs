//! The view switch: freezing, flushing and compacting beside readers, who load the view first and the visible number
//! second, and find the newest version of a key in one of the places that the view holds.

use std::sync::Arc;

use slice_sstable::ReadMode;

use super::{caught, explore, join, start, store};
use crate::db::Core;

/// What a thread sees of "k" while another overwrites it and flushes.
fn overwrite_and_flush(read: fn(&Core) -> Option<String>) {
    let store = store();
    store.commit_all(&[("k", "0")]);
    let writer = {
        let store = Arc::clone(&store);
        start(move || {
            store.commit_all(&[("k", "1")]);
            store.flush_blocking(&store.trees.all()).expect("MemFs does not fail");
        })
    };
    let first = read(&store);
    assert!(first.is_some(), "a key that was never deleted is not there");
    let second = store.value("k");
    assert!(first <= second, "{first:?}, then {second:?}");
    join([writer]);
    assert_eq!(store.value("k").as_deref(), Some("1"));
}

#[test]
fn a_flush_hides_nothing_from_readers() {
    explore(|| overwrite_and_flush(|store| store.value("k")));
}

#[test]
fn a_reader_that_loads_the_visible_number_first_is_caught() {
    let failure = caught(|| {
        overwrite_and_flush(|store| {
            let at = store.commit.visible();
            let found =
                store.tree.get(b"k", || at, ReadMode::Wait, &store.caches).expect("MemFs does not fail");
            found.map(|value| String::from_utf8_lossy(&value).into_owned())
        });
    });
    assert!(failure.contains("is not there"), "{failure}");
}

#[test]
fn a_compaction_hides_nothing_from_readers() {
    explore(|| {
        let store = store();
        for value in ["0", "1"] {
            store.commit_all(&[("k", value)]);
            store.flush_blocking(&store.trees.all()).expect("MemFs does not fail");
        }
        let compaction = {
            let store = Arc::clone(&store);
            start(move || store.compact_blocking(&store.tree).expect("MemFs does not fail"))
        };
        assert_eq!(store.value("k").as_deref(), Some("1"));
        join([compaction]);
        assert_eq!(store.value("k").as_deref(), Some("1"));
    });
}

#[test]
fn of_views_made_at_the_same_time_none_is_lost() {
    explore(|| {
        let store = store();
        store.commit_all(&[("a", "0")]);
        store.commit.freeze(&store.trees.all(), &store.logs).expect("MemFs does not fail");
        store.commit_all(&[("b", "0")]);
        let flush = {
            let store = Arc::clone(&store);
            start(move || store.flush_inline().expect("MemFs does not fail"))
        };
        store.commit.freeze(&store.trees.all(), &store.logs).expect("MemFs does not fail");
        join([flush]);
        assert!(store.value("a").is_some() && store.value("b").is_some());
        let view = store.tree.view();
        let tables = view.version.levels().iter().flatten().count();
        assert_eq!(tables + view.frozen.len(), 2, "each memtable is in a table or waits for its flush");
    });
}
