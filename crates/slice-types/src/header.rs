//! The first 16 bytes of every file: what it is, and which version of its format.
//!
//! ```text
//!   0        8         12          16
//!   +--------+---------+-----------+
//!   | magic  | version | reserved  |      u32 each, little-endian; reserved is 0
//!   +--------+---------+-----------+
//! ```
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::coding::Decoder;
use crate::{Error, ErrorKind, Result};

/// A file format: its magic bytes and the newest version that this build reads and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileFormat {
    /// The first eight bytes of the file.
    pub magic: [u8; 8],
    /// The version that is written; readers accept 1 up to it.
    pub version: u32,
    /// What a message calls such a file.
    pub name: &'static str,
}

/// The header's length in bytes.
pub const HEADER_LEN: usize = 16;

impl FileFormat {
    /// The header of a new file.
    pub fn header(&self) -> [u8; HEADER_LEN] {
        let mut header = [0; HEADER_LEN];
        let fields = self.magic.into_iter().chain(self.version.to_le_bytes());
        for (slot, byte) in header.iter_mut().zip(fields) {
            *slot = byte;
        }
        header
    }

    /// Checks the header at the front of `bytes` and returns the file's version.
    ///
    /// # Errors
    ///
    /// [`Corruption`](ErrorKind::Corruption) when the magic bytes are not there,
    /// [`Unsupported`](ErrorKind::Unsupported) when the version is newer than this build knows.
    pub fn check(&self, bytes: &[u8]) -> Result<u32> {
        let mut decoder = Decoder::new(bytes);
        let magic = decoder.take(8).map_err(|_| self.foreign(bytes))?;
        if magic != self.magic {
            return Err(self.foreign(magic));
        }
        let version = decoder.u32()?;
        let reserved = decoder.u32()?;
        if version > self.version {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "the {} has format version {version}, and this build reads up to {}; open it with a newer slice",
                    self.name, self.version
                ),
            ));
        }
        if version == 0 || reserved != 0 {
            return Err(Error::corruption(format!("the header of the {} is damaged", self.name)));
        }
        Ok(version)
    }

    #[cold]
    fn foreign(&self, found: &[u8]) -> Error {
        let shown = found.get(..8).unwrap_or(found).escape_ascii();
        Error::corruption(format!("not a {}: it starts with \"{shown}\"", self.name)).with_offset(0)
    }
}
