//! A file system that fails on demand.
//!
//! It counts the operations that reach it, those that change something and those that read apart, and fails the
//! chosen ones before (a short write: in the middle of) what they would do. [`lane`] holds the two counts and what is
//! planned for them, [`handles`] are the open files.
//!
//! Invariant: an operation that fails here has not reached the inner file system, but for the front half of a short
//! write. A failed sync, above all, has made nothing durable.

mod handles;
mod lane;
#[cfg(test)]
mod tests;

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{AppendFile, FileLock, Fs, LogFile, Metadata, RandomAccessFile, SyncSite};
use handles::{FaultAppend, FaultLog, FaultRandom};
use lane::Lane;

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The disk fails: `EIO`.
    Eio,
    /// The disk is full: `ENOSPC`.
    Enospc,
    /// Half of the bytes are appended, then it is a `WriteZero`.
    ///
    /// A log takes a short write back by contract, so nothing is appended to one. An operation that writes nothing
    /// just fails.
    ShortWrite,
    /// A signal came in between: `Interrupted`. Nothing was done; the caller may try again.
    Interrupted,
}

impl Fault {
    fn to_error(self) -> io::Error {
        #[cfg(unix)]
        match self {
            Self::Eio => return rustix::io::Errno::IO.into(),
            Self::Enospc => return rustix::io::Errno::NOSPC.into(),
            Self::ShortWrite | Self::Interrupted => {}
        }
        let kind = match self {
            Self::Eio => ErrorKind::Other,
            Self::Enospc => ErrorKind::StorageFull,
            Self::ShortWrite => ErrorKind::WriteZero,
            Self::Interrupted => ErrorKind::Interrupted,
        };
        kind.into()
    }
}

/// For how long operations fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Span {
    /// The chosen one only.
    Once,
    /// The chosen one and all after it, until [`FaultFs::clear`].
    Forever,
}

/// A file system over another one, whose chosen operations fail.
///
/// A clone is the same file system, with the same counts and plans. Operations are counted from 0, in the order in
/// which they begin, over all files and threads. Those that change something (syncs, locks, allocation and the end of
/// a log included) and those that read (names, lengths and bytes) are counted apart.
#[derive(Clone, Debug)]
pub struct FaultFs {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    inner: Arc<dyn Fs>,
    changes: Lane,
    reads: Lane,
}

impl FaultFs {
    /// Lets everything through to `inner` until told otherwise.
    pub fn new(inner: Arc<dyn Fs>) -> Self {
        Self { shared: Arc::new(Shared { inner, changes: Lane::default(), reads: Lane::default() }) }
    }

    /// Fails the `n`-th operation that changes something, once.
    pub fn fail_at(&self, n: u64, fault: Fault) {
        self.fail_at_for(n, fault, Span::Once);
    }

    /// Fails the `n`-th operation that changes something, and perhaps those after it.
    pub fn fail_at_for(&self, n: u64, fault: Fault, span: Span) {
        self.shared.changes.plan(n, fault, span);
    }

    /// Fails the `n`-th operation that reads, once.
    pub fn fail_read_at(&self, n: u64, fault: Fault) {
        self.fail_read_at_for(n, fault, Span::Once);
    }

    /// Fails the `n`-th operation that reads, and perhaps those after it.
    pub fn fail_read_at_for(&self, n: u64, fault: Fault, span: Span) {
        self.shared.reads.plan(n, fault, span);
    }

    /// Forgets the faults that are planned. The counts go on.
    pub fn clear(&self) {
        self.shared.changes.clear();
        self.shared.reads.clear();
    }

    /// How many operations there were that change something, the failed ones included.
    pub fn operations(&self) -> u64 {
        self.shared.changes.count()
    }

    /// How many operations there were that read, the failed ones included.
    pub fn read_operations(&self) -> u64 {
        self.shared.reads.count()
    }
}

impl Fs for FaultFs {
    fn id(&self) -> u64 {
        self.shared.inner.id()
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.shared.reads.step()?;
        self.shared.inner.canonicalize(path)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.shared.changes.step()?;
        self.shared.inner.create_dir_all(path)
    }

    fn list_dir(&self, path: &Path) -> io::Result<Vec<String>> {
        self.shared.reads.step()?;
        self.shared.inner.list_dir(path)
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.shared.reads.step()?;
        self.shared.inner.metadata(path)
    }

    fn open_random(&self, path: &Path) -> io::Result<Arc<dyn RandomAccessFile>> {
        self.shared.reads.step()?;
        let inner = self.shared.inner.open_random(path)?;
        Ok(Arc::new(FaultRandom::new(self.shared.clone(), inner)))
    }

    fn create_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        self.shared.changes.step()?;
        let inner = self.shared.inner.create_append(path)?;
        Ok(Box::new(FaultAppend::new(self.shared.clone(), inner)))
    }

    fn create_log(&self, path: &Path) -> io::Result<Box<dyn LogFile>> {
        self.shared.changes.step()?;
        let inner = self.shared.inner.create_log(path)?;
        Ok(Box::new(FaultLog::new(self.shared.clone(), inner)))
    }

    fn recycle_log(&self, from: &Path, to: &Path) -> io::Result<Box<dyn LogFile>> {
        self.shared.changes.step()?;
        let inner = self.shared.inner.recycle_log(from, to)?;
        Ok(Box::new(FaultLog::new(self.shared.clone(), inner)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.shared.changes.step()?;
        self.shared.inner.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.shared.changes.step()?;
        self.shared.inner.remove_file(path)
    }

    fn sync_file(&self, path: &Path, site: SyncSite) -> io::Result<()> {
        self.shared.changes.step()?;
        self.shared.inner.sync_file(path, site)
    }

    fn sync_dir(&self, path: &Path, site: SyncSite) -> io::Result<()> {
        self.shared.changes.step()?;
        self.shared.inner.sync_dir(path, site)
    }

    fn try_lock(&self, path: &Path, note: &str) -> io::Result<Option<Box<dyn FileLock>>> {
        self.shared.changes.step()?;
        self.shared.inner.try_lock(path, note)
    }
}
