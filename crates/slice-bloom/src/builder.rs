//! From keys to a filter's bytes.
//!
//! The size of a filter depends on the number of its keys, which is known at the end only. So the builder keeps the
//! hashes, 8 bytes a key, and sets all bits in [`build`](FilterBuilder::build). They are kept in pieces: one vector would be
//! copied as it grows, and an allocator keeps what it leaves behind.

use crate::format::{self, Header};
use crate::probe::{LINE_BITS, LINE_LEN, hash_key, line_of, set};
use crate::theory::{bits_for, clamp_bits, probes_for};
use crate::{BloomFilter, Error};

/// How many hashes are in a piece of memory.
const PIECE: usize = 8 << 10;

/// Collects keys, and makes a filter of them.
///
/// A key that is added twice in a row is counted once, as the versions of a key follow each other in a sorted table.
/// One that is added again later costs the bits of another key, and does no other harm.
///
/// The same hashes in the same order give the same bytes, on every platform.
#[derive(Clone, Debug)]
pub struct FilterBuilder {
    /// Hashes, in pieces that are full.
    full: Vec<Vec<u64>>,
    /// The last ones.
    last: Vec<u64>,
    bits_per_key: f64,
}

impl FilterBuilder {
    /// A builder that spends so many bits on each key: 10 is the usual choice, for just under 1 % false positives.
    ///
    /// `bits` is brought into [`MIN_BITS_PER_KEY`](crate::MIN_BITS_PER_KEY) to
    /// [`MAX_BITS_PER_KEY`](crate::MAX_BITS_PER_KEY); NaN counts as the fewest.
    #[must_use]
    pub fn with_bits_per_key(bits: f64) -> Self {
        Self { full: Vec::new(), last: Vec::new(), bits_per_key: clamp_bits(bits) }
    }

    /// A builder that spends as few bits on each key as let at most `rate` of the absent keys pass: 0.01 is 1 %.
    ///
    /// A rate that needs more than [`MAX_BITS_PER_KEY`](crate::MAX_BITS_PER_KEY) gets those, which is 1 in 10 million.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRate`] unless `rate` is between 0 and 1, both excluded. NaN is not.
    pub fn with_false_positive_rate(rate: f64) -> Result<Self, Error> {
        Ok(Self::with_bits_per_key(bits_for(rate)?))
    }

    /// Adds a key.
    pub fn add(&mut self, key: &[u8]) {
        self.add_hash(hash_key(key));
    }

    /// Adds a key by its [`hash_key`], for those who have it already.
    ///
    /// Any other hash will do if all 64 of its bits are good, and the filter is asked with the same one.
    pub fn add_hash(&mut self, hash: u64) {
        if self.last.last() == Some(&hash) {
            return;
        }
        if self.last.len() == PIECE {
            self.full.push(std::mem::replace(&mut self.last, Vec::with_capacity(PIECE)));
        }
        self.last.push(hash);
    }

    /// The number of keys so far, those that were repeated in a row counted once.
    pub fn len(&self) -> usize {
        self.full.len() * PIECE + self.last.len()
    }

    /// Whether there is no key so far.
    pub fn is_empty(&self) -> bool {
        self.last.is_empty()
    }

    /// The bits that each key gets. The filter has a few more, as its size is a multiple of 64 bytes.
    pub fn bits_per_key(&self) -> f64 {
        self.bits_per_key
    }

    /// The bytes of the filter, for [`BloomFilter::from_bytes`]. Of no keys, it is a filter that contains nothing.
    #[must_use]
    pub fn build(self) -> Vec<u8> {
        let header = self.header();
        let mut bytes = Vec::with_capacity(header.filter_len());
        self.encode_into(&mut bytes, header);
        bytes
    }

    /// The filter itself, for those who want no bytes of it, or not only.
    #[must_use]
    pub fn build_filter(self) -> BloomFilter {
        let header = self.header();
        BloomFilter::new_aligned(header, |bytes| self.encode_into(bytes, header))
    }

    fn header(&self) -> Header {
        let keys = self.len();
        let lines = (keys as f64 * self.bits_per_key / LINE_BITS as f64).ceil() as usize;
        Header { probes: probes_for(self.bits_per_key), lines, keys: keys as u64 }
    }

    fn encode_into(&self, out: &mut Vec<u8>, header: Header) {
        format::encode_into(out, header, |lines| self.set_all(lines, header.probes));
    }

    fn set_all(&self, lines: &mut [[u8; LINE_LEN]], probes: u32) {
        let count = lines.len();
        for &hash in self.full.iter().flatten().chain(&self.last) {
            set(&mut lines[line_of(hash, count)], hash, probes);
        }
    }
}
