//! A store in memory, and short words for what the tests do all the time.

use std::sync::Arc;

use slice::blocking::{LSMTree, Scan};
use slice::vfs::MemFs;
use slice::{Background, Builder, Result};

/// A builder for a store in memory without threads.
pub(crate) fn builder() -> Builder {
    LSMTree::builder("/db").fs(Arc::new(MemFs::new())).background(Background::Inline)
}

pub(crate) fn store() -> Result<LSMTree> {
    builder().open_blocking()
}

/// The keys that a scan gives, as text.
pub(crate) fn keys(scan: impl Iterator<Item = <Scan as Iterator>::Item>) -> Result<Vec<String>> {
    scan.map(|entry| entry.map(|(key, _)| String::from_utf8_lossy(&key).into_owned())).collect()
}

pub(crate) fn put_all(lsm: &LSMTree, keys: &str) -> Result<()> {
    keys.split_whitespace().try_for_each(|key| lsm.put(key.as_bytes(), key.as_bytes()))
}
