//! A file system that is only looked at: whatever would change anything is refused as `ReadOnlyFilesystem`.
//!
//! Invariant: nothing that changes anything reaches the file system below, locks that write a note included.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{AppendFile, FileLock, Fs, LogFile, Metadata, RandomAccessFile, SyncSite};

/// The same file system, to be read only.
///
/// ```
/// use std::path::Path;
/// use std::sync::Arc;
/// use slice_vfs::{Fs, MemFs, read_only};
///
/// let fs = MemFs::new();
/// let looked_at = read_only(Arc::new(fs.clone()));
/// let refused = looked_at.create_append(Path::new("/file")).unwrap_err();
/// assert_eq!(refused.kind(), std::io::ErrorKind::ReadOnlyFilesystem);
/// assert!(looked_at.list_dir(Path::new("/")).unwrap().is_empty());
/// assert_eq!(fs.operations(), 0);
/// ```
pub fn read_only(fs: Arc<dyn Fs>) -> Arc<dyn Fs> {
    Arc::new(ReadOnly(fs))
}

#[derive(Debug)]
struct ReadOnly(Arc<dyn Fs>);

fn refused<T>() -> io::Result<T> {
    Err(ErrorKind::ReadOnlyFilesystem.into())
}

impl Fs for ReadOnly {
    fn id(&self) -> u64 {
        self.0.id()
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.0.canonicalize(path)
    }

    fn create_dir_all(&self, _: &Path) -> io::Result<()> {
        refused()
    }

    fn list_dir(&self, path: &Path) -> io::Result<Vec<String>> {
        self.0.list_dir(path)
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.0.metadata(path)
    }

    fn open_random(&self, path: &Path) -> io::Result<Arc<dyn RandomAccessFile>> {
        self.0.open_random(path)
    }

    fn create_append(&self, _: &Path) -> io::Result<Box<dyn AppendFile>> {
        refused()
    }

    fn create_log(&self, _: &Path) -> io::Result<Box<dyn LogFile>> {
        refused()
    }

    fn recycle_log(&self, _: &Path, _: &Path) -> io::Result<Box<dyn LogFile>> {
        refused()
    }

    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        refused()
    }

    fn hard_link(&self, _: &Path, _: &Path) -> io::Result<()> {
        refused()
    }

    fn remove_file(&self, _: &Path) -> io::Result<()> {
        refused()
    }

    fn sync_file(&self, _: &Path, _: SyncSite) -> io::Result<()> {
        refused()
    }

    fn sync_dir(&self, _: &Path, _: SyncSite) -> io::Result<()> {
        refused()
    }

    fn try_lock(&self, _: &Path, _: &str) -> io::Result<Option<Box<dyn FileLock>>> {
        refused()
    }

    fn try_lock_shared(&self, path: &Path) -> io::Result<Option<Box<dyn FileLock>>> {
        self.0.try_lock_shared(path)
    }
}
