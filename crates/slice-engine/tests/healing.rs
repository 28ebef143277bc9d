//! What failed once does not fail for ever: the store goes on by itself, or says at once why it does not.

use std::path::Path;
use std::sync::Arc;

use slice::blocking::LSMTree;
use slice::vfs::{Fault, FaultFs, Fs, MemFs, Span};
use slice::{Background, ErrorKind, Health};

fn open(fs: &Arc<dyn Fs>) -> slice::Result<LSMTree> {
    LSMTree::builder("/db").fs(Arc::clone(fs)).background(Background::Inline).open_blocking()
}

fn faulty() -> (MemFs, FaultFs, Arc<dyn Fs>) {
    let disk = MemFs::new();
    let faults = FaultFs::new(Arc::new(disk.clone()));
    let shared: Arc<dyn Fs> = Arc::new(faults.clone());
    (disk, faults, shared)
}

fn table_files(disk: &MemFs) -> usize {
    disk.list_dir(Path::new("/db")).unwrap().iter().filter(|name| name.starts_with("sstable_")).count()
}

/// A freeze that could neither trim the old log nor begin the next one leaves a log that takes no more.
#[test]
fn writes_go_on_by_themselves_after_a_full_disk_made_a_freeze_fail() {
    let (_, faults, fs) = faulty();
    let lsm = open(&fs).unwrap();
    lsm.put(b"a", b"1").unwrap();
    faults.fail_at_for(faults.operations(), Fault::Enospc, Span::Forever);
    lsm.put(b"b", b"2").unwrap_err();
    lsm.flush().unwrap_err();
    faults.clear();
    lsm.put(b"c", b"3").unwrap();
    assert!(matches!(lsm.health(), Health::Healthy));
    drop(lsm);
    let lsm = open(&fs).unwrap();
    assert_eq!(lsm.get(b"a").unwrap(), Some(b"1".to_vec()));
    assert_eq!(lsm.get(b"c").unwrap(), Some(b"3".to_vec()));
}

/// Each attempt would leave a whole table behind, on a disk that is full already.
#[test]
fn tables_do_not_pile_up_while_the_manifest_cannot_be_written() {
    let (disk, faults, fs) = faulty();
    let lsm = open(&fs).unwrap();
    lsm.put(b"a", b"1").unwrap();
    for attempt in 0..200 {
        // Each attempt gets one operation further than the one before.
        faults.fail_at_for(faults.operations() + attempt % 40, Fault::Eio, Span::Forever);
        let flushed = lsm.flush();
        faults.clear();
        // The table in force, and what the last attempts could not remove.
        assert!(table_files(&disk) <= 9, "{} files after attempt {attempt}", table_files(&disk));
        if flushed.is_ok() {
            lsm.put(b"a", format!("{attempt}").as_bytes()).unwrap();
            lsm.compact().unwrap();
        }
    }
    lsm.flush().unwrap();
    lsm.compact().unwrap();
    assert_eq!(table_files(&disk), 3);
}

#[test]
fn a_log_out_of_all_proportion_is_refused_and_the_real_ones_stay() {
    for number in [u32::MAX, 999_999_999] {
        let disk = MemFs::new();
        let fs: Arc<dyn Fs> = Arc::new(disk.clone());
        let lsm = open(&fs).unwrap();
        lsm.put(b"a", b"1").unwrap();
        lsm.close().unwrap();
        drop(lsm);
        let stray = format!("/db/wal_{number}.log");
        drop(disk.create_log(Path::new(&stray)).unwrap());
        let error = open(&fs).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corruption);
        assert!(error.to_string().contains(&number.to_string()), "{error}");
        disk.remove_file(Path::new(&stray)).unwrap();
        assert_eq!(open(&fs).unwrap().get(b"a").unwrap(), Some(b"1".to_vec()));
    }
}

#[test]
fn of_many_who_close_at_once_one_does_and_the_directory_is_free_when_it_has() {
    for _ in 0..50 {
        let fs: Arc<dyn Fs> = Arc::new(MemFs::new());
        let lsm = LSMTree::builder("/db").fs(Arc::clone(&fs)).open_blocking().unwrap();
        lsm.put(b"a", b"1").unwrap();
        let closed = std::thread::scope(|scope| {
            let closers: Vec<_> = (0..4).map(|_| scope.spawn(|| lsm.close())).collect();
            closers.into_iter().map(|closer| closer.join().unwrap()).collect::<Vec<_>>()
        });
        assert_eq!(closed.iter().filter(|result| result.is_ok()).count(), 1, "{closed:?}");
        assert_eq!(open(&fs).unwrap().get(b"a").unwrap(), Some(b"1".to_vec()));
    }
}
