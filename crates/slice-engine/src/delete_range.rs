//! Deleting a range of keys: one entry, whatever is in the range.

use std::ops::RangeBounds;

use slice_types::{EntryKind, KeyRange, KeyspaceId, Result};

use crate::{Keyspace, LSMTree, WriteBatch, blocking};

impl LSMTree {
    /// Removes all keys of a range. What it costs does not depend on how many there are: one entry is written, and
    /// compactions remove what it covers, whole tables without reading them.
    ///
    /// A range without keys, as `"a".."a"`, does nothing. For all keys say `delete_range::<&[u8], _>(..)`.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let lsm = slice::LSMTree::new(&dir).await?;
    /// lsm.put(b"2024-12-31", b"old").await?;
    /// lsm.put(b"2025-01-01", b"new").await?;
    /// lsm.delete_range(.."2025").await?;
    /// assert_eq!(lsm.get(b"2024-12-31").await?, None);
    /// assert_eq!(lsm.get(b"2025-01-01").await?, Some(b"new".to_vec()));
    /// # Ok::<(), slice::SliceError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put); `InvalidArgument` also for a range that ends before it begins.
    pub async fn delete_range<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, range: R) -> Result<()> {
        let core = &self.handle.core;
        core.check_open()?;
        let Some(range) = KeyRange::within(&range)? else { return Ok(()) };
        let written = core.write_now(&self.tree, EntryKind::RangeDelete, range.start(), range.end_bytes())?;
        core.finish(written).await
    }
}

impl blocking::LSMTree {
    /// Removes all keys of a range.
    ///
    /// # Errors
    ///
    /// As [`slice::LSMTree::delete_range`](crate::LSMTree::delete_range).
    pub fn delete_range<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, range: R) -> Result<()> {
        let core = &self.handle.core;
        core.check_open()?;
        let Some(range) = KeyRange::within(&range)? else { return Ok(()) };
        let written = core.write_now(&self.tree, EntryKind::RangeDelete, range.start(), range.end_bytes())?;
        core.finish_blocking(written)
    }
}

impl WriteBatch {
    /// Removes all keys of a range, as they were before and as writes that come earlier in the batch set them. What
    /// the batch writes later stays. See [`LSMTree::delete_range`].
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put); `InvalidArgument` also for a range that ends before it begins.
    pub fn delete_range<K: AsRef<[u8]>, R: RangeBounds<K>>(&mut self, range: R) -> Result<()> {
        let Some(range) = KeyRange::within(&range)? else { return Ok(()) };
        let (start, end) = (range.start(), range.end_bytes());
        self.encoded.push(KeyspaceId::DEFAULT, EntryKind::RangeDelete, start, end)
    }

    /// As [`delete_range`](Self::delete_range), in a keyspace.
    ///
    /// # Errors
    ///
    /// As [`delete_range`](Self::delete_range) and [`put_in`](Self::put_in).
    pub fn delete_range_in<K: AsRef<[u8]>, R: RangeBounds<K>>(
        &mut self,
        keyspace: &impl Keyspace,
        range: R,
    ) -> Result<()> {
        let Some(range) = KeyRange::within(&range)? else { return Ok(()) };
        self.push_in(keyspace, EntryKind::RangeDelete, range.start(), range.end_bytes())
    }
}
