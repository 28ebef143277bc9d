//! Small stores in memory.

use std::sync::Arc;

use slice::blocking::LSMTree;
use slice::vfs::MemFs;
use slice::{Background, Builder};

/// A store on `fs` that does nothing on its own, and compacts only when it is told to.
pub(crate) fn quiet(fs: &MemFs) -> Builder {
    LSMTree::builder("/db")
        .fs(Arc::new(fs.clone()))
        .background(Background::Inline)
        .l0_compaction_trigger(100)
        .l0_slowdown_trigger(1000)
}

/// Keys that sort as their numbers do.
pub(crate) fn key(n: u32) -> Vec<u8> {
    format!("key {n:06}").into_bytes()
}

/// Puts the keys of these numbers, each with its number as the value.
pub(crate) fn fill(lsm: &LSMTree, keys: impl IntoIterator<Item = u32>) {
    for n in keys {
        lsm.put(&key(n), &n.to_le_bytes()).unwrap();
    }
}

/// The numbers below `end` whose keys are there.
pub(crate) fn present(lsm: &LSMTree, end: u32) -> Vec<u32> {
    (0..end).filter(|n| lsm.get(&key(*n)).unwrap().is_some()).collect()
}
