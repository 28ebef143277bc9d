#![doc = include_str!("../README.md")]

mod block;
mod charge;
mod row;
mod shard;
mod stats;

pub use block::BlockCache;
pub use charge::Charge;
pub use row::RowCache;
pub use stats::CacheStats;
