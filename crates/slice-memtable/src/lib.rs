#![doc = include_str!("../README.md")]

mod any;
mod arena;
pub mod btree;
mod memtable;
mod primitives;
mod ranges;
pub mod skiplist;

pub use any::{AnyIter, AnyLoader, AnyMemTable, MemTableKind};
pub use btree::{BTreeLoader, BTreeMemTable, mapped_bytes};
pub use memtable::MemTable;
pub use skiplist::SkipListMemTable;
