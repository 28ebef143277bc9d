//! Small stores in memory, and what is in their directories.

use std::path::Path;
use std::sync::Arc;

use slice::blocking::LSMTree;
use slice::vfs::{Fs, MemFs};
use slice::{Background, Builder};

pub(crate) const DIR: &str = "/db";

/// A store without threads, of small memtables.
pub(crate) fn at(fs: &MemFs) -> Builder {
    LSMTree::builder(DIR)
        .fs(Arc::new(fs.clone()))
        .background(Background::Inline)
        .memtable_size(64 << 10)
        .create_if_missing(true)
}

pub(crate) fn open(fs: &MemFs) -> LSMTree {
    at(fs).open_blocking().unwrap()
}

pub(crate) fn get(lsm: &LSMTree, key: &str) -> Option<String> {
    lsm.get(key.as_bytes()).unwrap().map(|value| String::from_utf8(value).unwrap())
}

pub(crate) fn put(lsm: &LSMTree, key: &str, value: &str) {
    lsm.put(key.as_bytes(), value.as_bytes()).unwrap();
}

/// How many files of the directory have this in their names.
pub(crate) fn files(fs: &MemFs, part: &str) -> usize {
    fs.list_dir(Path::new(DIR)).unwrap().iter().filter(|name| name.contains(part)).count()
}

pub(crate) fn tables(lsm: &LSMTree) -> usize {
    lsm.stats().level_stats.iter().map(|(_, tables, _)| tables).sum()
}
