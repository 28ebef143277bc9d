//! The open files of a [`MemFs`](super::MemFs).
//!
//! A handle keeps the bytes of its file, as an open file does on a disk, also when the name is gone.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::inner::Inner;
use super::state::{Inode, Op};
use super::{LogKind, Shared};
use crate::{Access, AppendFile, FileLock, LOG_GAP, LogControl, LogFile, RandomAccessFile, SyncSite};

/// An open file.
#[derive(Debug)]
pub(super) struct Handle {
    shared: Arc<Shared>,
    inode: Inode,
}

impl Handle {
    pub(super) fn open(shared: &Arc<Shared>, inner: &mut Inner, inode: Inode) -> Self {
        *inner.state.open.entry(inode).or_default() += 1;
        Self { shared: shared.clone(), inode }
    }

    fn sync(&self, site: SyncSite) {
        self.shared.write().perform(&Op::SyncFile(self.inode, site));
    }

    fn read(&self, buf: &mut [u8], offset: u64) -> bool {
        let inner = self.shared.read();
        inner.state.files.get(&self.inode).is_some_and(|file| file.live.read(buf, offset))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut inner = self.shared.write();
        if let Some(handles) = inner.state.open.get_mut(&self.inode) {
            *handles -= 1;
            if *handles == 0 {
                inner.state.open.remove(&self.inode);
            }
        }
    }
}

#[derive(Debug)]
pub(super) struct MemRandom {
    handle: Handle,
}

impl MemRandom {
    pub(super) fn new(handle: Handle) -> Self {
        Self { handle }
    }
}

impl RandomAccessFile for MemRandom {
    fn len(&self) -> io::Result<u64> {
        Ok(self.handle.shared.read().file_len(self.handle.inode))
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        if self.handle.read(buf, offset) { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }

    fn try_read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<bool> {
        Ok(!self.handle.shared.is_cold.load(Ordering::Relaxed) && self.handle.read(buf, offset))
    }

    fn advise(&self, _access: Access) {}
}

#[derive(Debug)]
pub(super) struct MemAppend {
    handle: Handle,
    len: u64,
}

impl MemAppend {
    pub(super) fn new(handle: Handle) -> Self {
        Self { handle, len: 0 }
    }
}

impl AppendFile for MemAppend {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.handle.shared.write().write(self.handle.inode, self.len, bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }

    fn sync(&mut self, site: SyncSite) -> io::Result<()> {
        self.handle.sync(site);
        Ok(())
    }
}

/// A log. Each append is one write: the parts, and the zeros that must follow them as far as the file reaches.
#[derive(Debug)]
pub(super) struct MemLog {
    control: Arc<MemControl>,
    len: u64,
}

impl MemLog {
    pub(super) fn new(handle: Handle, inner: &mut Inner) -> Self {
        let control = MemControl { handle, len: AtomicU64::new(0), is_finished: AtomicBool::new(false) };
        let log = Self { control: Arc::new(control), len: 0 };
        log.put(inner, Vec::new());
        log
    }

    /// Writes behind the end, with the gap behind that.
    fn put(&self, inner: &mut Inner, mut bytes: Vec<u8>) {
        let Handle { shared, inode } = &self.control.handle;
        let gap_end = self.len + (bytes.len() + LOG_GAP) as u64;
        if let LogKind::Preallocated { chunk } = shared.log_kind
            && gap_end > inner.file_len(*inode)
        {
            inner.set_len(*inode, gap_end.next_multiple_of(chunk));
        }
        let behind = inner.file_len(*inode).saturating_sub(self.len + bytes.len() as u64);
        bytes.resize(bytes.len() + behind.min(LOG_GAP as u64) as usize, 0);
        if !bytes.is_empty() {
            inner.write(*inode, self.len, &bytes);
        }
    }
}

impl LogFile for MemLog {
    fn append(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        if self.control.is_finished.load(Ordering::Relaxed) {
            return Err(io::Error::new(ErrorKind::InvalidInput, "a finished log is appended to no more"));
        }
        let bytes = parts.concat();
        let len = bytes.len() as u64;
        self.put(&mut self.control.handle.shared.write(), bytes);
        self.len += len;
        self.control.len.store(self.len, Ordering::Relaxed);
        Ok(())
    }

    fn len(&self) -> u64 {
        self.len
    }

    fn is_low(&self) -> bool {
        self.control.is_low(&self.control.handle.shared.read())
    }

    fn control(&self) -> Arc<dyn LogControl> {
        self.control.clone()
    }

    fn finish(&mut self) -> io::Result<()> {
        let mut inner = self.control.handle.shared.write();
        self.control.is_finished.store(true, Ordering::Relaxed);
        inner.set_len(self.control.handle.inode, self.len);
        Ok(())
    }
}

/// `len` may lag behind the appender: then space is allocated an append later. `is_finished` changes under the lock of
/// the file system, so that no space is allocated behind a finished log.
#[derive(Debug)]
struct MemControl {
    handle: Handle,
    /// How many bytes have been appended.
    len: AtomicU64,
    is_finished: AtomicBool,
}

impl MemControl {
    /// Whether the last chunk is used beyond its middle.
    fn is_low(&self, inner: &Inner) -> bool {
        let LogKind::Preallocated { chunk } = self.handle.shared.log_kind else { return false };
        let left = inner.file_len(self.handle.inode).saturating_sub(self.len.load(Ordering::Relaxed));
        left < chunk / 2 && !self.is_finished.load(Ordering::Relaxed)
    }
}

impl LogControl for MemControl {
    fn sync(&self, site: SyncSite) -> io::Result<()> {
        self.handle.sync(site);
        Ok(())
    }

    fn allocate_ahead(&self) -> io::Result<()> {
        let mut inner = self.handle.shared.write();
        if let LogKind::Preallocated { chunk } = self.handle.shared.log_kind
            && self.is_low(&inner)
        {
            let len = inner.file_len(self.handle.inode) + chunk;
            inner.set_len(self.handle.inode, len);
        }
        Ok(())
    }
}

#[derive(Debug)]
pub(super) struct MemLock {
    handle: Handle,
}

impl MemLock {
    pub(super) fn new(handle: Handle) -> Self {
        Self { handle }
    }
}

impl FileLock for MemLock {}

impl Drop for MemLock {
    fn drop(&mut self) {
        self.handle.shared.write().unlock(self.handle.inode);
    }
}
