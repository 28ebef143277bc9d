//! Where a key's bits are: one line of 64 bytes, and a few bits in it.
//!
//! ```text
//!   hash ── high bits, × lines / 2^64 ──> which line
//!     │
//!     × REMIX ── high 9 bits ──> first bit of the line's 512
//!     × REMIX ── high 9 bits ──> second bit
//!     ...
//! ```
//!
//! The line comes from the hash by multiply-shift (Lemire, "Fast Random Integer Generation in an Interval", 2019), the
//! bits from remixing it with an odd constant, as RocksDB's `FastLocalBloom` does with 32 bits. All keys of a line share
//! the high bits of their hash; a product's high bits depend on all bits of the hash, so their probes differ still.
//!
//! Invariant: these functions are part of the format. A change here makes filters on disk lie, and so needs a new
//! version.

use xxhash_rust::xxh3::xxh3_64;

/// The bytes of a line: those of a cache line.
pub(crate) const LINE_LEN: usize = 64;

/// The bits of a line.
pub(crate) const LINE_BITS: usize = LINE_LEN * 8;

/// The most probes that the format allows. [`theory`](crate::theory) never asks for more than 18.
pub(crate) const MAX_PROBES: u32 = 24;

/// 2^64 divided by the golden ratio, which is odd: multiplying by it loses no bit of the hash.
const REMIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// A bit's number has the 9 high bits of the product.
const BIT_SHIFT: u32 = u64::BITS - LINE_BITS.ilog2();

/// The hash of a key: xxh3-64 with seed 0.
///
/// For those who ask several filters about one key, with
/// [`may_contain_hash`](crate::BloomFilter::may_contain_hash).
#[inline]
pub fn hash_key(key: &[u8]) -> u64 {
    xxh3_64(key)
}

/// The line of a hash, among `lines`. It is below `lines`, unless that is 0.
#[inline]
pub(crate) fn line_of(hash: u64, lines: usize) -> usize {
    ((u128::from(hash) * lines as u128) >> u64::BITS) as usize
}

/// Sets the bits of a hash.
#[inline]
pub(crate) fn set(line: &mut [u8; LINE_LEN], hash: u64, probes: u32) {
    for (byte, bit) in bits_of(hash, probes) {
        line[byte] |= 1 << bit;
    }
}

/// Whether all bits of a hash are set.
///
/// It looks at all of them, even after one that is not. Half of the bits are set, so stopping early is a branch that
/// no processor predicts: in `benches/filter.rs` it made an absent key cost 33 ns instead of 12, and saved a present
/// one nothing.
#[inline]
pub(crate) fn all_set(line: &[u8; LINE_LEN], hash: u64, probes: u32) -> bool {
    let mut found = 1;
    for (byte, bit) in bits_of(hash, probes) {
        found &= line[byte] >> bit;
    }
    found & 1 == 1
}

/// The byte, and the bit in it, of each probe.
#[inline]
fn bits_of(hash: u64, probes: u32) -> impl Iterator<Item = (usize, usize)> {
    let mut mixed = hash;
    (0..probes).map(move |_| {
        mixed = mixed.wrapping_mul(REMIX);
        let bit = (mixed >> BIT_SHIFT) as usize;
        (bit / 8, bit % 8)
    })
}
