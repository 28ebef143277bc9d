#![doc = include_str!("../README.md")]

mod arena;
mod memtable;
pub mod skiplist;

pub use memtable::MemTable;
pub use skiplist::SkipListMemTable;
