//! The open files of a [`FaultFs`](super::FaultFs).

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::{Call, Fault, Shared, fails_with};
use crate::{Access, AppendFile, LogControl, LogFile, RandomAccessFile, SyncSite};

/// An open file, as a watcher knows it.
#[derive(Clone, Debug)]
pub(super) struct Handle {
    pub(super) shared: Arc<Shared>,
    pub(super) path: Arc<Path>,
    pub(super) number: u64,
}

impl Handle {
    fn next(&self, call: Call) -> Option<Fault> {
        self.shared.next(call, &self.path, Some(self.number))
    }

    /// An operation that fails before it begins, or not at all.
    fn step(&self, call: Call) -> io::Result<()> {
        fails_with(self.next(call))
    }

    /// The same for an operation that may also be left out unsaid.
    fn silenced(&self, call: Call, operation: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        match self.next(call) {
            Some(Fault::Silent) => Ok(()),
            fault => fails_with(fault).and_then(|()| operation()),
        }
    }
}

#[derive(Debug)]
pub(super) struct FaultRandom {
    handle: Handle,
    inner: Arc<dyn RandomAccessFile>,
}

impl FaultRandom {
    pub(super) fn new(handle: Handle, inner: Arc<dyn RandomAccessFile>) -> Self {
        Self { handle, inner }
    }
}

impl RandomAccessFile for FaultRandom {
    fn len(&self) -> io::Result<u64> {
        self.handle.step(Call::Len)?;
        self.inner.len()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.handle.step(Call::Read)?;
        self.inner.read_exact_at(buf, offset)
    }

    fn try_read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<bool> {
        self.handle.step(Call::Read)?;
        self.inner.try_read_exact_at(buf, offset)
    }

    fn advise(&self, access: Access) {
        self.inner.advise(access);
    }
}

#[derive(Debug)]
pub(super) struct FaultAppend {
    handle: Handle,
    inner: Box<dyn AppendFile>,
}

impl FaultAppend {
    pub(super) fn new(handle: Handle, inner: Box<dyn AppendFile>) -> Self {
        Self { handle, inner }
    }
}

impl AppendFile for FaultAppend {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.handle.next(Call::Append) {
            None => self.inner.append(bytes),
            Some(Fault::Silent) => Ok(()),
            Some(fault) => {
                if fault == Fault::ShortWrite {
                    self.inner.append(&bytes[..bytes.len() / 2])?;
                }
                Err(fault.to_error())
            }
        }
    }

    fn sync(&mut self, site: SyncSite) -> io::Result<()> {
        self.handle.silenced(Call::Sync(site), || self.inner.sync(site))
    }
}

#[derive(Debug)]
pub(super) struct FaultLog {
    handle: Handle,
    inner: Box<dyn LogFile>,
}

impl FaultLog {
    pub(super) fn new(handle: Handle, inner: Box<dyn LogFile>) -> Self {
        Self { handle, inner }
    }
}

impl LogFile for FaultLog {
    /// Not silenced: the log's length would give it away at once.
    fn append(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        self.handle.step(Call::Append)?;
        self.inner.append(parts)
    }

    fn len(&self) -> u64 {
        self.inner.len()
    }

    fn is_low(&self) -> bool {
        self.inner.is_low()
    }

    fn control(&self) -> Arc<dyn LogControl> {
        Arc::new(FaultControl { handle: self.handle.clone(), inner: self.inner.control() })
    }

    fn finish(&mut self) -> io::Result<()> {
        self.handle.step(Call::FinishLog)?;
        self.inner.finish()
    }
}

#[derive(Debug)]
struct FaultControl {
    handle: Handle,
    inner: Arc<dyn LogControl>,
}

impl LogControl for FaultControl {
    fn sync(&self, site: SyncSite) -> io::Result<()> {
        self.handle.silenced(Call::Sync(site), || self.inner.sync(site))
    }

    fn allocate_ahead(&self) -> io::Result<()> {
        self.handle.step(Call::AllocateAhead)?;
        self.inner.allocate_ahead()
    }
}
