//! Databases of every format version stay readable, and one of a version to come is refused, not misread.
//!
//! `golden/v1` was written by the first version of the format. It has a file of each kind: a manifest, tables in two
//! levels with LZ4 blocks, and a log of writes that are in no table yet.
//!
//! After a change of the format add a directory beside it, written by
//!
//! ```sh
//! SLICE_GOLDEN_DIR=$PWD/crates/slice-engine/tests/golden/v2 cargo test -p slice-engine --test golden written_today
//! ```
//!
//! and never change one that is there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use slice::blocking::LSMTree;
use slice::vfs::{Fs, LogKind, MemFs, StdFs, SyncSite, read_all};
use slice::{Background, Builder, Compression, ErrorKind, WriteBatch};
use slice_types::checksum;

const DIR: &str = "/db";
const KEYS: u32 = 120;
/// Every kind of file that a database has.
const KINDS: [&str; 6] = ["CURRENT", "MANIFEST", "bloom", "db", "idx", "log"];

type Files = BTreeMap<String, Vec<u8>>;

fn golden() -> Files {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1");
    files_of(&StdFs::new(), &dir)
}

/// The files of a database, but for its lock, which says nothing about data.
fn files_of(fs: &dyn Fs, dir: &Path) -> Files {
    let names = fs.list_dir(dir).unwrap().into_iter().filter(|name| name != "LOCK");
    names.map(|name| (name.clone(), read_all(fs, &dir.join(name)).unwrap())).collect()
}

fn write_to(fs: &dyn Fs, dir: &Path, files: &Files) {
    const TEST: SyncSite = SyncSite::new("test.golden");
    fs.create_dir_all(dir).unwrap();
    for (name, bytes) in files {
        let mut file = fs.create_append(&dir.join(name)).unwrap();
        file.append(bytes).unwrap();
        file.sync(TEST).unwrap();
    }
    fs.sync_dir(dir, TEST).unwrap();
}

/// A file system with these files as a database.
fn disk(files: &Files) -> MemFs {
    let fs = MemFs::new();
    write_to(&fs, Path::new(DIR), files);
    fs
}

fn store(fs: &MemFs) -> Builder {
    LSMTree::builder(DIR)
        .fs(Arc::new(fs.clone()))
        .background(Background::Inline)
        .compression(Compression::Lz4)
        .block_size(256)
        .target_table_bytes(2 << 10)
        .l0_compaction_trigger(100)
        .l0_slowdown_trigger(100)
}

fn key(n: u32) -> Vec<u8> {
    if n == 0 { Vec::new() } else { format!("key {n:03}").into_bytes() }
}

fn value(n: u32, age: &str) -> Vec<u8> {
    format!("the {age} value of {n:03}, ").repeat(3).into_bytes()
}

/// What the database holds under a key.
fn expected(n: u32) -> Option<Vec<u8>> {
    match n {
        _ if n % 10 == 7 => None,
        _ if n % 10 == 3 => Some(value(n, "logged")),
        50..60 => None,
        0..50 if n.is_multiple_of(2) => Some(value(n, "newer")),
        _ => Some(value(n, "oldest")),
    }
}

/// Writes the database: the oldest values in the last level, newer ones in level 0, the newest in the log.
fn write_golden(fs: &MemFs) {
    let lsm = store(fs).open_blocking().unwrap();
    for n in 0..KEYS {
        lsm.put(&key(n), &value(n, "oldest")).unwrap();
    }
    lsm.compact().unwrap();
    for n in (0..50).step_by(2) {
        lsm.put(&key(n), &value(n, "newer")).unwrap();
    }
    for n in 50..60 {
        lsm.delete(&key(n)).unwrap();
    }
    lsm.flush().unwrap();
    let mut batch = WriteBatch::new();
    for n in (3..KEYS).step_by(10) {
        batch.put(&key(n), &value(n, "logged")).unwrap();
        batch.delete(&key(n + 4)).unwrap();
    }
    lsm.write(batch).unwrap();
    lsm.close().unwrap();
}

fn assert_reads_right(fs: &MemFs) {
    let lsm = store(fs).open_blocking().unwrap();
    assert!(lsm.stats().level_stats.len() >= 2, "{:?}", lsm.stats().level_stats);
    let check = || {
        for n in 0..KEYS {
            assert!(lsm.get(&key(n)).unwrap() == expected(n), "key {n}");
        }
    };
    check();
    lsm.compact().unwrap();
    check();
    lsm.put(b"key 007", b"written today").unwrap();
    assert_eq!(lsm.get(b"key 007").unwrap().as_deref(), Some(&b"written today"[..]));
}

/// The name of a kind of file, by the name of one.
fn kind(name: &str) -> &str {
    match name.split_once('_') {
        Some(("wal", _)) => "log",
        Some((_, table)) => table.rsplit_once('.').map_or(table, |(_, extension)| extension),
        None => name.split('-').next().unwrap_or(name),
    }
}

fn kinds(files: &Files) -> Vec<&str> {
    let mut kinds: Vec<_> = files.keys().map(|name| kind(name)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

#[test]
fn a_database_of_version_1_is_read() {
    let files = golden();
    assert_eq!(kinds(&files), KINDS);
    assert_reads_right(&disk(&files));
}

#[test]
fn a_database_written_today_is_read_and_has_all_kinds_of_files() {
    let fs = MemFs::with_log_kind(LogKind::Plain);
    write_golden(&fs);
    let files = files_of(&fs, Path::new(DIR));
    assert_eq!(kinds(&files), KINDS);
    if let Some(dir) = std::env::var_os("SLICE_GOLDEN_DIR") {
        write_to(&StdFs::new(), &PathBuf::from(dir), &files);
    }
    assert_reads_right(&fs);
}

/// Gives a file's header another version. A log's header has a checksum, whose place no version changes.
fn set_version(name: &str, bytes: &mut [u8], version: u32) {
    bytes[8..12].copy_from_slice(&version.to_le_bytes());
    if kind(name) == "log" {
        let sum = checksum(&bytes[..24]);
        bytes[24..32].copy_from_slice(&sum.to_le_bytes());
    }
}

#[test]
fn a_file_of_a_newer_version_is_refused_by_name_and_nothing_is_changed() {
    let golden = golden();
    assert_eq!(kinds(&golden), KINDS);
    // It has no version of its own: it is a name.
    for name in golden.keys().filter(|name| *name != "CURRENT") {
        let mut files = golden.clone();
        set_version(name, files.get_mut(name).unwrap(), 2);
        let fs = disk(&files);
        let error = store(&fs).open_blocking().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{name}: {error}");
        assert_eq!(error.file(), Some(Path::new(DIR).join(name).as_path()), "{error}");
        assert!(files_of(&fs, Path::new(DIR)) == files, "{name}: the refused open has changed something");
    }
}
