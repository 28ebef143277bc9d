//! The one place that deals with `Interrupted`: whatever a signal cut short is asked for again.
//!
//! That is right for every operation, because of the promise that [`Fs`] gives: an interrupted one has done nothing.
//! It is right for a sync, too. An interrupted sync has said nothing about the bytes, while a failed one has said that
//! they may be lost; only the failed one must never be asked for again. (`File::sync_all` of std repeats both kinds
//! of fsync on `EINTR`, and PostgreSQL's `pg_fsync` does.)
//!
//! Invariant: no more than `ATTEMPTS` in a row, so that a file system that says nothing else is an error, not a hang.

#[cfg(test)]
mod tests;

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{Access, AppendFile, FileLock, Fs, LogControl, LogFile, Metadata, RandomAccessFile, SyncSite};

/// How often an operation is asked for before `Interrupted` is taken for a failure like any other.
const ATTEMPTS: usize = 100;

/// The same file system, without `Interrupted`: what fails so is tried again, up to a hundred times.
pub fn uninterrupted(fs: Arc<dyn Fs>) -> Arc<dyn Fs> {
    Arc::new(Uninterrupted(fs))
}

#[derive(Debug)]
struct Uninterrupted<T>(T);

#[inline]
fn retry<T>(mut operation: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    for _ in 1..ATTEMPTS {
        match operation() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
    operation()
}

impl Fs for Uninterrupted<Arc<dyn Fs>> {
    fn id(&self) -> u64 {
        self.0.id()
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        retry(|| self.0.canonicalize(path))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        retry(|| self.0.create_dir_all(path))
    }

    fn list_dir(&self, path: &Path) -> io::Result<Vec<String>> {
        retry(|| self.0.list_dir(path))
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        retry(|| self.0.metadata(path))
    }

    fn open_random(&self, path: &Path) -> io::Result<Arc<dyn RandomAccessFile>> {
        Ok(Arc::new(Uninterrupted(retry(|| self.0.open_random(path))?)))
    }

    fn create_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        Ok(Box::new(Uninterrupted(retry(|| self.0.create_append(path))?)))
    }

    fn create_log(&self, path: &Path) -> io::Result<Box<dyn LogFile>> {
        Ok(Box::new(Uninterrupted(retry(|| self.0.create_log(path))?)))
    }

    fn recycle_log(&self, from: &Path, to: &Path) -> io::Result<Box<dyn LogFile>> {
        Ok(Box::new(Uninterrupted(retry(|| self.0.recycle_log(from, to))?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        retry(|| self.0.rename(from, to))
    }

    fn hard_link(&self, original: &Path, link: &Path) -> io::Result<()> {
        retry(|| self.0.hard_link(original, link))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        retry(|| self.0.remove_file(path))
    }

    fn sync_file(&self, path: &Path, site: SyncSite) -> io::Result<()> {
        retry(|| self.0.sync_file(path, site))
    }

    fn sync_dir(&self, path: &Path, site: SyncSite) -> io::Result<()> {
        retry(|| self.0.sync_dir(path, site))
    }

    fn try_lock(&self, path: &Path, note: &str) -> io::Result<Option<Box<dyn FileLock>>> {
        retry(|| self.0.try_lock(path, note))
    }

    fn try_lock_shared(&self, path: &Path) -> io::Result<Option<Box<dyn FileLock>>> {
        retry(|| self.0.try_lock_shared(path))
    }
}

impl RandomAccessFile for Uninterrupted<Arc<dyn RandomAccessFile>> {
    fn len(&self) -> io::Result<u64> {
        retry(|| self.0.len())
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        retry(|| self.0.read_exact_at(buf, offset))
    }

    fn try_read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<bool> {
        retry(|| self.0.try_read_exact_at(buf, offset))
    }

    fn advise(&self, access: Access) {
        self.0.advise(access);
    }
}

impl AppendFile for Uninterrupted<Box<dyn AppendFile>> {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        retry(|| self.0.append(bytes))
    }

    fn sync(&mut self, site: SyncSite) -> io::Result<()> {
        retry(|| self.0.sync(site))
    }
}

impl LogFile for Uninterrupted<Box<dyn LogFile>> {
    #[inline]
    fn append(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        retry(|| self.0.append(parts))
    }

    fn len(&self) -> u64 {
        self.0.len()
    }

    fn is_low(&self) -> bool {
        self.0.is_low()
    }

    fn control(&self) -> Arc<dyn LogControl> {
        Arc::new(Uninterrupted(self.0.control()))
    }

    fn finish(&mut self) -> io::Result<()> {
        retry(|| self.0.finish())
    }
}

impl LogControl for Uninterrupted<Arc<dyn LogControl>> {
    fn sync(&self, site: SyncSite) -> io::Result<()> {
        retry(|| self.0.sync(site))
    }

    fn allocate_ahead(&self) -> io::Result<()> {
        retry(|| self.0.allocate_ahead())
    }
}
