#![doc = include_str!("../README.md")]

mod block;
mod charge;
#[cfg(all(test, slice_loom))]
mod models;
mod primitives;
mod row;
mod shard;
mod stats;
mod tally;

pub use block::{BlockCache, Kept, Shelf};
pub use charge::Charge;
pub use row::RowCache;
pub use stats::CacheStats;
