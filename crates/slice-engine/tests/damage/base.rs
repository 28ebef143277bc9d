//! A small store with every kind of file, and what its keys have held in the course of time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use slice::blocking::LSMTree;
use slice::vfs::{Fs, LogKind, MemFs, read_all};
use slice::{Background, Builder};

pub(crate) const DIR: &str = "/db";

const KEYS: u32 = 16;

pub(crate) type Contents = BTreeMap<Vec<u8>, Vec<u8>>;

/// A store of which one file at a time is damaged.
pub(crate) struct Base {
    pub(crate) fs: MemFs,
    /// What the store held after each commit, the last being what it holds.
    pub(crate) history: Vec<Contents>,
    /// How many commits are in tables; those behind are in the log only.
    pub(crate) flushed: usize,
}

impl Base {
    /// ```text
    ///   log       the last writes, some of them behind a sync mark
    ///   level 0   two tables with the same keys and the same layout
    ///   level 6   a table without tombstones
    ///   leftover  a file that a crash left half made
    /// ```
    pub(crate) fn new(kind: LogKind) -> Self {
        let fs = MemFs::with_log_kind(kind);
        let mut base = Self { fs, history: vec![Contents::new()], flushed: 0 };
        let lsm = builder(&base.fs).open_blocking().unwrap();
        base.put(&lsm, 0..KEYS, 1);
        base.delete(&lsm, 0);
        lsm.flush().unwrap();
        base.put(&lsm, 2..6, 2);
        base.delete(&lsm, 1);
        lsm.compact().unwrap();
        for generation in [3, 4] {
            base.put(&lsm, 3..9, generation);
            base.delete(&lsm, 9 + generation);
            lsm.flush().unwrap();
        }
        base.flushed = base.history.len() - 1;
        base.put(&lsm, 4..6, 5);
        lsm.sync().unwrap();
        base.put(&lsm, 5..8, 6);
        base.delete(&lsm, 3);
        base.add_leftover();
        // As a process leaves it that is killed: not closed.
        base.fs = base.fs.crash_image(1.0, 0);
        base
    }

    fn put(&mut self, lsm: &LSMTree, keys: std::ops::Range<u32>, generation: u32) {
        for n in keys {
            lsm.put(&key(n), &value(n, generation)).unwrap();
            let mut contents = self.contents().clone();
            contents.insert(key(n), value(n, generation));
            self.history.push(contents);
        }
    }

    fn delete(&mut self, lsm: &LSMTree, n: u32) {
        lsm.delete(&key(n)).unwrap();
        let mut contents = self.contents().clone();
        contents.remove(&key(n));
        self.history.push(contents);
    }

    fn add_leftover(&self) {
        let log = self.only(".log");
        let bytes = read_all(&self.fs, &log).unwrap();
        write(&self.fs, &Path::new(DIR).join("CURRENT.tmp"), &bytes);
    }

    /// What the store holds.
    pub(crate) fn contents(&self) -> &Contents {
        self.history.last().unwrap()
    }

    pub(crate) fn keys() -> impl Iterator<Item = Vec<u8>> {
        (0..=KEYS).map(key)
    }

    /// The files whose names end like this.
    pub(crate) fn files(&self, end: &str) -> Vec<PathBuf> {
        let names = self.fs.list_dir(Path::new(DIR)).unwrap();
        names.iter().filter(|name| name.ends_with(end)).map(|name| Path::new(DIR).join(name)).collect()
    }

    pub(crate) fn only(&self, end: &str) -> PathBuf {
        let files = self.files(end);
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }

    pub(crate) fn manifest(&self) -> PathBuf {
        let names = self.fs.list_dir(Path::new(DIR)).unwrap();
        let manifests: Vec<_> = names.iter().filter(|name| name.starts_with("MANIFEST-")).collect();
        assert_eq!(manifests.len(), 1, "{manifests:?}");
        Path::new(DIR).join(manifests[0])
    }

    pub(crate) fn bytes(&self, path: &Path) -> Vec<u8> {
        read_all(&self.fs, path).unwrap()
    }
}

pub(crate) fn key(n: u32) -> Vec<u8> {
    format!("key{n:03}").into_bytes()
}

fn value(n: u32, generation: u32) -> Vec<u8> {
    format!("value {n:03} of generation {generation}").into_bytes()
}

/// The store in [`DIR`], which does nothing on its own. Blocks are small, so that a table has several.
pub(crate) fn builder(fs: &MemFs) -> Builder {
    at(fs, DIR)
}

pub(crate) fn at(fs: &MemFs, dir: &str) -> Builder {
    LSMTree::builder(dir)
        .fs(Arc::new(fs.clone()))
        .background(Background::Inline)
        .block_size(128)
        .compression(slice::Compression::None)
        .l0_compaction_trigger(100)
        .l0_slowdown_trigger(1000)
}

/// Gives a file these bytes.
pub(crate) fn write(fs: &MemFs, path: &Path, bytes: &[u8]) {
    drop(fs.remove_file(path));
    fs.create_append(path).unwrap().append(bytes).unwrap();
}
