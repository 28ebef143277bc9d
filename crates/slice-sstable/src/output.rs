//! Writes a file in large pieces.

use slice_types::{Error, Result};
use slice_vfs::{AppendFile, SyncSite};

/// How many bytes are gathered before they are appended: a system call a block would cost as much as the block.
const GATHERED_BYTES: usize = 256 * 1024;

/// A file that gathers small writes.
#[derive(Debug)]
pub(crate) struct Output {
    file: Box<dyn AppendFile>,
    gathered: Vec<u8>,
    appended: u64,
}

impl Output {
    /// Starts with the first bytes of the file.
    pub(crate) fn new(file: Box<dyn AppendFile>, first: &[u8]) -> Self {
        let mut gathered = Vec::with_capacity(GATHERED_BYTES + GATHERED_BYTES / 8);
        gathered.extend_from_slice(first);
        Self { file, gathered, appended: 0 }
    }

    /// Bytes written so far, gathered ones included.
    pub(crate) fn len(&self) -> u64 {
        self.appended + self.gathered.len() as u64
    }

    /// Where to write: bytes may be added behind those that are there.
    pub(crate) fn gathered(&mut self) -> &mut Vec<u8> {
        &mut self.gathered
    }

    /// Appends what is gathered if it is much.
    pub(crate) fn append_if_full(&mut self) -> Result<()> {
        if self.gathered.len() >= GATHERED_BYTES { self.append() } else { Ok(()) }
    }

    /// Appends what is gathered, makes all durable, and returns the file's length in bytes.
    pub(crate) fn finish(mut self, site: SyncSite) -> Result<u64> {
        self.append()?;
        self.file.sync(site).map_err(|e| Error::io("sync a table", e))?;
        Ok(self.appended)
    }

    fn append(&mut self) -> Result<()> {
        self.file.append(&self.gathered).map_err(|e| Error::io("append to a table", e))?;
        self.appended += self.gathered.len() as u64;
        self.gathered.clear();
        Ok(())
    }
}
