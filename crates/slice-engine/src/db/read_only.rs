//! A store that is opened to be read only: by any number of processes at once, and never beside one that writes.
//!
//! ```text
//!   LOCK       shared; not there in a directory that nobody has opened for writing, a copy: then nobody is kept out
//!   logs       replayed into memory, and left as they are
//!   fs         a wrapper that refuses all that would change anything
//!   writers    refused, from the beginning
//! ```
//!
//! Invariant: not a byte of the directory is written.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use slice_types::{Error, ErrorKind, LogNumber, Result};
use slice_vfs::{FileLock, Fs, LogControl, LogFile, SyncSite, read_only};
use slice_wal::LogWriter;

use super::Core;
use super::names::{LOCK, log_path};
use super::open::{Declared, assemble, holder, nothing_here};
use crate::manifest::Manifest;
use crate::options::{Background, Builder, Options};
use crate::recovery::look_into_logs;
use crate::{LSMTree, blocking};

impl LSMTree {
    /// Opens the store in a directory to read it only, with the default options otherwise: as many may do so at once as
    /// like, in this process and in others, but nobody while somebody has it open for writing.
    ///
    /// Nothing in the directory is written, so it may be one that cannot be written to. What logs hold is replayed into
    /// memory, at each open. It shows the store as it is at the open.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when there is no store; `Locked` when it is open for writing; else as for [`new`](Self::new). All
    /// that would write is `ReadOnly` then.
    pub async fn open_read_only(path: impl AsRef<Path>) -> Result<Self> {
        Self::builder(path).read_only(true).open().await
    }
}

impl blocking::LSMTree {
    /// Opens the store in a directory to read it only.
    ///
    /// # Errors
    ///
    /// As [`slice::LSMTree::open_read_only`](crate::LSMTree::open_read_only).
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self> {
        Self::builder(path).read_only(true).open_blocking()
    }
}

impl Builder {
    /// Whether a directory, and a store in it, may be made.
    pub(crate) fn may_create(&self) -> bool {
        self.options.create_if_missing && !self.options.read_only
    }
}

impl Core {
    /// An error when the store was opened to be read only.
    pub(crate) fn check_writable(&self) -> Result<()> {
        if self.options.read_only { Err(refused(&self.dir)) } else { Ok(()) }
    }
}

/// What is told to who would write.
fn refused(dir: &Path) -> Error {
    let message = "the store was opened to be read only; open it without read_only to write";
    Error::new(ErrorKind::ReadOnly, message).with_file(dir)
}

/// Opens the database of a directory for reading.
pub(super) fn open(
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    options: Options,
    declared: &Declared,
) -> Result<Arc<Core>> {
    let shared = share_lock(&*fs, &dir)?;
    let state = Manifest::load(&*fs, &dir)?.ok_or_else(|| nothing_here(&dir))?;
    let recovered = look_into_logs(&*fs, &dir, &state, &options)?;
    let options = Options { background: Background::Inline, ..options };
    let reason = refused(&dir);
    let core = assemble(read_only(fs), dir, options, declared, &state, recovered, shared)?;
    core.commit.refuse(reason);
    core.balance_memory();
    core.declare(declared)?;
    Ok(core)
}

/// Keeps writers out, if there is a lock to be had.
fn share_lock(fs: &dyn Fs, dir: &Path) -> Result<Option<Box<dyn FileLock>>> {
    let path = dir.join(LOCK);
    match fs.try_lock_shared(&path) {
        Ok(Some(shared)) => Ok(Some(shared)),
        Ok(None) => {
            let message = format!("the store is open for writing{}; close it there first", holder(fs, &path));
            Err(Error::new(ErrorKind::Locked, message).with_file(dir))
        }
        // A writer that comes meanwhile takes no file away that is open by then.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("share the lock of the directory", error).with_file(path)),
    }
}

/// In the place of a log that nobody writes to.
pub(super) fn no_log(dir: &Path, number: LogNumber) -> Result<LogWriter> {
    LogWriter::create(Box::new(NoLog::default()), log_path(dir, number), number)
}

/// Takes the header of a log and keeps nothing.
#[derive(Debug, Default)]
struct NoLog {
    len: u64,
}

impl LogFile for NoLog {
    fn append(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        self.len += parts.iter().map(|part| part.len() as u64).sum::<u64>();
        Ok(())
    }

    fn len(&self) -> u64 {
        self.len
    }

    fn is_low(&self) -> bool {
        false
    }

    fn control(&self) -> Arc<dyn LogControl> {
        Arc::new(NoControl)
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
struct NoControl;

impl LogControl for NoControl {
    fn sync(&self, _: SyncSite) -> io::Result<()> {
        Ok(())
    }

    fn allocate_ahead(&self) -> io::Result<()> {
        Ok(())
    }
}
