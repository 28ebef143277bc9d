//! The file system of the operating system.
//!
//! Names go through `std::fs`; [`file`] holds tables and the like, [`log`] chooses between the two kinds of log:
//! [`plain`] calls `pwrite`, [`mapped_log`] copies into a mapping.
//!
//! Invariant: nothing here is durable by itself but what [`create_dir_all`](Fs::create_dir_all) made. The layers
//! above say when.
#![expect(clippy::disallowed_methods, reason = "this is the place that the others are sent to")]

mod file;
mod lock;
mod log;
#[cfg(target_os = "linux")]
mod mapped;
#[cfg(target_os = "linux")]
mod mapped_log;
mod plain;
#[cfg(test)]
mod tests;

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::helpers::parent;
use crate::{AppendFile, FileLock, Fs, LogFile, Metadata, RandomAccessFile, SyncSite};
use file::{StdAppend, StdRandom};
use log::Kind;

/// The file system of the operating system.
///
/// A clone is the same file system. Threads may share one freely.
#[derive(Clone, Debug, Default)]
pub struct StdFs {
    logs: Kind,
}

impl StdFs {
    /// Maps logs where the file system is known to do that well (ext4, xfs, tmpfs), and writes them plainly
    /// elsewhere.
    pub fn new() -> Self {
        Self::default()
    }

    /// Never maps a log: for file systems that claim to be what they are not, and for tests.
    pub fn plain_logs() -> Self {
        Self { logs: Kind::Plain }
    }
}

impl Fs for StdFs {
    fn id(&self) -> u64 {
        0
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(path)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        if path.as_os_str().is_empty() {
            return Ok(());
        }
        if fs::metadata(path).is_ok_and(|found| found.is_dir()) {
            return sync_old_name(path);
        }
        self.create_dir_all(parent(path))?;
        match fs::create_dir(path) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists && path.is_dir() => {}
            made => made?,
        }
        self.sync_dir(parent(path), SyncSite::DIRECTORY_NAME)
    }

    fn list_dir(&self, path: &Path) -> io::Result<Vec<String>> {
        // A name that is not UTF-8 is none of ours, and a `String` could not lead back to it.
        let names = fs::read_dir(path)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
        let mut names = names.filter_map(Result::transpose).collect::<io::Result<Vec<_>>>()?;
        names.sort_unstable();
        Ok(names)
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        let found = fs::metadata(path)?;
        Ok(Metadata { is_dir: found.is_dir(), len: found.len() })
    }

    fn open_random(&self, path: &Path) -> io::Result<Arc<dyn RandomAccessFile>> {
        Ok(Arc::new(StdRandom::new(File::open(path)?)))
    }

    fn create_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        Ok(Box::new(StdAppend::new(create_new(path)?)))
    }

    fn create_log(&self, path: &Path) -> io::Result<Box<dyn LogFile>> {
        log::open(self.logs, create_new(path)?, 0).inspect_err(|_| {
            // An empty file in the way would turn the next attempt into `AlreadyExists`.
            let _ = fs::remove_file(path);
        })
    }

    fn recycle_log(&self, from: &Path, to: &Path) -> io::Result<Box<dyn LogFile>> {
        fs::rename(from, to)?;
        reopen_log(self.logs, to).inspect_err(|_| {
            // So that it can be tried again.
            let _ = fs::rename(to, from);
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn hard_link(&self, original: &Path, link: &Path) -> io::Result<()> {
        fs::hard_link(original, link)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_file(&self, path: &Path, _site: SyncSite) -> io::Result<()> {
        // Another process may have written it, and a writer's `fdatasync` is its own: all of it, then.
        File::open(path)?.sync_all()
    }

    fn sync_dir(&self, path: &Path, _site: SyncSite) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn try_lock(&self, path: &Path, note: &str) -> io::Result<Option<Box<dyn FileLock>>> {
        lock::try_lock(path, note)
    }

    fn try_lock_shared(&self, path: &Path) -> io::Result<Option<Box<dyn FileLock>>> {
        lock::try_lock_shared(path)
    }
}

/// Creates a file that is read and written (a mapping needs both), unless there is one.
fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path)
}

/// Opens a finished log as an empty one.
fn reopen_log(logs: Kind, path: &Path) -> io::Result<Box<dyn LogFile>> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let past = file.metadata()?.len();
    log::open(logs, file, past)
}

/// Makes the name of a directory durable that was there already: whoever made it may have died before that.
///
/// The parent may be out of bounds for us (`/home`); then it is not ours to worry about.
fn sync_old_name(path: &Path) -> io::Result<()> {
    match File::open(parent(path)) {
        Err(e) if e.kind() == ErrorKind::PermissionDenied => Ok(()),
        opened => match opened?.sync_all() {
            // Some file systems (and all read-only ones) cannot sync a directory that nobody here changed.
            Err(e) if matches!(e.kind(), ErrorKind::InvalidInput | ErrorKind::ReadOnlyFilesystem) => Ok(()),
            synced => synced,
        },
    }
}
