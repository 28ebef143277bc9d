//! Files that are written once and read at any place.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use crate::{Access, AppendFile, RandomAccessFile, SyncSite};

/// A file open for reading.
#[derive(Debug)]
pub(super) struct StdRandom {
    file: File,
}

impl StdRandom {
    pub(super) fn new(file: File) -> Self {
        Self { file }
    }
}

impl RandomAccessFile for StdRandom {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buf, offset)
    }

    #[cfg(target_os = "linux")]
    fn try_read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<bool> {
        use rustix::io::{Errno, ReadWriteFlags, preadv2};

        let wanted = buf.len();
        let mut bufs = [io::IoSliceMut::new(buf)];
        match preadv2(&self.file, &mut bufs, offset, ReadWriteFlags::NOWAIT) {
            Ok(read) => Ok(read == wanted),
            // Not in memory; a file system or kernel without the flag; a signal. The caller's blocking read
            // deals with each.
            Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::INTR) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn try_read_exact_at(&self, _buf: &mut [u8], _offset: u64) -> io::Result<bool> {
        Ok(false)
    }

    #[cfg(target_os = "linux")]
    fn advise(&self, access: Access) {
        use rustix::fs::{Advice, fadvise};

        let advice = match access {
            Access::Random => Advice::Random,
            Access::Sequential => Advice::Sequential,
            Access::Never => Advice::DontNeed,
        };
        // Advice that is not taken costs speed only.
        let _ = fadvise(&self.file, 0, None, advice);
    }

    #[cfg(not(target_os = "linux"))]
    fn advise(&self, _access: Access) {}
}

/// A file being written from front to back.
#[derive(Debug)]
pub(super) struct StdAppend {
    file: File,
    len: u64,
    /// How much of it the kernel has been told to start writing.
    handed_over: u64,
}

/// How many bytes are gathered in the page cache before the kernel is told to start writing them. Left to the end, all
/// of a table would be written in its fsync, and every other fsync of the file system would wait behind it.
const HAND_OVER: u64 = 1 << 20;

impl StdAppend {
    pub(super) fn new(file: File) -> Self {
        Self { file, len: 0, handed_over: 0 }
    }

    /// Starts the writing of what has been appended, and does not wait for it.
    #[cfg(target_os = "linux")]
    fn hand_over(&mut self) {
        use rustix::fs::{Advice, fadvise};

        let len = std::num::NonZeroU64::new(self.len - self.handed_over);
        // "Not needed" starts the writing of dirty pages and drops clean ones; just written, these are dirty.
        let _ = fadvise(&self.file, self.handed_over, len, Advice::DontNeed);
        self.handed_over = self.len;
    }

    #[cfg(not(target_os = "linux"))]
    fn hand_over(&mut self) {
        self.handed_over = self.len;
    }
}

impl AppendFile for StdAppend {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.len += bytes.len() as u64;
        if self.len - self.handed_over >= HAND_OVER {
            self.hand_over();
        }
        Ok(())
    }

    fn sync(&mut self, _site: SyncSite) -> io::Result<()> {
        // fdatasync: what it leaves out of the metadata (times) is not needed to read the bytes back.
        self.file.sync_data()
    }
}
