//! A flush or a compaction that loses entries is refused: what it was to replace stays, and all is still there.
//!
//! The loss is planted: tables get the first of their entries only. Counting notices it before such a table is named
//! by the manifest.

use std::path::Path;
use std::sync::Arc;

use slice::blocking::LSMTree;
use slice::planted::Bug;
use slice::vfs::{Fs, MemFs};
use slice::{Background, Builder, ErrorKind, Health};

const DIR: &str = "/db";
const KEYS: [&[u8]; 3] = [b"a", b"b", b"c"];

fn store(fs: &MemFs) -> Builder {
    LSMTree::builder(DIR)
        .fs(Arc::new(fs.clone()))
        .background(Background::Inline)
        .l0_compaction_trigger(100)
        .l0_slowdown_trigger(100)
}

fn put_all(lsm: &LSMTree, value: &[u8]) {
    for key in KEYS {
        lsm.put(key, value).unwrap();
    }
}

#[track_caller]
fn assert_all(lsm: &LSMTree, value: &[u8]) {
    for key in KEYS {
        assert_eq!(lsm.get(key).unwrap().as_deref(), Some(value));
    }
}

fn tables(fs: &MemFs) -> usize {
    fs.list_dir(Path::new(DIR)).unwrap().iter().filter(|name| name.starts_with("sstable_")).count() / 3
}

#[test]
fn a_flush_that_loses_entries_leaves_the_memtable_and_its_log() {
    let fs = MemFs::new();
    let lsm = store(&fs).plant(Bug::LoseEntries).open_blocking().unwrap();
    put_all(&lsm, b"1");
    let error = lsm.flush().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
    assert!(matches!(lsm.health(), Health::Degraded(_)));
    assert_eq!(tables(&fs), 0, "what was written of it is gone");
    assert_all(&lsm, b"1");
    drop(lsm);
    assert_all(&store(&fs).open_blocking().unwrap(), b"1");
}

#[test]
fn a_compaction_that_loses_entries_leaves_its_inputs() {
    let fs = MemFs::new();
    let lsm = store(&fs).open_blocking().unwrap();
    for value in [b"1", b"2"] {
        put_all(&lsm, value);
        lsm.flush().unwrap();
    }
    drop(lsm);
    let lsm = store(&fs).plant(Bug::LoseEntries).open_blocking().unwrap();
    let error = lsm.compact().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
    assert_eq!(tables(&fs), 2, "the inputs are there, and nothing else");
    assert_all(&lsm, b"2");
    drop(lsm);
    let lsm = store(&fs).open_blocking().unwrap();
    lsm.compact().unwrap();
    assert_all(&lsm, b"2");
}
