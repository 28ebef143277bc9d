//! A file system in memory that knows what a power failure would leave of it.
//!
//! [`state`] holds it, [`inner`] changes it, [`image`] says what a crash leaves, [`journal`] records it for replay, [`handles`] are the open
//! files, [`content`] their bytes.
//!
//! Invariant: every change is an operation that goes through `Inner::perform`, which counts it, records it and
//! applies it, in one order.

mod content;
mod handles;
mod image;
mod inner;
mod journal;
mod random;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::{AppendFile, FileLock, Fs, LogFile, Metadata, RandomAccessFile, SyncSite};
use handles::{Handle, MemAppend, MemLock, MemLog, MemRandom};
use inner::{Holders, Inner, absolute};
use journal::Journal;
pub use journal::{History, OpInfo, OpKind, Replay};
use state::{NameChange, Op, State};

/// What a log of a [`MemFs`] looks like to a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogKind {
    /// The file ends where the appended bytes end.
    Plain,
    /// The file grows by chunks of zeros, as a mapped log does.
    Preallocated {
        /// The length of a chunk, in bytes; not 0.
        chunk: u64,
    },
}

impl Default for LogKind {
    fn default() -> Self {
        Self::Preallocated { chunk: 64 << 10 }
    }
}

/// A file system in memory, for tests: it keeps apart what is live and what is synced, and gives a
/// [crash image](MemFs::crash_image) of what a power failure would leave.
///
/// A clone is the same file system. Threads may share one freely. It starts with an empty root directory; a relative
/// path is relative to that. Bytes that are never synced are held twice, so that it knows what is at stake.
#[derive(Clone, Debug)]
pub struct MemFs {
    shared: Arc<Shared>,
}

impl Default for MemFs {
    fn default() -> Self {
        Self::new()
    }
}

impl MemFs {
    /// An empty file system whose logs look like mapped ones.
    pub fn new() -> Self {
        Self::with_log_kind(LogKind::default())
    }

    /// An empty file system whose logs look like this.
    ///
    /// # Panics
    ///
    /// When a chunk is 0 bytes long.
    pub fn with_log_kind(kind: LogKind) -> Self {
        assert_ne!(kind, LogKind::Preallocated { chunk: 0 }, "a chunk has bytes");
        Self::build(State::new(), kind, None)
    }

    /// An empty file system that keeps a [history](MemFs::history) of its operations, with all bytes ever written.
    pub fn recording() -> Self {
        Self::recording_with_log_kind(LogKind::default())
    }

    /// The same with logs that look like this.
    ///
    /// # Panics
    ///
    /// When a chunk is 0 bytes long.
    pub fn recording_with_log_kind(kind: LogKind) -> Self {
        let fs = Self::with_log_kind(kind);
        fs.record();
        fs
    }

    /// What a power failure now may leave: the synced state, and of what came after a part that `seed` chooses.
    ///
    /// `keep` is the probability that a write, sector by sector, a change of length or a change of a name is kept:
    /// none at 0.0, all at 1.0. A change of names is kept whole or not at all, so that a renamed file never loses both
    /// names. The image is a file system of its own, in which everything is synced, no lock is held and nothing is
    /// recorded.
    #[must_use]
    pub fn crash_image(&self, keep: f64, seed: u64) -> MemFs {
        let inner = self.shared.read();
        Self::build(inner.state.crashed(keep, seed), self.shared.log_kind, None)
    }

    /// How many mutating operations there were: also those that allocate space for a log.
    pub fn operations(&self) -> u64 {
        self.shared.read().operations
    }

    /// Begins a [history](MemFs::history) with what is there now, and forgets an earlier one. So the recovery of a
    /// crash image is recorded, to crash it in turn.
    pub fn record(&self) {
        let mut inner = self.shared.write();
        inner.journal = Some(Journal::new(inner.state.clone()));
    }

    /// The operations since the recording began. Empty unless the file system is [`recording`](MemFs::recording).
    pub fn history(&self) -> History {
        let inner = self.shared.read();
        let nothing = || Journal::new(State::new()).history(self.shared.log_kind);
        inner.journal.as_ref().map_or_else(nothing, |journal| journal.history(self.shared.log_kind))
    }

    /// What the end of the process leaves now: see [`Replay::killed_image`].
    #[must_use]
    pub fn killed_image(&self) -> MemFs {
        Self::build(self.shared.read().state.killed(), self.shared.log_kind, None)
    }

    /// Makes the syncs of one site do nothing from now on, here and in the crash images that are taken: the mutant of
    /// a program that forgot the call. What is live does not change. A power failure that then loses something proves
    /// that the call is needed, and that the test would miss it.
    ///
    /// ```
    /// use slice_vfs::{AtomicSites, Fs, MemFs, SyncSite, read_all, write_atomic};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// const BYTES: SyncSite = SyncSite::new("note.bytes");
    /// const NAME: SyncSite = SyncSite::new("note.name");
    /// let note = std::path::Path::new("/note");
    ///
    /// let fs = MemFs::new();
    /// fs.ignore_syncs(BYTES);
    /// write_atomic(&fs, note, b"remember the milk", AtomicSites { bytes: BYTES, name: NAME })?;
    /// assert_eq!(read_all(&fs, note)?, b"remember the milk");
    ///
    /// let after_a_power_failure = fs.crash_image(0.0, 1);
    /// assert_eq!(read_all(&after_a_power_failure, note)?, b"");
    /// # Ok(()) }
    /// ```
    pub fn ignore_syncs(&self, site: SyncSite) {
        self.shared.write().state.ignored.insert(site);
    }

