//! Reading a key, with and without waiting for the disk.

use bytes::Bytes;
use slice_sstable::ReadMode;
use slice_types::{Result, SeqNo, check_key};

use super::Core;
use crate::planted::Bug;

impl Core {
    /// The value of a key.
    ///
    /// # Errors
    ///
    /// `WouldBlock` with [`ReadMode::CachedOnly`] when the disk would have to be waited for.
    pub(crate) fn get(&self, key: &[u8], mode: ReadMode) -> Result<Option<Bytes>> {
        self.check_open()?;
        check_key(key)?;
        self.tree.get(key, || self.newest_visible(), mode, &self.caches)
    }

    fn newest_visible(&self) -> SeqNo {
        let visible = self.commit.visible();
        if self.options.planted.has(Bug::ReadBehind) {
            return SeqNo::new(visible.get().saturating_sub(1));
        }
        visible
    }
}
