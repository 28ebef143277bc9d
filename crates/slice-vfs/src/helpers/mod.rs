//! What every user of an [`Fs`] needs sooner or later, in terms of the trait.

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::{Fs, SyncSite};

/// Reads a whole file. The memory is bounded by the length that the file system reports.
pub fn read_all(fs: &dyn Fs, path: &Path) -> io::Result<Vec<u8>> {
    let file = fs.open_random(path)?;
    let len = usize::try_from(file.len()?).map_err(|_| ErrorKind::FileTooLarge)?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len)?;
    bytes.resize(len, 0);
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// Why [`write_atomic`] makes the two halves of a file durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtomicSites {
    /// For the bytes, before the file gets its name: without it the new content may be none.
    pub bytes: SyncSite,
    /// For the name: without it the old content may come back.
    pub name: SyncSite,
}

/// Replaces the content of a file, durably: after a crash at any moment it has either the old or the new content,
/// and after the return the new one.
///
/// By way of `<name>.tmp` beside it, which is written, synced and renamed. One caller at a time for each `path`.
pub fn write_atomic(fs: &dyn Fs, path: &Path, bytes: &[u8], sites: AtomicSites) -> io::Result<()> {
    let temporary = temporary_name(path);
    match fs.remove_file(&temporary) {
        Err(e) if e.kind() == ErrorKind::NotFound => {}
        removed => removed?,
    }
    let mut file = fs.create_append(&temporary)?;
    file.append(bytes)?;
    file.sync(sites.bytes)?;
    drop(file);
    fs.rename(&temporary, path)?;
    fs.sync_dir(parent(path), sites.name)
}

/// The directory that holds the name of `path`.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => path,
    }
}

fn temporary_name(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".tmp");
    name.into()
}

/// Lets the calling thread give way to others: for work in the background. Best effort, and for good.
pub fn lower_thread_priority() {
    // On Linux a "process" of this call is a thread, and none named is the caller. 10 of 19 steps down: a thread at
    // the bottom may starve on a busy machine, and with it the writers that wait for its compaction.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, 10);
}
