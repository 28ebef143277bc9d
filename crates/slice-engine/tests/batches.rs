//! Batches: several writes that happen as one.

use std::sync::Arc;

use slice::blocking::LSMTree;
use slice::planted::Bug;
use slice::vfs::MemFs;
use slice::{Background, Builder, ErrorKind, MAX_KEY_LEN, WriteBatch};

fn store(fs: &MemFs) -> Builder {
    LSMTree::builder("/db").fs(Arc::new(fs.clone())).background(Background::Inline).memtable_size(4 << 10)
}

fn batch(keys: impl IntoIterator<Item = u32>, value: &[u8]) -> WriteBatch {
    let mut batch = WriteBatch::new();
    for key in keys {
        batch.put(&key.to_be_bytes(), value).unwrap();
    }
    batch
}

fn count(lsm: &LSMTree, keys: std::ops::Range<u32>) -> usize {
    keys.filter(|key| lsm.get(&key.to_be_bytes()).unwrap().is_some()).count()
}

#[test]
fn of_two_writes_to_one_key_the_later_counts() {
    let lsm = store(&MemFs::new()).open_blocking().unwrap();
    let mut batch = WriteBatch::new();
    batch.put(b"a", b"1").unwrap();
    batch.delete(b"a").unwrap();
    batch.put(b"b", b"1").unwrap();
    batch.put(b"b", b"2").unwrap();
    assert_eq!(batch.len(), 4);
    lsm.write(batch).unwrap();
    assert_eq!((lsm.get(b"a").unwrap(), lsm.get(b"b").unwrap()), (None, Some(b"2".to_vec())));
}

#[tokio::test]
async fn the_async_face_writes_batches_too() {
    let fs = MemFs::new();
    let lsm = slice::LSMTree::builder("/db").fs(Arc::new(fs)).open().await.unwrap();
    lsm.write(batch(0..10, b"v")).await.unwrap();
    assert_eq!(lsm.get(&9_u32.to_be_bytes()).await.unwrap(), Some(b"v".to_vec()));
    lsm.close().await.unwrap();
    assert_eq!(lsm.write(WriteBatch::new()).await.unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn an_empty_batch_writes_nothing_and_is_no_error() {
    let fs = MemFs::new();
    let lsm = store(&fs).open_blocking().unwrap();
    let before = fs.operations();
    let mut cleared = batch(0..3, b"v");
    cleared.clear();
    assert!(cleared.is_empty());
    lsm.write(cleared).unwrap();
    assert_eq!((fs.operations(), lsm.stats().last_seqno), (before, 0));
}

#[test]
fn a_key_that_is_too_long_is_refused_and_leaves_the_batch_as_it_was() {
    let lsm = store(&MemFs::new()).open_blocking().unwrap();
    let mut batch = batch(0..2, b"v");
    let long = vec![0; MAX_KEY_LEN + 1];
    assert_eq!(batch.put(&long, b"v").unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(batch.delete(&long).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(batch.len(), 2);
    lsm.write(batch).unwrap();
    assert_eq!(count(&lsm, 0..2), 2);
}

#[test]
fn a_batch_may_be_larger_than_a_memtable_and_survives_reopening_and_flushing() {
    let fs = MemFs::new();
    let lsm = store(&fs).open_blocking().unwrap();
    lsm.write(batch(0..1000, &[7; 100])).unwrap();
    assert_eq!(count(&lsm, 0..1000), 1000);
    drop(lsm);
    let lsm = store(&fs).open_blocking().unwrap();
    assert_eq!(count(&lsm, 0..1000), 1000);
    lsm.flush().unwrap();
    assert_eq!(count(&lsm, 0..1000), 1000);
}

/// How many of a batch's entries are there after each power failure while it is written.
fn left_by_crashes(planted: Option<Bug>) -> Vec<usize> {
    let fs = MemFs::recording();
    let lsm = planted.into_iter().fold(store(&fs), Builder::plant).open_blocking().unwrap();
    lsm.write(batch(0..20, b"v")).unwrap();
    let mut replay = fs.history().replay();
    let mut left = Vec::new();
    while replay.advance().is_some() {
        let lsm = store(&replay.crash_image(1.0, 0)).open_blocking().unwrap();
        left.push(count(&lsm, 0..20));
    }
    left
}

#[test]
fn a_crash_leaves_all_of_a_batch_or_nothing() {
    let left = left_by_crashes(None);
    assert!(left.iter().all(|count| [0, 20].contains(count)), "{left:?}");
    assert_eq!(left.last(), Some(&20));
}

#[test]
fn a_batch_that_is_split_on_purpose_is_found_in_parts() {
    let left = left_by_crashes(Some(Bug::SplitBatch));
    assert!(left.iter().any(|count| (1..20).contains(count)), "{left:?}");
}
