//! The publish step: a batch is seen whole or not at all, by everyone who has a reason to see it, and for good.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{caught, explore, join, start, store, store_with};
use crate::planted::{Bug, Planted};
use crate::primitives::AtomicBool;

/// One thread commits two keys as one batch, another reads them, the first key first.
fn batch_beside_reads(planted: Planted) {
    let store = store_with(planted);
    let writer = {
        let store = Arc::clone(&store);
        start(move || store.commit_all(&[("a", "new"), ("b", "new")]))
    };
    let (a, b) = (store.value("a"), store.value("b"));
    assert!(a.is_none() || b.is_some(), "a reader saw the first half of a batch: {a:?}, then {b:?}");
    join([writer]);
    assert_eq!((store.value("a"), store.value("b")), (Some("new".to_owned()), Some("new".to_owned())));
}

#[test]
fn a_batch_is_seen_whole_or_not_at_all() {
    explore(|| batch_beside_reads(Planted::default()));
}

#[test]
fn a_batch_that_is_published_before_it_is_inserted_is_caught() {
    let failure = caught(|| batch_beside_reads(Planted::of(Bug::PublishBeforeInsert)));
    assert!(failure.contains("the first half of a batch"), "{failure}");
}

#[test]
fn a_batch_that_is_published_piece_by_piece_is_caught() {
    let failure = caught(|| batch_beside_reads(Planted::of(Bug::SplitBatch)));
    assert!(failure.contains("the first half of a batch"), "{failure}");
}

#[test]
fn an_acknowledged_write_is_seen_by_whoever_hears_of_it() {
    explore(|| {
        let store = store();
        let told = Arc::new(AtomicBool::new(false));
        let writer = {
            let (store, told) = (Arc::clone(&store), Arc::clone(&told));
            start(move || {
                store.commit_all(&[("k", "new")]);
                assert!(store.value("k").is_some(), "a writer does not see its own write");
                told.store(true, Ordering::Release);
            })
        };
        if told.load(Ordering::Acquire) {
            assert!(store.value("k").is_some(), "an acknowledged write is not there");
        }
        join([writer]);
    });
}

#[test]
fn a_reader_never_goes_back_in_time() {
    explore(|| {
        let store = store();
        store.commit_all(&[("k", "0")]);
        let writer = {
            let store = Arc::clone(&store);
            start(move || {
                store.commit_all(&[("k", "1")]);
                store.commit.freeze(&store.trees.all(), &store.logs).expect("MemFs does not fail");
                store.commit_all(&[("k", "2")]);
            })
        };
        let (first, second) = (store.value("k"), store.value("k"));
        assert!(first.is_some() && first <= second, "{first:?}, then {second:?}");
        join([writer]);
    });
}

#[test]
fn of_writes_at_the_same_time_none_is_lost() {
    explore(|| {
        let store = store();
        let writers = ["a", "b"].map(|key| {
            let store = Arc::clone(&store);
            start(move || store.commit_all(&[(key, "new"), ("both", key)]))
        });
        join(writers);
        assert!(store.value("a").is_some() && store.value("b").is_some());
        assert_eq!(store.commit.visible().get(), 4, "each entry has a number of its own");
        assert!(store.value("both").is_some());
    });
}
