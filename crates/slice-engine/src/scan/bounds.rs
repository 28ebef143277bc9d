//! The range of keys that a scan covers.

use std::ops::{Bound, RangeBounds};

use bytes::Bytes;
use slice_types::{Error, Result};

/// A range of keys, owned.
#[derive(Clone, Debug)]
pub(crate) struct KeyRange {
    pub(crate) lower: Bound<Bytes>,
    pub(crate) upper: Bound<Bytes>,
}

impl KeyRange {
    pub(crate) fn new<K: AsRef<[u8]>>(range: &impl RangeBounds<K>) -> Self {
        Self { lower: copy(range.start_bound()), upper: copy(range.end_bound()) }
    }

    /// The keys that begin with `prefix`.
    pub(crate) fn of_prefix(prefix: &[u8]) -> Self {
        let lower = Bound::Included(Bytes::copy_from_slice(prefix));
        Self { lower, upper: behind_prefix(prefix).map_or(Bound::Unbounded, Bound::Excluded) }
    }

    /// Refuses a range that ends before it begins.
    ///
    /// # Errors
    ///
    /// `InvalidArgument`.
    pub(crate) fn check(&self) -> Result<()> {
        let (Some((lower, lower_in)), Some((upper, upper_in))) = (edge(&self.lower), edge(&self.upper))
        else {
            return Ok(());
        };
        if lower < upper || (lower == upper && (lower_in || upper_in)) {
            return Ok(());
        }
        Err(Error::invalid_argument("the range ends before it begins"))
    }

    /// Whether a key lies before the range.
    pub(crate) fn starts_behind(&self, key: &[u8]) -> bool {
        is_before(key, as_slice(&self.lower))
    }

    /// Whether a key lies behind the range.
    pub(crate) fn ends_before(&self, key: &[u8]) -> bool {
        is_behind(key, as_slice(&self.upper))
    }
}

/// Whether a key lies before a lower bound.
#[inline]
pub(super) fn is_before(key: &[u8], lower: Bound<&[u8]>) -> bool {
    match lower {
        Bound::Included(lower) => key < lower,
        Bound::Excluded(lower) => key <= lower,
        Bound::Unbounded => false,
    }
}

/// Whether a key lies behind an upper bound.
#[inline]
pub(super) fn is_behind(key: &[u8], upper: Bound<&[u8]>) -> bool {
    match upper {
        Bound::Included(upper) => key > upper,
        Bound::Excluded(upper) => key >= upper,
        Bound::Unbounded => false,
    }
}

#[inline]
pub(super) fn as_slice(bound: &Bound<Bytes>) -> Bound<&[u8]> {
    match bound {
        Bound::Included(key) => Bound::Included(key),
        Bound::Excluded(key) => Bound::Excluded(key),
        Bound::Unbounded => Bound::Unbounded,
    }
}

fn copy<K: AsRef<[u8]>>(bound: Bound<&K>) -> Bound<Bytes> {
    bound.map(|key| Bytes::copy_from_slice(key.as_ref()))
}

/// The key of a bound, and whether it belongs to the range.
fn edge(bound: &Bound<Bytes>) -> Option<(&Bytes, bool)> {
    match bound {
        Bound::Included(key) => Some((key, true)),
        Bound::Excluded(key) => Some((key, false)),
        Bound::Unbounded => None,
    }
}

/// The least key behind all that begin with `prefix`; none when no key is: it is all 0xFF.
fn behind_prefix(prefix: &[u8]) -> Option<Bytes> {
    let last = prefix.iter().rposition(|&byte| byte != u8::MAX)?;
    let mut key = prefix[..=last].to_vec();
    key[last] += 1;
    Some(key.into())
}