    /// Says that another device begins at a directory: a link or a rename across its border is `CrossesDevices`.
    pub fn mount(&self, dir: &Path) {
        self.shared.write().state.mounts.insert(absolute(dir));
    }

    /// From now on a read that must not wait for a disk gives up each time: nothing is in the page cache.
    pub fn make_cold(&self) {
        self.shared.is_cold.store(true, Ordering::Relaxed);
    }

    fn build(state: State, log_kind: LogKind, journal: Option<Journal>) -> Self {
        // 0 is the operating system's.
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        let inner = Inner { state, journal, operations: 0, locked: BTreeMap::new() };
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Self {
            shared: Arc::new(Shared {
                id,
                log_kind,
                is_cold: AtomicBool::new(false),
                inner: RwLock::new(inner),
            }),
        }
    }
}

#[derive(Debug)]
struct Shared {
    id: u64,
    log_kind: LogKind,
    is_cold: AtomicBool,
    inner: RwLock<Inner>,
}

impl Shared {
    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        // A panic of a test's own thread does not change what was applied before.
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fs for MemFs {
    fn id(&self) -> u64 {
        self.shared.id
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        let path = absolute(path);
        let inner = self.shared.read();
        if !inner.state.dirs.contains(&path) {
            inner.find(&path)?;
        }
        Ok(path.to_path_buf())
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let path = absolute(path);
        let mut inner = self.shared.write();
        let missing: Vec<_> = path.ancestors().take_while(|dir| !inner.state.dirs.contains(*dir)).collect();
        if missing.iter().any(|dir| inner.state.live.get(dir).is_some()) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        if let Some(there) = path.ancestors().nth(missing.len()) {
            // Whoever made it may not have come to that.
            inner.sync_name_of(there);
        }
        for dir in missing.iter().rev() {
            inner.perform(&Op::CreateDir((*dir).into()));
            inner.sync_name_of(dir);
        }
        Ok(())
    }

    fn list_dir(&self, path: &Path) -> io::Result<Vec<String>> {
        let path = absolute(path);
        let inner = self.shared.read();
        inner.check_dir(&path)?;
        let all = inner.state.live.iter().map(|(file, _)| file).chain(&inner.state.dirs);
        let inside = all.filter(|other| other.parent() == Some(&path));
        let names = inside.filter_map(|other| Some(other.file_name()?.to_str()?.to_owned()));
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        Ok(names)
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        let path = absolute(path);
        let inner = self.shared.read();
        if inner.state.dirs.contains(&path) {
            return Ok(Metadata { is_dir: true, len: 0 });
        }
        Ok(Metadata { is_dir: false, len: inner.file_len(inner.find(&path)?) })
    }

    fn open_random(&self, path: &Path) -> io::Result<Arc<dyn RandomAccessFile>> {
        let mut inner = self.shared.write();
        let inode = inner.find(&absolute(path))?;
        Ok(Arc::new(MemRandom::new(Handle::open(&self.shared, &mut inner, inode))))
    }

    fn create_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        let mut inner = self.shared.write();
        let inode = inner.create(absolute(path))?;
        Ok(Box::new(MemAppend::new(Handle::open(&self.shared, &mut inner, inode))))
    }

    fn create_log(&self, path: &Path) -> io::Result<Box<dyn LogFile>> {
        let mut inner = self.shared.write();
        let inode = inner.create(absolute(path))?;
        Ok(Box::new(MemLog::new(Handle::open(&self.shared, &mut inner, inode), &mut inner)))
    }

    fn recycle_log(&self, from: &Path, to: &Path) -> io::Result<Box<dyn LogFile>> {
        let mut inner = self.shared.write();
        let inode = inner.rename(absolute(from), absolute(to))?;
        Ok(Box::new(MemLog::new(Handle::open(&self.shared, &mut inner, inode), &mut inner)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.shared.write().rename(absolute(from), absolute(to)).map(|_| ())
    }

    fn hard_link(&self, original: &Path, link: &Path) -> io::Result<()> {
        self.shared.write().link(&absolute(original), absolute(link))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let path = absolute(path);
        let mut inner = self.shared.write();
        let entry = inner.find_entry(&path)?;
        inner.perform(&Op::Name(NameChange::Remove(path, entry)));
        Ok(())
    }

    fn sync_file(&self, path: &Path, site: SyncSite) -> io::Result<()> {
        let mut inner = self.shared.write();
        let inode = inner.find(&absolute(path))?;
        inner.perform(&Op::SyncFile(inode, site));
        Ok(())
    }

    fn sync_dir(&self, path: &Path, site: SyncSite) -> io::Result<()> {
        let path = absolute(path);
        let mut inner = self.shared.write();
        inner.check_dir(&path)?;
        inner.perform(&Op::SyncDir(path, site));
        Ok(())
    }

    fn try_lock(&self, path: &Path, note: &str) -> io::Result<Option<Box<dyn FileLock>>> {
        let path = absolute(path);
        let mut inner = self.shared.write();
        let inode = match inner.find(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound => inner.create(path)?,
            found => found?,
        };
        if !inner.lock(inode, Holders::One) {
            return Ok(None);
        }
        inner.write(inode, 0, note.as_bytes());
        inner.set_len(inode, note.len() as u64);
        Ok(Some(Box::new(MemLock::new(Handle::open(&self.shared, &mut inner, inode)))))
    }

    fn try_lock_shared(&self, path: &Path) -> io::Result<Option<Box<dyn FileLock>>> {
        let mut inner = self.shared.write();
        let inode = inner.find(&absolute(path))?;
        if !inner.lock(inode, Holders::Many(1)) {
            return Ok(None);
        }
        Ok(Some(Box::new(MemLock::new(Handle::open(&self.shared, &mut inner, inode)))))
    }
}
