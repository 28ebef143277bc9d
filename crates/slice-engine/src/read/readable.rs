//! What can be read from, whatever it is.

use std::future::Future;
use std::ops::{Bound, RangeBounds};

use bytes::Bytes;
use slice_types::Result;

use crate::scan::{KeyRange, Scan};

/// Keys with values, to be read: a [tree](crate::LSMTree) as it is now, or a [snapshot](crate::Snapshot).
///
/// For code that does not care which. Each type has all of these methods itself, too.
///
/// ```
/// use slice::{LSMTree, Readable, Result};
///
/// async fn total(of: &impl Readable) -> Result<u64> {
///     let mut scan = of.prefix("count:");
///     let mut total = 0;
///     while let Some(entry) = scan.next().await {
///         total += u64::from_le_bytes(entry?.1[..].try_into().unwrap_or_default());
///     }
///     Ok(total)
/// }
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let dir = tempfile::tempdir().unwrap();
/// # let lsm = LSMTree::new(dir.path().join("data")).await?;
/// lsm.put(b"count:a", &1_u64.to_le_bytes()).await?;
/// let snapshot = lsm.snapshot();
/// lsm.put(b"count:b", &2_u64.to_le_bytes()).await?;
/// assert_eq!(total(&lsm).await?, 3);
/// assert_eq!(total(&snapshot).await?, 1);
/// # Ok::<(), slice::SliceError>(())
/// # }).unwrap();
/// ```
pub trait Readable: Send + Sync {
    /// The value of a key, sharing memory with the store.
    ///
    /// # Errors
    ///
    /// As [`LSMTree::get`](crate::LSMTree::get); so for all methods.
    fn get_pinned(&self, key: &[u8]) -> impl Future<Output = Result<Option<Bytes>>> + Send;

    /// The values of many keys as of one moment, in the order of the keys.
    ///
    /// # Errors
    ///
    /// As [`get_pinned`](Self::get_pinned).
    fn multi_get<K: AsRef<[u8]>>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> impl Future<Output = Result<Vec<Option<Bytes>>>> + Send;

    /// The keys of a range with their values, ascending.
    fn range<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, range: R) -> Scan;

    /// The value of a key.
    ///
    /// # Errors
    ///
    /// As [`get_pinned`](Self::get_pinned).
    fn get(&self, key: &[u8]) -> impl Future<Output = Result<Option<Vec<u8>>>> + Send {
        async { Ok(self.get_pinned(key).await?.map(Vec::from)) }
    }

    /// Whether a key has a value.
    ///
    /// # Errors
    ///
    /// As [`get_pinned`](Self::get_pinned).
    fn contains_key(&self, key: &[u8]) -> impl Future<Output = Result<bool>> + Send {
        async { Ok(self.get_pinned(key).await?.is_some()) }
    }

    /// The keys that begin with `prefix`, with their values, ascending.
    fn prefix(&self, prefix: impl AsRef<[u8]>) -> Scan {
        let KeyRange { lower, upper } = KeyRange::of_prefix(prefix.as_ref());
        self.range::<Bytes, _>((lower, upper))
    }

    /// All keys with their values, ascending.
    #[expect(clippy::iter_not_returning_iterator, reason = "what an async iterator is, is a stream")]
    fn iter(&self) -> Scan {
        self.range::<Bytes, (Bound<Bytes>, Bound<Bytes>)>((Bound::Unbounded, Bound::Unbounded))
    }

    /// The first key and its value.
    ///
    /// # Errors
    ///
    /// As [`get_pinned`](Self::get_pinned).
    fn first_key_value(&self) -> impl Future<Output = Result<Option<(Bytes, Bytes)>>> + Send {
        let mut scan = self.iter();
        async move { scan.next().await.transpose() }
    }

    /// The last key and its value.
    ///
    /// # Errors
    ///
    /// As [`get_pinned`](Self::get_pinned).
    fn last_key_value(&self) -> impl Future<Output = Result<Option<(Bytes, Bytes)>>> + Send {
        let mut scan = self.iter();
        async move { scan.next_back().await.transpose() }
    }

    /// How many keys a range has: exact, and reads all of it.
    ///
    /// # Errors
    ///
    /// As [`get_pinned`](Self::get_pinned).
    fn count<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, range: R) -> impl Future<Output = Result<u64>> + Send {
        let scan = self.range(range);
        async move { count(scan).await }
    }
}

async fn count(mut scan: Scan) -> Result<u64> {
    let mut count = 0;
    while let Some(entry) = scan.next().await {
        entry?;
        count += 1;
    }
    Ok(count)
}
