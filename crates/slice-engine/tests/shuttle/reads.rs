//! Reads beside writes, flushes and compactions: whole batches, never back in time, and one's own writes at once.

use slice::Builder;

use super::{builder, check, disk, join, number, open, start, write_all};

/// One thread writes "a" and "b" together and reads them back, one flushes and compacts, one reads.
pub(crate) fn reads_beside_everything(opened_as: fn(Builder) -> Builder) {
    let fs = disk();
    let store = opened_as(builder(&fs)).open_blocking().expect("it opens");
    let (writer, keeper) = (store.clone(), store.clone());
    let writer = start(move || {
        for n in 1..=3 {
            write_all(&writer, &["a", "b"], n).expect("it writes");
            assert_eq!(number(&writer, "a"), Some(n), "a writer does not see its own write");
        }
    });
    let keeper = start(move || {
        keeper.flush().expect("it flushes");
        keeper.compact().expect("it compacts");
    });
    let mut last = None;
    for _ in 0..3 {
        let (a, b) = (number(&store, "a"), number(&store, "b"));
        assert!(last <= a, "a reader goes back in time: {last:?}, then {a:?}");
        assert!(a <= b, "a reader sees the first half of a batch: {a:?}, then {b:?}");
        last = b;
    }
    join([writer, keeper]);
    assert_eq!((number(&store, "a"), number(&store, "b")), (Some(3), Some(3)));
    store.close().expect("it closes");
    let store = open(&fs);
    assert_eq!((number(&store, "a"), number(&store, "b")), (Some(3), Some(3)), "after opening anew");
}

#[test]
fn batches_are_whole_and_reads_go_forward_beside_flushes_and_compactions() {
    check(|| reads_beside_everything(|builder| builder));
}

#[test]
fn reads_through_the_row_cache_are_as_new_as_others() {
    check(|| reads_beside_everything(|builder| builder.row_cache_entries(1).block_cache_bytes(0)));
}
