//! Small stores in memory, and what the tests do to them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use slice::blocking::LSMTree;
use slice::vfs::{Fs, MemFs, read_all};
use slice::{Background, Builder};

pub(crate) const DIR: &str = "/db";

/// A store on `fs` that does nothing on its own, and compacts only when it is told to.
pub(crate) fn quiet(fs: &(impl Fs + Clone)) -> Builder {
    LSMTree::builder(DIR)
        .fs(Arc::new(fs.clone()))
        .background(Background::Inline)
        .l0_compaction_trigger(100)
        .l0_slowdown_trigger(1000)
}

/// A store on `fs` with threads and as much going on as little data allows.
pub(crate) fn busy(fs: &(impl Fs + Clone)) -> Builder {
    LSMTree::builder(DIR)
        .fs(Arc::new(fs.clone()))
        .memtable_size(1 << 10)
        .l0_compaction_trigger(2)
        .l0_slowdown_trigger(1000)
}

pub(crate) fn key(n: u32) -> Vec<u8> {
    format!("key{n:05}").into_bytes()
}

pub(crate) fn value(n: u32, generation: u32) -> Vec<u8> {
    format!("value {n} of generation {generation}").into_bytes()
}

/// Writes `keys` with the values of a generation.
pub(crate) fn put_all(lsm: &LSMTree, keys: impl IntoIterator<Item = u32>, generation: u32) {
    for n in keys {
        lsm.put(&key(n), &value(n, generation)).unwrap();
    }
}

pub(crate) fn delete_all(lsm: &LSMTree, keys: impl IntoIterator<Item = u32>) {
    for n in keys {
        lsm.delete(&key(n)).unwrap();
    }
}

/// Asserts that each of `keys` has the value of a generation, or none.
#[track_caller]
pub(crate) fn assert_all(lsm: &LSMTree, keys: impl IntoIterator<Item = u32>, generation: Option<u32>) {
    for n in keys {
        let expected = generation.map(|generation| value(n, generation));
        let found = lsm.get(&key(n)).unwrap();
        assert!(found == expected, "key {n}: found {found:?}, expected {expected:?}");
    }
}

/// The files of the store whose names end like this, in order.
pub(crate) fn files(fs: &dyn Fs, end: &str) -> Vec<PathBuf> {
    let names = fs.list_dir(Path::new(DIR)).unwrap();
    names.iter().filter(|name| name.ends_with(end)).map(|name| Path::new(DIR).join(name)).collect()
}

pub(crate) fn content(fs: &dyn Fs, path: &Path) -> Vec<u8> {
    read_all(fs, path).unwrap()
}

/// A copy of a file system in which one file has other bytes.
pub(crate) fn with_file(fs: &MemFs, path: &Path, bytes: &[u8]) -> MemFs {
    let copy = fs.crash_image(1.0, 0);
    replace_file(&copy, path, bytes);
    copy
}

pub(crate) fn replace_file(fs: &MemFs, path: &Path, bytes: &[u8]) {
    fs.remove_file(path).unwrap();
    fs.create_append(path).unwrap().append(bytes).unwrap();
}
