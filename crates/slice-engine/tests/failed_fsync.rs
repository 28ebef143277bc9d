//! After a failed fsync of the log nothing is written any more, but what is in memory can still be saved: as tables.

use std::path::Path;
use std::sync::Arc;

use slice::blocking::LSMTree;
use slice::vfs::{Fault, FaultFs, Fs, MemFs};
use slice::{Background, Durability, ErrorKind, Health};

fn open(fs: Arc<dyn Fs>) -> LSMTree {
    let builder = LSMTree::builder("/db").fs(fs).background(Background::Inline);
    builder.durability(Durability::Fsync).open_blocking().unwrap()
}

#[test]
fn a_flush_after_a_failed_fsync_saves_what_is_in_memory() {
    let disk = MemFs::new();
    let faults = FaultFs::new(Arc::new(disk.clone()));
    let lsm = open(Arc::new(faults.clone()));
    lsm.put(b"before", b"1").unwrap();
    // The append, then the fsync.
    faults.fail_at(faults.operations() + 1, Fault::Eio);
    let error = lsm.put(b"during", b"2").unwrap_err();
    assert_eq!((error.kind(), error.file()), (ErrorKind::Io, Some(Path::new("/db/wal_000000.log"))));
    assert!(matches!(lsm.health(), Health::ReadOnly(_)), "{:?}", lsm.health());
    assert_eq!(lsm.put(b"after", b"3").unwrap_err().kind(), ErrorKind::ReadOnly);

    lsm.flush().unwrap();
    let reopened = open(Arc::new(disk.crash_image(0.0, 1)));
    assert_eq!(reopened.get(b"before").unwrap(), Some(b"1".to_vec()));
    assert_eq!(reopened.get(b"during").unwrap(), Some(b"2".to_vec()));
    assert_eq!(reopened.get(b"after").unwrap(), None);
}

#[test]
fn an_interrupted_fsync_is_no_failed_one() {
    let disk = MemFs::new();
    let faults = FaultFs::new(Arc::new(disk.clone()));
    let lsm = open(Arc::new(faults.clone()));
    faults.fail_at(faults.operations() + 1, Fault::Interrupted);
    lsm.put(b"a", b"1").unwrap();
    assert!(matches!(lsm.health(), Health::Healthy), "{:?}", lsm.health());
    let reopened = open(Arc::new(disk.crash_image(0.0, 1)));
    assert_eq!(reopened.get(b"a").unwrap(), Some(b"1".to_vec()));
}
