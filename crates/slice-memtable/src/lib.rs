#![doc = include_str!("../README.md")]

mod arena;
mod memtable;
mod ranges;
pub mod skiplist;

pub use memtable::MemTable;
pub use skiplist::SkipListMemTable;
