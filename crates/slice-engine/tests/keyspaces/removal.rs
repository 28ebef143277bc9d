//! Clearing and dropping: all at once, for good, and without a trace in the directory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use slice::vfs::MemFs;
use slice::{Background, Health, WriteBatch};

use crate::support::{at, files, get, open, put, tables};

/// Something in tables, something frozen or not flushed.
fn fill(lsm: &slice::blocking::LSMTree) {
    for n in 0..60_u32 {
        lsm.put(&n.to_be_bytes(), &[7; 100]).unwrap();
    }
    lsm.flush().unwrap();
    lsm.put(b"last", b"v").unwrap();
}

fn is_empty(lsm: &slice::blocking::LSMTree) -> bool {
    (0..60_u32).all(|n| lsm.get(&n.to_be_bytes()).unwrap().is_none()) && get(lsm, "last").is_none()
}

#[test]
fn a_dropped_keyspace_leaves_no_file() {
    let fs = MemFs::new();
    let lsm = open(&fs);
    let users = lsm.keyspace("users").unwrap();
    put(&lsm, "k", "v");
    fill(&users);
    assert!(files(&fs, "sstable_") > 0);
    lsm.drop_keyspace("users").unwrap();
    assert_eq!(files(&fs, "sstable_"), 0);
    lsm.flush().unwrap();
    assert_eq!((files(&fs, "wal_"), files(&fs, ".db")), (1, 1));
    assert_eq!(lsm.keyspaces(), ["default"]);
}

#[test]
fn a_keyspace_made_anew_has_nothing_of_the_one_that_was_dropped() {
    let fs = MemFs::new();
    let lsm = open(&fs);
    put(&lsm, "held back", "so that the log stays");
    let users = lsm.keyspace("users").unwrap();
    fill(&users);
    lsm.drop_keyspace("users").unwrap();
    let users = lsm.keyspace("users").unwrap();
    assert!(is_empty(&users));
    put(&users, "k", "new");
    for image in [fs.killed_image(), fs.crash_image(1.0, 1)] {
        let lsm = open(&image);
        let users = lsm.keyspace("users").unwrap();
        assert!(is_empty(&users));
        assert_eq!(get(&users, "k"), Some("new".into()));
        assert_eq!(get(&lsm, "held back"), Some("so that the log stays".into()));
    }
}

#[test]
fn the_number_of_a_dropped_keyspace_is_not_given_again_after_a_reopen() {
    let fs = MemFs::new();
    let lsm = open(&fs);
    let users = lsm.keyspace("users").unwrap();
    put(&users, "k", "old");
    lsm.drop_keyspace("users").unwrap();
    drop((lsm, users));
    let lsm = open(&fs);
    put(&lsm, "k", "v");
    let users = lsm.keyspace("users").unwrap();
    assert_eq!(get(&users, "k"), None);
    drop((lsm, users));
    assert_eq!(get(&open(&fs).keyspace("users").unwrap(), "k"), None);
}

#[test]
fn a_cleared_keyspace_is_empty_and_takes_writes() {
    let fs = MemFs::recording();
    let lsm = open(&fs);
    let users = lsm.keyspace("users").unwrap();
    for keyspace in [&users, &lsm] {
        fill(keyspace);
        let snapshot = keyspace.snapshot();
        keyspace.clear().unwrap();
        assert!(is_empty(keyspace));
        assert_eq!(snapshot.get(b"last").unwrap(), None, "a snapshot keeps nothing of it");
        assert_eq!(tables(keyspace), 0);
        put(keyspace, "k", "new");
    }
    assert_eq!(files(&fs, "sstable_"), 0);
    lsm.sync().unwrap();
    for image in [fs.killed_image(), fs.crash_image(0.0, 0)] {
        let lsm = open(&image);
        let users = lsm.keyspace("users").unwrap();
        assert!(is_empty(&lsm) && is_empty(&users));
        assert_eq!((get(&lsm, "k"), get(&users, "k")), (Some("new".into()), Some("new".into())));
        assert!(lsm.verify().unwrap().is_clean());
    }
}

/// What was written before the clear is durable when the clear is.
#[test]
fn a_clear_is_a_part_of_the_history() {
    let fs = MemFs::recording();
    let lsm = open(&fs);
    let users = lsm.keyspace("users").unwrap();
    put(&lsm, "before", "v");
    put(&users, "k", "v");
    users.clear().unwrap();
    let image = open(&fs.crash_image(0.0, 0));
    assert_eq!(get(&image.keyspace("users").unwrap(), "k"), None);
    assert_eq!(get(&image, "before"), Some("v".into()));
}

/// A reader that finds the first key of a pair gone does not find the second; writers never wait for good.
#[test]
fn a_clear_beside_readers_writers_and_compactions_is_all_or_nothing() {
    let fs = MemFs::new();
    let lsm = at(&fs).background(Background::Threads).l0_compaction_trigger(2).open_blocking().unwrap();
    let pairs = Arc::new(lsm.keyspace("pairs").unwrap());
    let done = Arc::new(AtomicBool::new(false));
    std::thread::scope(|scope| {
        for writer in 0..2_u8 {
            let (pairs, done) = (Arc::clone(&pairs), Arc::clone(&done));
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    let mut batch = WriteBatch::new();
                    batch.put(&[b'a', writer], &[writer; 300]).unwrap();
                    batch.put(&[b'b', writer], &[writer; 300]).unwrap();
                    pairs.write(batch).unwrap();
                }
            });
        }
        let (reading, end) = (Arc::clone(&pairs), Arc::clone(&done));
        scope.spawn(move || {
            while !end.load(Ordering::Relaxed) {
                // One number for both, so no write comes in between; a clear may, and takes both.
                let snapshot = reading.snapshot();
                let first = snapshot.get(b"a\0").unwrap();
                let second = snapshot.get(b"b\0").unwrap();
                assert!(first.is_some() || second.is_none(), "half of a pair is there");
            }
        });
        for _ in 0..30 {
            pairs.clear().unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(matches!(lsm.health(), Health::Healthy), "{:?}", lsm.health());
    pairs.clear().unwrap();
    pairs.compact().unwrap();
    assert_eq!(tables(&pairs), 0);
    lsm.drop_keyspace("pairs").unwrap();
    lsm.compact().unwrap();
    assert!(lsm.verify().unwrap().is_clean());
    lsm.close().unwrap();
    assert_eq!(files(&fs, "sstable_"), 0);
}
