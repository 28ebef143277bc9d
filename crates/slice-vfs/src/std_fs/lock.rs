//! The lock of a file: `flock`, by way of [`File::try_lock`] and [`File::try_lock_shared`].
//!
//! The lock belongs to the open file, so it excludes a second holder in this process as well as in another, and the
//! operating system drops it with the process.
#![expect(clippy::disallowed_methods, reason = "a lock file is opened in its own way")]

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::FileLock;

/// Holds the lock until it is dropped.
#[derive(Debug)]
struct Held {
    file: File,
}

impl FileLock for Held {}

impl Drop for Held {
    /// Closing the file is not enough: a process that another thread is just starting has it, too, between `fork` and
    /// `exec`, and would hold the lock for that long.
    fn drop(&mut self) {
        // An error leaves it to the closing.
        let _ = self.file.unlock();
    }
}

pub(super) fn try_lock(path: &Path, note: &str) -> io::Result<Option<Box<dyn FileLock>>> {
    // Not truncated: until the lock is ours, the note is its holder's.
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(e)) => return Err(e),
        Ok(()) => {}
    }
    // Over the old note and then to length, so that a full disk does not keep us out: the block is there.
    file.write_all_at(note.as_bytes(), 0)?;
    file.set_len(note.len() as u64)?;
    Ok(Some(Box::new(Held { file })))
}

pub(super) fn try_lock_shared(path: &Path) -> io::Result<Option<Box<dyn FileLock>>> {
    let file = File::open(path)?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(e),
        Ok(()) => Ok(Some(Box::new(Held { file }))),
    }
}
