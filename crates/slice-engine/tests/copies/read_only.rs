//! Stores that are opened to be read only.

use std::path::Path;
use std::sync::Arc;

use slice::blocking::LSMTree;
use slice::vfs::{Fs, LogKind, MemFs, StdFs, read_all};
use slice::{Error, ErrorKind, Isolation, RecoveryMode, WriteBatch};

use super::{at, fill, holds, key, store};

fn reader(fs: &MemFs) -> slice::Result<LSMTree> {
    at("/db", fs).read_only(true).open_blocking()
}

/// A file system of its own with what an abrupt end has left: tables, a log that was replayed before, and one that was
/// not.
fn left_behind() -> MemFs {
    let fs = MemFs::with_log_kind(LogKind::Preallocated { chunk: 1 << 10 });
    let threads = || at("/db", &fs).background(slice::Background::Threads).memtable_size(1 << 20);
    let lsm = threads().open_blocking().unwrap();
    fill(&lsm, 0..200, 1);
    lsm.compact().unwrap();
    fill(&lsm, 200..220, 1);
    lsm.keyspace("other").unwrap().put(b"k", b"of another keyspace").unwrap();
    drop(lsm);
    let lsm = threads().open_blocking().unwrap();
    fill(&lsm, 220..230, 1);
    lsm.delete_range(key(3)..key(5)).unwrap();
    let killed = fs.killed_image();
    drop(lsm);
    killed
}

#[test]
fn a_reader_sees_tables_and_logs_and_changes_nothing() {
    let fs = left_behind();
    let lsm = reader(&fs).unwrap();
    holds(&lsm, 0..3, 1);
    assert_eq!(lsm.get(&key(4)).unwrap(), None);
    holds(&lsm, 5..230, 1);
    assert_eq!(lsm.iter().count(), 228);
    assert_eq!(lsm.snapshot().get(&key(229)).unwrap(), lsm.get(&key(229)).unwrap());
    let other = lsm.keyspace("other").unwrap();
    assert_eq!(other.get(b"k").unwrap(), Some(b"of another keyspace".to_vec()));
    assert!(lsm.verify().unwrap().is_clean());
    lsm.sync().unwrap();
    lsm.close().unwrap();
    drop((lsm, other));
    assert_eq!(fs.operations(), 0, "not a byte is written");
    assert_eq!(store(&fs).iter().count(), 228);
}

#[track_caller]
fn refused<T>(result: slice::Result<T>) {
    let Err(error) = result else { panic!("it was done") };
    assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
    assert!(error.to_string().contains("read only"), "{error}");
}

#[test]
fn all_that_would_write_is_refused_as_read_only() {
    let fs = left_behind();
    let lsm = reader(&fs).unwrap();
    refused(lsm.put(b"k", b"v"));
    refused(lsm.delete(b"k"));
    refused(lsm.delete_range(key(0)..key(9)));
    let mut batch = WriteBatch::new();
    batch.put(b"k", b"v").unwrap();
    refused(lsm.write(batch));
    let transaction = lsm.begin(Isolation::Serializable);
    transaction.put(b"k", b"v").unwrap();
    refused(transaction.commit());
    refused(lsm.ingest([("k", "v")]));
    refused(lsm.flush());
    refused(lsm.compact());
    refused(lsm.checkpoint("/copy"));
    refused(lsm.keyspace("new"));
    refused(lsm.drop_keyspace("other"));
    refused(lsm.clear());
    assert_eq!(lsm.get(b"k").unwrap(), None);
    assert!(matches!(lsm.health(), slice::Health::Healthy));
    drop(lsm);
    assert_eq!(fs.operations(), 0);
}

fn kind(opened: slice::Result<LSMTree>) -> Option<ErrorKind> {
    opened.err().map(|error: Error| error.kind())
}

#[test]
fn readers_exclude_writers_and_not_each_other() {
    let fs = left_behind();
    // The lock is what other processes see of it: the registry of this one knows the file system by its number.
    let lock = fs.try_lock_shared(Path::new("/db/LOCK")).unwrap().expect("nobody writes");
    let lsm = reader(&fs).unwrap();
    let again = reader(&fs).unwrap();
    assert_eq!(kind(at("/db", &fs).open_blocking()), Some(ErrorKind::Locked), "in this process");
    drop((lsm, again));
    assert_eq!(kind(at("/db", &fs).open_blocking()), Some(ErrorKind::Locked), "in another one");
    drop(lock);
    let writer = fs.try_lock(Path::new("/db/LOCK"), "12345").unwrap();
    let error = reader(&fs).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert!(error.to_string().contains("12345"), "{error}");
    drop(writer);
    reader(&fs).unwrap();
    store(&fs);
}

#[test]
fn a_reader_makes_nothing_and_needs_a_store() {
    let fs = MemFs::new();
    assert_eq!(kind(reader(&fs)), Some(ErrorKind::InvalidArgument));
    fs.create_dir_all(Path::new("/db")).unwrap();
    let before = fs.operations();
    assert_eq!(kind(reader(&fs)), Some(ErrorKind::InvalidArgument));
    assert_eq!(fs.operations(), before);
    assert!(fs.list_dir(Path::new("/db")).unwrap().is_empty());
}

#[test]
fn a_directory_without_a_lock_file_is_read_all_the_same() {
    let fs = left_behind();
    fs.remove_file(Path::new("/db/LOCK")).unwrap();
    let before = fs.operations();
    let lsm = reader(&fs).unwrap();
    holds(&lsm, 5..230, 1);
    // A writer that comes meanwhile does not disturb who reads.
    let elsewhere = at("/db", &fs).recovery_mode(RecoveryMode::PointInTime);
    assert_eq!(
        kind(elsewhere.open_blocking()),
        Some(ErrorKind::Locked),
        "in this process it is still refused"
    );
    drop(lsm);
    assert_eq!(fs.operations(), before);
}

#[test]
fn a_checkpoint_in_a_directory_that_cannot_be_written_to_is_read_by_both_faces() {
    let dir = tempfile::tempdir().unwrap();
    let (path, copy) = (dir.path().join("data"), dir.path().join("copy"));
    let lsm = LSMTree::new(&path).unwrap();
    fill(&lsm, 0..50, 1);
    lsm.flush().unwrap();
    fill(&lsm, 50..60, 1);
    lsm.checkpoint(&copy).unwrap();
    let fs = StdFs::new();
    let bytes = || -> Vec<_> {
        let names = fs.list_dir(&copy).unwrap();
        names.into_iter().map(|name| (read_all(&fs, &copy.join(&name)).unwrap(), name)).collect()
    };
    let before = bytes();
    let read_only = slice::vfs::read_only(Arc::new(StdFs::new()));
    let copied = LSMTree::builder(&copy).fs(read_only).read_only(true).open_blocking().unwrap();
    holds(&copied, 0..60, 1);
    drop(copied);
    holds(&LSMTree::open_read_only(&copy).unwrap(), 0..60, 1);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let copied = slice::LSMTree::open_read_only(&copy).await.unwrap();
        assert!(copied.get(&key(59)).await.unwrap().is_some());
        assert_eq!(copied.put(b"k", b"v").await.unwrap_err().kind(), ErrorKind::ReadOnly);
        assert_eq!(copied.flush().await.unwrap_err().kind(), ErrorKind::ReadOnly);
    });
    assert!(bytes() == before, "not a byte is written");
}
