//! One log for all keyspaces, and when its parts can go.

use slice::Background;
use slice::vfs::MemFs;

use crate::support::{at, files, get, open, put, tables};

#[test]
fn a_keyspace_with_nothing_unflushed_holds_no_log_back() {
    let fs = MemFs::new();
    let lsm = open(&fs);
    let idle = lsm.keyspace("idle").unwrap();
    let flushed = lsm.keyspace("flushed").unwrap();
    put(&flushed, "k", "v");
    flushed.flush().unwrap();
    for n in 0..10 {
        put(&lsm, "k", &n.to_string());
        lsm.flush().unwrap();
        assert_eq!(files(&fs, "wal_"), 1, "flush {n}");
    }
    assert_eq!((get(&idle, "k"), get(&flushed, "k")), (None, Some("v".into())));
}

/// It needs no log from before its time: none of them is missed when they are gone.
#[test]
fn a_keyspace_made_after_a_reopen_keeps_its_writes() {
    let fs = MemFs::new();
    open(&fs).close().unwrap();
    let lsm = open(&fs);
    put(&lsm.keyspace("late").unwrap(), "k", "v");
    lsm.close().unwrap();
    let lsm = open(&fs);
    assert_eq!(get(&lsm.keyspace("late").unwrap(), "k"), Some("v".into()));
    assert_eq!(get(&open(&fs.killed_image()).keyspace("late").unwrap(), "k"), Some("v".into()));
}

#[test]
fn an_idle_keyspace_is_flushed_when_it_holds_too_many_logs_back() {
    let fs = MemFs::new();
    let lsm = open(&fs);
    let idle = lsm.keyspace("idle").unwrap();
    put(&idle, "k", "old");
    let mut most = 0;
    for n in 0..100 {
        put(&lsm, "k", &n.to_string());
        lsm.flush().unwrap();
        most = most.max(files(&fs, "wal_"));
    }
    assert!((10..=20).contains(&most), "{most} logs");
    assert_eq!(tables(&idle), 1, "it was flushed, once");
    assert_eq!(get(&idle, "k"), Some("old".into()));
    drop((lsm, idle));
    let lsm = open(&fs);
    assert_eq!(get(&lsm.keyspace("idle").unwrap(), "k"), Some("old".into()));
}

/// What one keyspace has in tables must not come back from logs that another one holds back.
#[test]
fn a_log_is_replayed_only_for_those_who_need_it() {
    let fs = MemFs::new();
    let lsm = open(&fs);
    let idle = lsm.keyspace("idle").unwrap();
    put(&idle, "k", "old");
    put(&lsm, "k", "1");
    lsm.flush().unwrap();
    lsm.delete(b"k").unwrap();
    lsm.flush().unwrap();
    // Into the last level, without its tombstone.
    lsm.compact().unwrap();
    assert_eq!(tables(&lsm), 0);
    assert!(files(&fs, "wal_") > 1, "the idle one holds logs back");
    for _ in 0..3 {
        let again = open(&fs.killed_image());
        assert_eq!(get(&again, "k"), None);
        assert_eq!(get(&again.keyspace("idle").unwrap(), "k"), Some("old".into()));
    }
}

#[test]
fn logs_go_in_a_store_with_threads_too() {
    let fs = MemFs::new();
    let lsm = at(&fs).background(Background::Threads).open_blocking().unwrap();
    let others: Vec<_> = (0..8).map(|n| lsm.keyspace(&format!("other-{n}")).unwrap()).collect();
    for n in 0..400_u32 {
        let other = &others[n as usize % others.len()];
        other.put(&n.to_be_bytes(), &[1; 200]).unwrap();
        lsm.put(&n.to_be_bytes(), &[2; 500]).unwrap();
    }
    for other in others.iter().chain([&lsm]) {
        other.flush().unwrap();
    }
    lsm.close().unwrap();
    assert_eq!(files(&fs, "wal_"), 1, "all is in tables but the log in use");
    let lsm = open(&fs);
    for n in 0..400_u32 {
        let other = lsm.keyspace(&format!("other-{}", n % 8)).unwrap();
        assert_eq!(other.get(&n.to_be_bytes()).unwrap(), Some(vec![1; 200]));
    }
}
