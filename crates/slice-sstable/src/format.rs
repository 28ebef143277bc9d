//! The bytes of a table's three files. The same is in `docs/formats/sstable.md`; golden files pin it.
//!
//! ```text
//!   .db     | header, 16 | stored block | stored block | ...                  no gaps, nothing behind the last
//!
//!   stored block
//!           | payload | codec u8 | xxh3-64 of payload and codec, u64 |
//!   payload by codec
//!           0 none    | the block |
//!           1 lz4     | raw length u32 | LZ4 block |
//!           2 zstd    | raw length u32 | Zstandard frame |
//!
//!   .idx    | header, 16 | properties length u32 | properties | fence a block ... | xxh3-64 of all before, u64 |
//!   property
//!           | tag varint | length varint | content |                          tags ascend; unknown ones are skipped
//!   fence
//!           | separator length varint | separator | stored length << 1 | spans, varint | trailer u64, if spans |
//!
//!   .bloom  | header, 16 | the filter's own bytes, or nothing |
//! ```
//!
//! Little-endian. A header is [`FileFormat`]'s. Block `i` begins where block `i - 1` ends, the first behind the
//! header. What a block holds is in the [`block`](crate::block) module.
//!
//! A *separator* is a user key: at or above every key of its block, below every key of the next one. Where the
//! versions of one key *span* two blocks there is no such key; the separator is then that key, and the trailer of the
//! block's last entry stands behind it.

use slice_types::FileFormat;

/// The data blocks.
pub(crate) const DATA: FileFormat = FileFormat { magic: *b"SLICEDAT", version: 1, name: "table's data file" };
/// The properties and fences.
pub(crate) const INDEX: FileFormat =
    FileFormat { magic: *b"SLICEIDX", version: 1, name: "table's index file" };
/// The filter.
pub(crate) const FILTER: FileFormat =
    FileFormat { magic: *b"SLICEBLM", version: 1, name: "table's filter file" };

/// What stands behind a block's payload: the codec and the checksum.
pub(crate) const BLOCK_TRAILER_LEN: usize = 1 + CHECKSUM_LEN;
/// A checksum, in bytes.
pub(crate) const CHECKSUM_LEN: usize = 8;

/// The longest raw block: one entry of the longest key and value, and room for its columns.
pub(crate) const MAX_RAW_BLOCK_LEN: usize = slice_types::MAX_VALUE_LEN + (1 << 20);
/// The largest block size that may be asked for, in bytes.
pub(crate) const MAX_BLOCK_SIZE: usize = 64 << 20;

/// The tags of the properties. A tag is never given another meaning.
pub(crate) mod tag {
    pub(crate) const ENTRIES: u64 = 1;
    pub(crate) const TOMBSTONES: u64 = 2;
    pub(crate) const RANGE_DELETES: u64 = 3;
    pub(crate) const MERGES: u64 = 4;
    pub(crate) const SMALLEST_KEY: u64 = 5;
    pub(crate) const LARGEST_KEY: u64 = 6;
    pub(crate) const MIN_SEQNO: u64 = 7;
    pub(crate) const MAX_SEQNO: u64 = 8;
    pub(crate) const RAW_BYTES: u64 = 9;
    pub(crate) const DATA_BYTES: u64 = 10;
    pub(crate) const BLOCKS: u64 = 11;
    pub(crate) const CODEC: u64 = 12;
    pub(crate) const FILTER_KIND: u64 = 13;
    pub(crate) const FILTER_BYTES: u64 = 14;
    pub(crate) const FILTER_CHECKSUM: u64 = 15;
    pub(crate) const SALT: u64 = 16;
    pub(crate) const FIRST_EXPIRY: u64 = 17;
}
