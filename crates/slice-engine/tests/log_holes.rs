//! A synced log that lost its end, or is gone, is damage, and never the quiet end of the history.
//!
//! The later log has sync marks that name itself alone: they prove that all logs before it were durable.

use std::path::Path;
use std::sync::Arc;

use slice::blocking::LSMTree;
use slice::vfs::{Fs, MemFs, read_all};
use slice::{Background, Durability, ErrorKind, RecoveryMode};

const FIRST_LOG: &str = "/db/wal_000000.log";
const SECOND_LOG: &str = "/db/wal_000001.log";
const FILE_HEADER_LEN: usize = 32;
const RECORD_HEADER_LEN: usize = 32;

fn open(fs: &MemFs, mode: RecoveryMode) -> slice::Result<LSMTree> {
    LSMTree::builder("/db")
        .fs(Arc::new(fs.clone()))
        .background(Background::Inline)
        .durability(Durability::Fsync)
        .memtable_size(1 << 20)
        .recovery_mode(mode)
        .open_blocking()
}

/// A store with synced writes in two logs and none in tables, as a power failure leaves it; and its last key.
fn two_logs() -> (MemFs, String) {
    let fs = MemFs::new();
    let lsm = open(&fs, RecoveryMode::default()).unwrap();
    let mut written = 0..1000;
    let mut put_one = || {
        let key = format!("key {:04}", written.next().expect("two memtables are soon full"));
        lsm.put(key.as_bytes(), &[b'v'; 4096]).unwrap();
        key
    };
    while fs.metadata(Path::new(SECOND_LOG)).is_err() {
        put_one();
    }
    put_one();
    let last = put_one();
    (fs.crash_image(0.0, 7), last)
}

/// Replaces a log by what it is without its last record: it ends cleanly.
fn cut_last_record(fs: &MemFs, path: &Path) {
    let bytes = read_all(fs, path).unwrap();
    let mut starts = vec![FILE_HEADER_LEN];
    loop {
        let at = *starts.last().unwrap();
        let len = bytes.get(at + 8..at + 12).map_or(0, |len| u32::from_le_bytes(len.try_into().unwrap()));
        if len == 0 {
            break;
        }
        starts.push(at + RECORD_HEADER_LEN + len as usize);
    }
    fs.remove_file(path).unwrap();
    fs.create_append(path).unwrap().append(&bytes[..starts[starts.len() - 2]]).unwrap();
}

#[test]
fn two_synced_logs_come_back() {
    let (fs, last) = two_logs();
    let lsm = open(&fs, RecoveryMode::default()).unwrap();
    assert!(lsm.get(last.as_bytes()).unwrap().is_some());
}

#[test]
fn a_synced_log_that_lost_its_end_is_damage() {
    let (fs, last) = two_logs();
    cut_last_record(&fs, Path::new(FIRST_LOG));
    assert_eq!(open(&fs, RecoveryMode::default()).unwrap_err().kind(), ErrorKind::Corruption);
    let salvaged = open(&fs, RecoveryMode::Salvage).unwrap();
    assert!(salvaged.get(last.as_bytes()).unwrap().is_some());
}

#[test]
fn a_synced_log_that_is_gone_is_damage() {
    let (fs, last) = two_logs();
    fs.remove_file(Path::new(FIRST_LOG)).unwrap();
    assert_eq!(open(&fs, RecoveryMode::default()).unwrap_err().kind(), ErrorKind::Corruption);
    let salvaged = open(&fs, RecoveryMode::Salvage).unwrap();
    assert!(salvaged.get(last.as_bytes()).unwrap().is_some());
}
