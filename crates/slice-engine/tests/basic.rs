//! The first things that anyone does with a store, through both faces.

#![expect(clippy::disallowed_methods, reason = "a test looks at the files themselves")]

use std::path::Path;

use slice::blocking::LSMTree as Blocking;
use slice::{ErrorKind, LSMTree};
use tempfile::TempDir;

fn temp() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn wal_files(dir: &Path) -> usize {
    let names =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("wal_0")).count()
}

#[tokio::test]
async fn what_is_put_is_got_until_it_is_deleted() {
    let dir = temp();
    let lsm = LSMTree::new(dir.path().join("data")).await.unwrap();
    assert_eq!(lsm.get(b"a").await.unwrap(), None);
    lsm.put(b"a", b"1").await.unwrap();
    lsm.put(&Vec::from(b"a"), "2".as_ref()).await.unwrap();
    assert_eq!(lsm.get(b"a").await.unwrap(), Some(b"2".to_vec()));
    lsm.delete(b"a").await.unwrap();
    assert_eq!(lsm.get(b"a").await.unwrap(), None);
    lsm.delete(b"never there").await.unwrap();
}

#[tokio::test]
async fn flushed_and_compacted_entries_are_found_and_deleted_ones_are_not() {
    let dir = temp();
    let lsm = LSMTree::builder(dir.path())
        .memtable_size(64 << 10)
        .target_table_bytes(64 << 10)
        .open()
        .await
        .unwrap();
    for round in 0..3_u32 {
        for n in 0..3000_u32 {
            let value = format!("value {n} of round {round}").repeat(3);
            lsm.put(format!("key{n:06}").as_bytes(), value.as_bytes()).await.unwrap();
        }
        for n in (0..3000_u32).step_by(7) {
            lsm.delete(format!("key{n:06}").as_bytes()).await.unwrap();
        }
        lsm.flush().await.unwrap();
    }
    let check = async || {
        for n in 0..3000_u32 {
            let found = lsm.get(format!("key{n:06}").as_bytes()).await.unwrap();
            let expected = (n % 7 != 0).then(|| format!("value {n} of round 2").repeat(3).into_bytes());
            assert_eq!(found, expected, "key {n}");
        }
    };
    check().await;
    lsm.compact().await.unwrap();
    check().await;
    let stats = lsm.stats();
    assert_eq!(stats.level_stats.len(), 1, "{stats}");
    assert!(stats.compaction_stats.total_compactions > 0);
    assert_eq!(stats.immutable_memtables, 0);
}

#[tokio::test]
async fn drop_without_close_leaves_a_log_and_reopening_at_once_works() {
    let dir = temp();
    for n in 0..20_u32 {
        let lsm = LSMTree::new(dir.path()).await.unwrap();
        if n > 0 {
            assert_eq!(lsm.get(b"n").await.unwrap(), Some((n - 1).to_string().into_bytes()));
        }
        lsm.put(b"n", n.to_string().as_bytes()).await.unwrap();
        drop(lsm);
        assert!(wal_files(dir.path()) >= 1);
    }
}

#[tokio::test]
async fn a_directory_opened_twice_with_the_same_options_is_the_same_tree() {
    let dir = temp();
    let first = LSMTree::new(dir.path()).await.unwrap();
    let second = LSMTree::new(dir.path().join(".")).await.unwrap();
    first.put(b"k", b"v").await.unwrap();
    assert_eq!(second.get(b"k").await.unwrap(), Some(b"v".to_vec()));
    let resized = LSMTree::new_with_cache_size(dir.path(), 7).await.unwrap();
    assert_eq!((resized.stats().cache_stats.capacity, first.stats().cache_stats.capacity), (7, 7));
    let otherwise = LSMTree::builder(dir.path()).memtable_size(1 << 20);
    assert_eq!(otherwise.clone().open().await.unwrap_err().kind(), ErrorKind::Locked);
    drop((first, second, resized));
    otherwise.open().await.unwrap();
}

#[tokio::test]
async fn a_closed_store_refuses_everything_and_opens_anew_beside_its_old_handle() {
    let dir = temp();
    let lsm = LSMTree::new(dir.path()).await.unwrap();
    lsm.put(b"k", b"v").await.unwrap();
    lsm.close().await.unwrap();
    for error in [
        lsm.put(b"k", b"w").await.unwrap_err(),
        lsm.get(b"k").await.unwrap_err(),
        lsm.flush().await.unwrap_err(),
        lsm.compact().await.unwrap_err(),
        lsm.sync().await.unwrap_err(),
        lsm.close().await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
    }
    let again = LSMTree::new(dir.path()).await.unwrap();
    assert_eq!(again.get(b"k").await.unwrap(), Some(b"v".to_vec()));
    drop(lsm);
    let same = LSMTree::new(dir.path()).await.unwrap();
    same.put(b"k", b"w").await.unwrap();
    assert_eq!(again.get(b"k").await.unwrap(), Some(b"w".to_vec()));
}

#[test]
fn the_blocking_face_does_the_same() {
    let dir = temp();
    let lsm = Blocking::new(dir.path()).unwrap();
    for n in 0..1000_u32 {
        lsm.put(&n.to_be_bytes(), n.to_string().as_bytes()).unwrap();
    }
    lsm.delete(&7_u32.to_be_bytes()).unwrap();
    lsm.flush().unwrap();
    lsm.compact().unwrap();
    assert_eq!(lsm.get(&8_u32.to_be_bytes()).unwrap(), Some(b"8".to_vec()));
    assert_eq!(lsm.get(&7_u32.to_be_bytes()).unwrap(), None);
    lsm.sync().unwrap();
    lsm.close().unwrap();
    assert_eq!(lsm.get(&[0]).unwrap_err().kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn the_row_cache_holds_exactly_its_capacity() {
    let dir = temp();
    let lsm = LSMTree::new_with_cache_size(dir.path(), 50).await.unwrap();
    for n in 0..200_u32 {
        lsm.put(&n.to_be_bytes(), &[1; 100]).await.unwrap();
    }
    lsm.flush().await.unwrap();
    for n in 0..200_u32 {
        assert_eq!(lsm.get(&n.to_be_bytes()).await.unwrap(), Some(vec![1; 100]));
    }
    let cache = lsm.stats().cache_stats;
    assert_eq!((cache.size, cache.capacity, cache.hit_ratio), (50, 50, 0.0));
    lsm.get(&199_u32.to_be_bytes()).await.unwrap();
    assert!(lsm.stats().cache_stats.hit_ratio > 0.0);
    lsm.clear_cache();
    assert_eq!(lsm.stats().cache_stats.size, 0);
}
