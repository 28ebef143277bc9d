//! Reading a key, with and without waiting for the disk.

use bytes::Bytes;
use slice_sstable::ReadMode;
use slice_types::{Result, check_key};

use super::Core;

impl Core {
    /// The value of a key.
    ///
    /// # Errors
    ///
    /// `WouldBlock` with [`ReadMode::CachedOnly`] when the disk would have to be waited for.
    pub(crate) fn get(&self, key: &[u8], mode: ReadMode) -> Result<Option<Bytes>> {
        self.check_open()?;
        check_key(key)?;
        self.tree.get(key, || self.commit.visible(), mode, &self.caches)
    }
}
