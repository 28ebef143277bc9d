//! A disk that holds back what it is asked for until a test lets it go on.
//!
//! Nothing is in the page cache: a read that must not wait finds nothing. What a file system does in memory is never
//! held: appending to a log, which goes to the page cache, by a copy into mapped memory or, behind a sync, by a `pwrite`.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use slice::vfs::{
    Access, AppendFile, FileLock, Fs, LogControl, LogFile, MemFs, Metadata, RandomAccessFile, SyncSite,
};

/// How long anything may take: what is not done by then hangs.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// What a disk is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ask {
    /// Bytes of an open file.
    Read,
    /// Bytes of a log made durable.
    SyncLog,
    /// Tables and other files that are written once: appended to, and synced.
    Write,
    /// Names: files created, opened, linked, removed, listed, directories synced; room for logs.
    Name,
}

impl Ask {
    pub(crate) const ALL: [Self; 4] = [Self::Read, Self::SyncLog, Self::Write, Self::Name];
}

#[derive(Debug, Default)]
struct State {
    held: BTreeSet<Ask>,
    waiting: usize,
}

/// Where everything passes by that reaches the disk.
#[derive(Debug, Default)]
struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

impl Gate {
    fn pass(&self, ask: Ask) {
        let mut state = self.state.lock().unwrap();
        if !state.held.contains(&ask) {
            return;
        }
        state.waiting += 1;
        self.changed.notify_all();
        // Nobody opens the gate once the test has failed.
        let (mut state, _) =
            self.changed.wait_timeout_while(state, LIMIT, |state| state.held.contains(&ask)).unwrap();
        state.waiting -= 1;
    }
}

/// A disk in memory, with a gate before it.
#[derive(Clone, Debug)]
pub(crate) struct HeldFs {
    inner: MemFs,
    gate: Arc<Gate>,
}

impl HeldFs {
    pub(crate) fn new() -> Self {
        Self { inner: MemFs::new(), gate: Arc::default() }
    }

    /// Holds back what is asked for from now on.
    pub(crate) fn hold(&self, asks: &[Ask]) {
        self.gate.state.lock().unwrap().held.extend(asks);
    }

    /// Waits until something is held back.
    pub(crate) fn wait_for_arrival(&self) {
        let state = self.gate.state.lock().unwrap();
        let waited = self.gate.changed.wait_timeout_while(state, LIMIT, |state| state.waiting == 0).unwrap();
        let is_in_vain = waited.1.timed_out();
        // Not under the lock, which the store's threads still need.
        drop(waited);
        assert!(!is_in_vain, "nothing asks the disk");
    }

    /// Lets everything go on.
    pub(crate) fn let_go(&self) {
        self.gate.state.lock().unwrap().held.clear();
        self.gate.changed.notify_all();
    }

    fn ask<T>(&self, ask: Ask, operation: impl FnOnce(&MemFs) -> T) -> T {
        self.gate.pass(ask);
        operation(&self.inner)
    }

    fn log(&self, inner: Box<dyn LogFile>) -> Box<dyn LogFile> {
        Box::new(Held { inner, gate: Arc::clone(&self.gate) })
    }
}

#[derive(Debug)]
struct Held<T> {
    inner: T,
    gate: Arc<Gate>,
}

impl Fs for HeldFs {
    fn id(&self) -> u64 {
        self.inner.id()
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.inner.canonicalize(path)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.ask(Ask::Name, |fs| fs.create_dir_all(path))
    }

    fn list_dir(&self, path: &Path) -> io::Result<Vec<String>> {
        self.ask(Ask::Name, |fs| fs.list_dir(path))
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.ask(Ask::Name, |fs| fs.metadata(path))
    }

    fn open_random(&self, path: &Path) -> io::Result<Arc<dyn RandomAccessFile>> {
        let inner = self.ask(Ask::Name, |fs| fs.open_random(path))?;
        Ok(Arc::new(Held { inner, gate: Arc::clone(&self.gate) }))
    }

    fn create_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        let inner = self.ask(Ask::Name, |fs| fs.create_append(path))?;
        Ok(Box::new(Held { inner, gate: Arc::clone(&self.gate) }))
    }

    fn create_log(&self, path: &Path) -> io::Result<Box<dyn LogFile>> {
        self.ask(Ask::Name, |fs| fs.create_log(path)).map(|inner| self.log(inner))
    }

    fn recycle_log(&self, from: &Path, to: &Path) -> io::Result<Box<dyn LogFile>> {
        self.ask(Ask::Name, |fs| fs.recycle_log(from, to)).map(|inner| self.log(inner))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.ask(Ask::Name, |fs| fs.rename(from, to))
    }

    fn hard_link(&self, original: &Path, link: &Path) -> io::Result<()> {
        self.ask(Ask::Name, |fs| fs.hard_link(original, link))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.ask(Ask::Name, |fs| fs.remove_file(path))
    }

    fn sync_file(&self, path: &Path, site: SyncSite) -> io::Result<()> {
        self.ask(Ask::Write, |fs| fs.sync_file(path, site))
    }

    fn sync_dir(&self, path: &Path, site: SyncSite) -> io::Result<()> {
        self.ask(Ask::Name, |fs| fs.sync_dir(path, site))
    }

    fn try_lock(&self, path: &Path, note: &str) -> io::Result<Option<Box<dyn FileLock>>> {
        self.ask(Ask::Name, |fs| fs.try_lock(path, note))
    }

    fn try_lock_shared(&self, path: &Path) -> io::Result<Option<Box<dyn FileLock>>> {
        self.ask(Ask::Name, |fs| fs.try_lock_shared(path))
    }
}

impl RandomAccessFile for Held<Arc<dyn RandomAccessFile>> {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.gate.pass(Ask::Read);
        self.inner.read_exact_at(buf, offset)
    }

    fn try_read_exact_at(&self, _: &mut [u8], _: u64) -> io::Result<bool> {
        Ok(false)
    }

    fn advise(&self, access: Access) {
        self.inner.advise(access);
    }
}

impl AppendFile for Held<Box<dyn AppendFile>> {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.gate.pass(Ask::Write);
        self.inner.append(bytes)
    }

    fn sync(&mut self, site: SyncSite) -> io::Result<()> {
        self.gate.pass(Ask::Write);
        self.inner.sync(site)
    }
}

impl LogFile for Held<Box<dyn LogFile>> {
    fn append(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        self.inner.append(parts)
    }

    fn len(&self) -> u64 {
        self.inner.len()
    }

    fn is_low(&self) -> bool {
        self.inner.is_low()
    }

    fn control(&self) -> Arc<dyn LogControl> {
        Arc::new(Held { inner: self.inner.control(), gate: Arc::clone(&self.gate) })
    }

    fn finish(&mut self) -> io::Result<()> {
        self.gate.pass(Ask::Name);
        self.inner.finish()
    }
}

impl LogControl for Held<Arc<dyn LogControl>> {
    fn sync(&self, site: SyncSite) -> io::Result<()> {
        self.gate.pass(Ask::SyncLog);
        self.inner.sync(site)
    }

    fn allocate_ahead(&self) -> io::Result<()> {
        self.gate.pass(Ask::Name);
        self.inner.allocate_ahead()
    }
}
