//! The filter file: which keys a table cannot have.
//!
//! Invariant: a filter never denies a key of its table. Damage to it is an error when the table is opened, never a
//! lost key.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use slice_bloom::{BloomFilter, FilterBuilder};
use slice_types::{Error, ErrorKind, HEADER_LEN, Result, checksum};

use crate::codec::check_sum;
use crate::format;
use crate::properties::FilterProperties;

/// The kinds of filters. The discriminants are on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum FilterKind {
    None = 0,
    Blocked = 1,
}

impl FilterKind {
    pub(crate) const fn to_u8(self) -> u8 {
        self as u8
    }

    pub(crate) fn from_u8(byte: u8) -> Result<Self> {
        match byte {
            0 => Ok(Self::None),
            1 => Ok(Self::Blocked),
            _ => Err(Error::new(
                ErrorKind::Unsupported,
                format!("filter kind {byte} is unknown to this build"),
            )),
        }
    }
}

/// A table's filter, in memory.
pub(crate) enum TableFilter {
    /// Denies nothing.
    None,
    /// A bloom filter of cache-line blocks.
    Blocked(BloomFilter),
}

impl TableFilter {
    /// Reads a filter file.
    pub(crate) fn decode(file: &[u8], properties: FilterProperties) -> Result<Self> {
        format::FILTER.check(file)?;
        check_sum(file, properties.checksum, "filter")?;
        let own = file.get(HEADER_LEN..).unwrap_or_default();
        match properties.kind {
            FilterKind::None if own.is_empty() => Ok(Self::None),
            FilterKind::None => {
                Err(Error::corruption(format!("{} bytes where no filter should be", own.len())))
            }
            FilterKind::Blocked => BloomFilter::copied_from(own)
                .map(Self::Blocked)
                .map_err(|e| Error::corruption(format!("the filter: {e}")).with_offset(HEADER_LEN as u64)),
        }
    }

    /// Whether the table may have a key of this hash.
    #[inline]
    pub(crate) fn may_contain(&self, hash: u64) -> bool {
        match self {
            Self::None => true,
            Self::Blocked(filter) => filter.may_contain_hash(hash),
        }
    }

    /// The memory that it holds, in bytes.
    pub(crate) fn memory_used(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Blocked(filter) => filter.memory_used(),
        }
    }
}

/// Collects the keys of a table's filter.
pub(crate) enum FilterWriter {
    None,
    Blocked(FilterBuilder),
}

impl FilterWriter {
    /// 0 bits make no filter.
    pub(crate) fn new(bits_per_key: f64) -> Result<Self> {
        if !bits_per_key.is_finite() || bits_per_key < 0.0 {
            return Err(Error::invalid_argument(format!(
                "{bits_per_key} filter bits per key; use 0 or more"
            )));
        }
        if bits_per_key == 0.0 {
            return Ok(Self::None);
        }
        Ok(Self::Blocked(FilterBuilder::with_bits_per_key(bits_per_key)))
    }

    pub(crate) fn add(&mut self, key: &[u8]) {
        if let Self::Blocked(builder) = self {
            builder.add_hash(slice_types::hash_key(key));
        }
    }

    /// The filter file, and what the index says of it.
    pub(crate) fn finish(self) -> (Vec<u8>, FilterProperties) {
        let mut file = format::FILTER.header().to_vec();
        let kind = match self {
            Self::None => FilterKind::None,
            Self::Blocked(builder) => {
                file.extend_from_slice(&builder.build());
                FilterKind::Blocked
            }
        };
        let checksum = checksum(&file);
        (file, FilterProperties { kind, checksum })
    }
}
