//! A file system that fails on demand.
//!
//! It counts the operations that reach it, those that change something and those that read apart, and fails the
//! chosen ones before (a short write: in the middle of) what they would do. [`lane`] holds the two counts and what is
//! planned for them, [`operation`] is what a watcher is told, [`handles`] are the open files.
//!
//! Invariant: an operation that fails here has not reached the inner file system, but for the front half of a short
//! write. A failed sync, above all, has made nothing durable.

mod handles;
mod lane;
mod operation;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::{AppendFile, FileLock, Fs, LogFile, Metadata, RandomAccessFile, SyncSite};
use handles::{FaultAppend, FaultLog, FaultRandom, Handle};
use lane::Lane;
pub use operation::{Call, Operation};

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
    /// Nothing is done, and success is reported: a disk that lies. An operation that is neither an append nor a sync
    /// cannot be made up, and is done.
    Silent,
}

impl Fault {
    fn to_error(self) -> io::Error {
        #[cfg(unix)]
        match self {
            Self::Eio => return rustix::io::Errno::IO.into(),
            Self::Enospc => return rustix::io::Errno::NOSPC.into(),
            Self::ShortWrite | Self::Interrupted | Self::Silent => {}
        }
        let kind = match self {
            Self::Eio | Self::Silent => ErrorKind::Other,
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

struct Shared {
    inner: Arc<dyn Fs>,
    changes: Lane,
    reads: Lane,
    watcher: RwLock<Option<Arc<Watcher>>>,
    handles: AtomicU64,
}

type Watcher = dyn Fn(&Operation) + Send + Sync;

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inner, changes, reads, .. } = self;
        f.debug_struct("Shared")
            .field("inner", inner)
            .field("changes", changes)
            .field("reads", reads)
            .finish()
    }
}

impl Shared {
    /// Counts an operation, tells the watcher, and says how it is to fail.
    fn next(&self, call: Call, path: &Arc<Path>, handle: Option<u64>) -> Option<Fault> {
        let lane = if call.is_read() { &self.reads } else { &self.changes };
        let fault = lane.next();
        let watcher = self.watcher.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(watcher) = watcher {
            watcher(&Operation { call, path: Arc::clone(path), handle, fault });
        }
        fault
    }

    /// An operation on a name: fails before it begins, or not at all.
    fn step(&self, call: Call, path: &Path) -> io::Result<()> {
        fails_with(self.next(call, &Arc::from(path), None))
    }

    /// The same for a sync of a name: it may also be left out unsaid.
    fn sync_step(&self, call: Call, path: &Path, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        match self.next(call, &Arc::from(path), None) {
            Some(Fault::Silent) => Ok(()),
            fault => fails_with(fault).and_then(|()| sync()),
        }
    }

    fn new_handle(self: &Arc<Self>, path: &Path) -> Handle {
        let number = self.handles.fetch_add(1, Ordering::Relaxed);
        Handle { shared: Arc::clone(self), path: path.into(), number }
    }
}

/// The error of a fault that leaves its operation undone.
fn fails_with(fault: Option<Fault>) -> io::Result<()> {
    match fault {
        None | Some(Fault::Silent) => Ok(()),
        Some(fault) => Err(fault.to_error()),
    }
}

impl FaultFs {
    /// Lets everything through to `inner` until told otherwise.
    pub fn new(inner: Arc<dyn Fs>) -> Self {
        let (changes, reads) = (Lane::default(), Lane::default());
        let shared =
            Shared { inner, changes, reads, watcher: RwLock::default(), handles: AtomicU64::default() };
        Self { shared: Arc::new(shared) }
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

    /// Tells `watcher` of every operation from now on, on the thread that asks for it, before it is done or fails.
    ///
    /// No lock is held meanwhile: a watcher may plan faults for later operations, take its time, or panic, as a bug in
    /// a file system would.
    pub fn watch(&self, watcher: impl Fn(&Operation) + Send + Sync + 'static) {
        *self.shared.watcher.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(watcher));
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
        self.shared.step(Call::Canonicalize, path)?;
        self.shared.inner.canonicalize(path)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.shared.step(Call::CreateDirAll, path)?;
        self.shared.inner.create_dir_all(path)
    }

    fn list_dir(&self, path: &Path) -> io::Result<Vec<String>> {
        self.shared.step(Call::ListDir, path)?;
        self.shared.inner.list_dir(path)
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.shared.step(Call::Metadata, path)?;
        self.shared.inner.metadata(path)
    }

    fn open_random(&self, path: &Path) -> io::Result<Arc<dyn RandomAccessFile>> {
        self.shared.step(Call::OpenRandom, path)?;
        let inner = self.shared.inner.open_random(path)?;
        Ok(Arc::new(FaultRandom::new(self.shared.new_handle(path), inner)))
    }

    fn create_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        self.shared.step(Call::CreateAppend, path)?;
        let inner = self.shared.inner.create_append(path)?;
        Ok(Box::new(FaultAppend::new(self.shared.new_handle(path), inner)))
    }

    fn create_log(&self, path: &Path) -> io::Result<Box<dyn LogFile>> {
        self.shared.step(Call::CreateLog, path)?;
        let inner = self.shared.inner.create_log(path)?;
        Ok(Box::new(FaultLog::new(self.shared.new_handle(path), inner)))
    }

    fn recycle_log(&self, from: &Path, to: &Path) -> io::Result<Box<dyn LogFile>> {
        self.shared.step(Call::RecycleLog, from)?;
        let inner = self.shared.inner.recycle_log(from, to)?;
        Ok(Box::new(FaultLog::new(self.shared.new_handle(to), inner)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.shared.step(Call::Rename, from)?;
        self.shared.inner.rename(from, to)
    }

    fn hard_link(&self, original: &Path, link: &Path) -> io::Result<()> {
        self.shared.step(Call::HardLink, link)?;
        self.shared.inner.hard_link(original, link)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.shared.step(Call::RemoveFile, path)?;
        self.shared.inner.remove_file(path)
    }

    fn sync_file(&self, path: &Path, site: SyncSite) -> io::Result<()> {
        self.shared.sync_step(Call::SyncFile(site), path, || self.shared.inner.sync_file(path, site))
    }

    fn sync_dir(&self, path: &Path, site: SyncSite) -> io::Result<()> {
        self.shared.sync_step(Call::SyncDir(site), path, || self.shared.inner.sync_dir(path, site))
    }

    fn try_lock(&self, path: &Path, note: &str) -> io::Result<Option<Box<dyn FileLock>>> {
        self.shared.step(Call::TryLock, path)?;
        self.shared.inner.try_lock(path, note)
    }

    fn try_lock_shared(&self, path: &Path) -> io::Result<Option<Box<dyn FileLock>>> {
        self.shared.step(Call::TryLockShared, path)?;
        self.shared.inner.try_lock_shared(path)
    }
}
