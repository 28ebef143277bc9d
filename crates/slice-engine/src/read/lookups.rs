//! Many keys at once, as of one moment.
//!
//! They are looked up in the order of keys, so that those of one block come one after the other, and all but the first
//! find it in the block cache, if there is one.

use bytes::Bytes;
use slice_sstable::ReadMode;
use slice_types::{ErrorKind, Result, check_key};

use crate::lsm::offload;
use crate::scan::Source;

/// Some keys, and what is known of them so far.
pub(super) struct Lookups {
    source: Source,
    /// What is still to be looked up: the key, and its place in the answer. Ascending by key.
    left: Vec<(Bytes, usize)>,
    values: Vec<Option<Bytes>>,
}

impl Lookups {
    /// # Errors
    ///
    /// `InvalidArgument` for a key that is too long; `Closed`.
    pub(super) fn new<K: AsRef<[u8]>>(source: Source, keys: impl IntoIterator<Item = K>) -> Result<Self> {
        source.check_open()?;
        let keys = keys.into_iter().map(|key| {
            check_key(key.as_ref())?;
            Ok(Bytes::copy_from_slice(key.as_ref()))
        });
        let mut left = keys.zip(0..).map(|(key, place)| Ok((key?, place))).collect::<Result<Vec<_>>>()?;
        left.sort_unstable();
        Ok(Self { values: vec![None; left.len()], source, left })
    }

    /// The values, in the order in which the keys were given.
    pub(super) fn wait(mut self) -> Result<Vec<Option<Bytes>>> {
        self.look(ReadMode::Wait)?;
        Ok(self.values)
    }

    /// The same without blocking: what is not in memory is looked up together on a blocking thread.
    pub(super) async fn run(mut self) -> Result<Vec<Option<Bytes>>> {
        self.look(ReadMode::CachedOnly)?;
        if self.left.is_empty() { Ok(self.values) } else { offload(move || self.wait()).await }
    }

    fn look(&mut self, mode: ReadMode) -> Result<()> {
        for (key, place) in std::mem::take(&mut self.left) {
            match self.source.get(&key, mode) {
                Ok(value) => self.values[place] = value,
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.left.push((key, place)),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
