#![doc = include_str!("../README.md")]

pub mod block;
mod builder;
mod codec;
mod fence;
mod filter;
mod format;
mod index;
mod iter;
mod numbering;
mod output;
mod pace;
mod properties;
mod reader;
mod salvage;
mod separator;
mod store;
mod table;
mod verify;
mod window;

pub use block::{Block, SharedBlock};
pub use builder::{TABLE_DATA, TABLE_FILTER, TABLE_INDEX, TableBuilder, TableFiles, TableOptions};
pub use codec::Compression;
pub use iter::{IterOptions, TableIter};
pub use properties::TableProperties;
pub use reader::{CachePolicy, ReadMode};
pub use salvage::{BlockPlace, find_blocks};
pub use store::{BlockShelf, BlockStore, NeverKept, NoBlockStore};
pub use table::{Table, TableSources};

#[cfg(test)]
mod tests;
