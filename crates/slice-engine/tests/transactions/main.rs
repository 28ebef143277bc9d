//! Transactions, on both faces: what they see, what they refuse, what they leave behind.
//!
//! That histories of many of them at once are what their isolation promises is for `histories.rs`, which has them
//! checked for cycles.

mod atomic;
mod bank;
mod basics;
mod cancelled;
#[expect(dead_code, reason = "other tests use the rest")]
#[path = "../regressions/gate.rs"]
mod gate;
mod histories;
mod keyspaces;
mod memory;
mod scans;

use std::sync::Arc;

use slice::blocking::LSMTree;
use slice::vfs::MemFs;
use slice::{Background, Builder};

/// A store in memory, without threads.
fn inline() -> Builder {
    threaded().background(Background::Inline)
}

/// A store in memory, with its threads, small so that they have something to do.
fn threaded() -> Builder {
    LSMTree::builder("/db").fs(Arc::new(MemFs::new())).memtable_size(4 << 10)
}

fn store() -> LSMTree {
    inline().open_blocking().expect("it opens")
}

/// The number that a value stands for; 0 for none.
fn number(value: Option<Vec<u8>>) -> u64 {
    value.map_or(0, |value| String::from_utf8(value).expect("a number").parse().expect("a number"))
}

fn bytes(number: u64) -> Vec<u8> {
    number.to_string().into_bytes()
}
