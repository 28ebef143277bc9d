#![doc = include_str!("../README.md")]

mod checksum;
pub mod coding;
mod entry;
mod error;
mod expiry;
mod header;
mod ids;
mod iter;
mod key_range;
mod limits;
mod range_index;
mod seqno;

pub use checksum::{checksum, checksum_with, hash_key};
pub use entry::{EntryKind, EntryRef, Trailer, internal_cmp, key_prefix};
pub use error::{Error, ErrorKind, Result};
pub use expiry::{EXPIRY_LEN, EXPIRY_NEVER, join_expiry, split_expiry};
pub use header::{FileFormat, HEADER_LEN};
pub use ids::{KeyspaceId, Level, LogNumber, TableId};
pub use iter::EntryIterator;
pub use key_range::KeyRange;
pub use limits::{MAX_KEY_LEN, MAX_VALUE_LEN, check_key, check_value};
pub use range_index::{Bookmark, RangeIndex, RangeTombstone};
pub use seqno::SeqNo;

#[cfg(test)]
mod tests;
