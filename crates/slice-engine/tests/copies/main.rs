//! Copies of an open store, and stores that are opened to be read only.

mod checkpoints;
mod crashes;
mod read_only;

use std::path::Path;
use std::sync::Arc;

use slice::blocking::LSMTree;
use slice::vfs::Fs;
use slice::{Background, Builder};

/// A store in `/db` without threads, so small that a few writes make tables.
fn store(fs: &(impl Fs + Clone)) -> LSMTree {
    at("/db", fs).open_blocking().unwrap()
}

fn at(path: impl AsRef<Path>, fs: &(impl Fs + Clone)) -> Builder {
    let builder = LSMTree::builder(path).fs(Arc::new(fs.clone())).background(Background::Inline);
    builder.memtable_size(16 << 10).block_size(256).target_table_bytes(2 << 10).level_base_bytes(4 << 10)
}

fn key(n: u32) -> Vec<u8> {
    format!("key{n:05}").into_bytes()
}

fn value(n: u32, round: u32) -> Vec<u8> {
    format!("value {n} of round {round}, and then some").into_bytes()
}

fn fill(lsm: &LSMTree, keys: std::ops::Range<u32>, round: u32) {
    for n in keys {
        lsm.put(&key(n), &value(n, round)).unwrap();
    }
}

/// Asserts that these keys have the values of that round.
#[track_caller]
fn holds(lsm: &LSMTree, keys: std::ops::Range<u32>, round: u32) {
    for n in keys {
        assert_eq!(lsm.get(&key(n)).unwrap(), Some(value(n, round)), "key {n}");
    }
}
