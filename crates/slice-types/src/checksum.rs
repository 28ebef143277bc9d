//! The one hash of the store: xxh3-64, for checksums and for filters.
//!
//! Stable by its specification (<https://github.com/Cyan4973/xxHash>), unlike the standard library's hashers, so what
//! one build writes another reads.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// The checksum of some bytes.
#[inline]
pub fn checksum(bytes: &[u8]) -> u64 {
    xxh3_64(bytes)
}

/// The checksum of some bytes, chained to that of others.
#[inline]
pub fn checksum_with(seed: u64, bytes: &[u8]) -> u64 {
    xxh3_64_with_seed(bytes, seed)
}

/// The hash of a user key: computed once a lookup, shared by every filter.
#[inline]
pub fn hash_key(key: &[u8]) -> u64 {
    xxh3_64(key)
}
