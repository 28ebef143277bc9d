//! Reading a key, with and without waiting for the disk.

use bytes::Bytes;
use slice_sstable::ReadMode;
use slice_types::{Result, SeqNo, check_key};

use super::Core;
use crate::planted::Bug;
use crate::tree::Tree;

/// Which version of a key a reader sees: the newest one at this moment.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ReadAt {
    /// The moment of the read.
    Newest,
    /// That of a live snapshot.
    Number(SeqNo),
}

impl Core {
    /// The value of a key.
    ///
    /// # Errors
    ///
    /// `WouldBlock` with [`ReadMode::CachedOnly`] when the disk would have to be waited for.
    pub(crate) fn get(&self, tree: &Tree, key: &[u8], at: ReadAt, mode: ReadMode) -> Result<Option<Bytes>> {
        self.check_open()?;
        check_key(key)?;
        tree.get(key, || self.read_at(at), mode, &self.caches)
    }

    /// The sequence number up to which a reader sees writes. A view is loaded before.
    pub(crate) fn read_at(&self, at: ReadAt) -> SeqNo {
        match at {
            ReadAt::Newest => self.newest_visible(),
            ReadAt::Number(seqno) => seqno,
        }
    }

    fn newest_visible(&self) -> SeqNo {
        let visible = self.commit.visible();
        if self.options.planted.has(Bug::ReadBehind) {
            return SeqNo::new(visible.get().saturating_sub(1));
        }
        visible
    }
}
