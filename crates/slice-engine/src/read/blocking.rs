//! What can be read from, without `.await`.

use std::ops::{Bound, RangeBounds};

use bytes::Bytes;
use slice_types::Result;

use crate::scan::{BlockingScan as Scan, KeyRange};

/// Keys with values, to be read: a [tree](crate::blocking::LSMTree) as it is now, or a
/// [snapshot](crate::blocking::Snapshot); see [`slice::Readable`](crate::Readable).
pub trait Readable: Send + Sync {
    /// The value of a key, sharing memory with the store.
    ///
    /// # Errors
    ///
    /// As [`LSMTree::get`](crate::LSMTree::get); so for all methods.
    fn get_pinned(&self, key: &[u8]) -> Result<Option<Bytes>>;

    /// The values of many keys as of one moment, in the order of the keys.
    ///
    /// # Errors
    ///
    /// As [`get_pinned`](Self::get_pinned).
    fn multi_get<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>) -> Result<Vec<Option<Bytes>>>;

    /// The keys of a range with their values, ascending.
    fn range<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, range: R) -> Scan;

    /// The value of a key.
    ///
    /// # Errors
    ///
    /// As [`get_pinned`](Self::get_pinned).
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.get_pinned(key)?.map(Vec::from))
    }

    /// Whether a key has a value.
    ///
    /// # Errors
    ///
    /// As [`get_pinned`](Self::get_pinned).
    fn contains_key(&self, key: &[u8]) -> Result<bool> {
        Ok(self.get_pinned(key)?.is_some())
    }

    /// The keys that begin with `prefix`, with their values, ascending.
    fn prefix(&self, prefix: impl AsRef<[u8]>) -> Scan {
        let KeyRange { lower, upper } = KeyRange::of_prefix(prefix.as_ref());
        self.range::<Bytes, _>((lower, upper))
    }

    /// All keys with their values, ascending.
    fn iter(&self) -> Scan {
        self.range::<Bytes, (Bound<Bytes>, Bound<Bytes>)>((Bound::Unbounded, Bound::Unbounded))
    }

    /// The first key and its value.
    ///
    /// # Errors
    ///
    /// As [`get_pinned`](Self::get_pinned).
    fn first_key_value(&self) -> Result<Option<(Bytes, Bytes)>> {
        self.iter().next().transpose()
    }

    /// The last key and its value.
    ///
    /// # Errors
    ///
    /// As [`get_pinned`](Self::get_pinned).
    fn last_key_value(&self) -> Result<Option<(Bytes, Bytes)>> {
        self.iter().next_back().transpose()
    }

    /// How many keys a range has: exact, and reads all of it.
    ///
    /// # Errors
    ///
    /// As [`get_pinned`](Self::get_pinned).
    fn count<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, range: R) -> Result<u64> {
        self.range(range).try_fold(0, |count, entry| entry.map(|_| count + 1))
    }
}
