//! The open files of a [`FaultFs`](super::FaultFs).

use std::io;
use std::sync::Arc;

use super::{Fault, Shared};
use crate::{Access, AppendFile, LogControl, LogFile, RandomAccessFile, SyncSite};

#[derive(Debug)]
pub(super) struct FaultRandom {
    shared: Arc<Shared>,
    inner: Arc<dyn RandomAccessFile>,
}

impl FaultRandom {
    pub(super) fn new(shared: Arc<Shared>, inner: Arc<dyn RandomAccessFile>) -> Self {
        Self { shared, inner }
    }
}

impl RandomAccessFile for FaultRandom {
    fn len(&self) -> io::Result<u64> {
        self.shared.reads.step()?;
        self.inner.len()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.shared.reads.step()?;
        self.inner.read_exact_at(buf, offset)
    }

    fn try_read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<bool> {
        self.shared.reads.step()?;
        self.inner.try_read_exact_at(buf, offset)
    }

    fn advise(&self, access: Access) {
        self.inner.advise(access);
    }
}

#[derive(Debug)]
pub(super) struct FaultAppend {
    shared: Arc<Shared>,
    inner: Box<dyn AppendFile>,
}

impl FaultAppend {
    pub(super) fn new(shared: Arc<Shared>, inner: Box<dyn AppendFile>) -> Self {
        Self { shared, inner }
    }
}

impl AppendFile for FaultAppend {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.shared.changes.next() {
            None => self.inner.append(bytes),
            Some(fault) => {
                if fault == Fault::ShortWrite {
                    self.inner.append(&bytes[..bytes.len() / 2])?;
                }
                Err(fault.to_error())
            }
        }
    }

    fn sync(&mut self, site: SyncSite) -> io::Result<()> {
        self.shared.changes.step()?;
        self.inner.sync(site)
    }
}

#[derive(Debug)]
pub(super) struct FaultLog {
    shared: Arc<Shared>,
    inner: Box<dyn LogFile>,
}

impl FaultLog {
    pub(super) fn new(shared: Arc<Shared>, inner: Box<dyn LogFile>) -> Self {
        Self { shared, inner }
    }
}

impl LogFile for FaultLog {
    fn append(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        self.shared.changes.step()?;
        self.inner.append(parts)
    }

    fn len(&self) -> u64 {
        self.inner.len()
    }

    fn is_low(&self) -> bool {
        self.inner.is_low()
    }

    fn control(&self) -> Arc<dyn LogControl> {
        Arc::new(FaultControl { shared: self.shared.clone(), inner: self.inner.control() })
    }

    fn finish(&mut self) -> io::Result<()> {
        self.shared.changes.step()?;
        self.inner.finish()
    }
}

#[derive(Debug)]
struct FaultControl {
    shared: Arc<Shared>,
    inner: Arc<dyn LogControl>,
}

impl LogControl for FaultControl {
    fn sync(&self, site: SyncSite) -> io::Result<()> {
        self.shared.changes.step()?;
        self.inner.sync(site)
    }

    fn allocate_ahead(&self) -> io::Result<()> {
        self.shared.changes.step()?;
        self.inner.allocate_ahead()
    }
}
