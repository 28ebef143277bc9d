//! Loading in bulk: what readers see of it, what it replaces, and what a crash leaves.

mod cancelled;
mod crashes;
mod misuse;
mod readers;
mod repair;

use std::sync::Arc;

use slice::blocking::LSMTree;
use slice::vfs::Fs;
use slice::{Background, Builder};

/// A store in `/db` without threads, so small that some hundred pairs make many tables.
fn small(fs: &(impl Fs + Clone)) -> Builder {
    let builder = LSMTree::builder("/db").fs(Arc::new(fs.clone())).background(Background::Inline);
    builder.memtable_size(32 << 10).block_size(256).target_table_bytes(2 << 10).level_base_bytes(8 << 10)
}

fn open(fs: &(impl Fs + Clone)) -> LSMTree {
    small(fs).open_blocking().unwrap()
}

fn key(n: u32) -> Vec<u8> {
    format!("key{n:05}").into_bytes()
}

fn value(n: u32, round: u32) -> Vec<u8> {
    format!("value {n} of round {round}").into_bytes()
}

type Pair = (Vec<u8>, Vec<u8>);

fn pairs(keys: impl IntoIterator<Item = u32>, round: u32) -> impl Iterator<Item = Pair> {
    keys.into_iter().map(move |n| (key(n), value(n, round)))
}

fn put(lsm: &LSMTree, keys: impl IntoIterator<Item = u32>, round: u32) {
    for (key, value) in pairs(keys, round) {
        lsm.put(&key, &value).unwrap();
    }
}

/// Of which round each key is; 0 for none.
fn rounds(keys: std::ops::Range<u32>, get: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Vec<u32> {
    let round = |n| {
        let Some(found) = get(&key(n)) else { return 0 };
        (1..10).find(|round| found == value(n, *round)).expect("a value that was written")
    };
    keys.map(round).collect()
}

fn rounds_in(lsm: &LSMTree, keys: std::ops::Range<u32>) -> Vec<u32> {
    rounds(keys, |key| lsm.get(key).unwrap())
}
