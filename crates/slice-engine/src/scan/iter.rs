//! The blocking face of a scan: an iterator with two ends.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use slice_types::Result;

use super::Ends;
use crate::db::Handle;

/// The keys of a range with their values, as of one moment; see [`slice::Scan`](crate::Scan).
///
/// A [`DoubleEndedIterator`]: the ends meet, and give each key once. After an error it is at its end, until a
/// [`seek`](Self::seek).
#[must_use = "a scan reads nothing until it is asked for an entry"]
pub struct Scan {
    /// What is left, or why there never was anything.
    ends: Result<Ends>,
    has_failed: bool,
    /// Keeps the store open. Dropped last.
    _handle: Arc<Handle>,
}

impl Scan {
    pub(crate) fn new(handle: &Arc<Handle>, ends: Result<Ends>) -> Self {
        Self { ends, has_failed: false, _handle: Arc::clone(handle) }
    }

    /// [`next`](Iterator::next) goes on at the first key of the range that is not below `key`, wherever it was before.
    pub fn seek(&mut self, key: impl AsRef<[u8]>) {
        if let Ok(ends) = &mut self.ends {
            ends.seek(key.as_ref());
            self.has_failed = false;
        }
    }

    /// [`next_back`](DoubleEndedIterator::next_back) goes on at the last key of the range that is not above `key`,
    /// wherever it was before.
    pub fn seek_back(&mut self, key: impl AsRef<[u8]>) {
        if let Ok(ends) = &mut self.ends {
            ends.seek_back(key.as_ref());
            self.has_failed = false;
        }
    }

    /// As [`next`](Iterator::next), but where key and value lie, until the scan is asked for more: about twice as fast.
    /// The two may take turns.
    #[inline]
    pub fn next_ref(&mut self) -> Option<Result<(&[u8], &[u8])>> {
        self.take(Ends::next_ref)
    }

    /// As [`next_back`](DoubleEndedIterator::next_back), but where key and value lie; see [`next_ref`](Self::next_ref).
    #[inline]
    pub fn next_back_ref(&mut self) -> Option<Result<(&[u8], &[u8])>> {
        self.take(Ends::next_back_ref)
    }

    #[inline]
    fn take<'a, T>(&'a mut self, take: impl FnOnce(&'a mut Ends) -> Result<Option<T>>) -> Option<Result<T>> {
        if self.has_failed {
            return None;
        }
        let taken = match &mut self.ends {
            Ok(ends) => take(ends).transpose(),
            Err(error) => Some(Err(error.clone())),
        };
        self.has_failed = matches!(taken, Some(Err(_)));
        taken
    }
}

impl Iterator for Scan {
    type Item = Result<(Bytes, Bytes)>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.take(Ends::next)
    }
}

impl DoubleEndedIterator for Scan {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        self.take(Ends::next_back)
    }
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("blocking::Scan").finish_non_exhaustive()
    }
}
