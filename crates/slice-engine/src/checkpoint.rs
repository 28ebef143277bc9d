//! A copy of an open store in a directory of its own, while it is read and written.
//!
//! ```text
//!   of the store         in the copy
//!   tables          ->   hard links; copies on another device           nothing writes to a table, ever
//!   live logs       ->   copies of their bytes up to one position       they are appended to, and used again
//!   the state       ->   a manifest of its own, and CURRENT, last       until then the copy is no store
//! ```
//!
//! What is copied is one moment: the state and the position in the log are taken under the manifest's lock, which each
//! change of the state needs. Logs stay what they are while no flush is done, tables while their version is held;
//! writers wait for neither.
//!
//! Invariant: a directory with `CURRENT` holds all that it names, durably. A crash before leaves one that is refused.

use std::io::ErrorKind as IoErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use slice_types::{Error, ErrorKind, LogNumber, Result};
use slice_vfs::{FileLock, Fs, SyncSite};

use crate::db::names::{CURRENT, LOCK, TablePaths, log_path};
use crate::db::{Core, directory};
use crate::lsm::offload;
use crate::manifest::{Edit, Manifest, State};
use crate::signal::lock;
use crate::tree::Version;
use crate::{LSMTree, blocking};

/// Why the bytes of a copied file are synced: the copy's manifest is about to name it.
pub const CHECKPOINT_BYTES: SyncSite = SyncSite::new("checkpoint.bytes");

/// Files are copied in pieces of so many bytes.
const PIECE: usize = 1 << 20;

impl LSMTree {
    /// Makes a copy of the store, all keyspaces included, in a directory that is new or empty: a store that can be
    /// opened, with what was written before the call and perhaps some of what is written meanwhile, in order.
    /// Durable when this returns. Reads and writes go on.
    ///
    /// Tables are not copied but linked where the file system can do that, so a copy takes little time and space; on
    /// another device they are copied. Dropped before it is done, the copy is made all the same.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when the directory holds anything, is the store's own, or is a file; `Locked` when somebody
    /// else uses it; `ReadOnly` for a store that was opened so; `Closed`, `Io` and `StorageFull`. What was copied is
    /// removed then.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> slice::Result<()> {
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let (path, copy) = (dir.path().join("data"), dir.path().join("copy"));
    /// use slice::LSMTree;
    ///
    /// let lsm = LSMTree::new(&path).await?;
    /// lsm.put(b"key", b"then").await?;
    /// lsm.checkpoint(&copy).await?;
    /// lsm.put(b"key", b"now").await?;
    ///
    /// let copied = LSMTree::new(&copy).await?;
    /// assert_eq!(copied.get(b"key").await?, Some(b"then".to_vec()));
    /// # Ok(()) }
    /// ```
    pub async fn checkpoint(&self, dir: impl AsRef<Path>) -> Result<()> {
        let (handle, dir) = (Arc::clone(&self.handle), dir.as_ref().to_owned());
        offload(move || handle.core.checkpoint(&dir)).await
    }
}

impl blocking::LSMTree {
    /// Makes a copy of the store in a directory that is new or empty.
    ///
    /// # Errors
    ///
    /// As [`slice::LSMTree::checkpoint`](crate::LSMTree::checkpoint).
    pub fn checkpoint(&self, dir: impl AsRef<Path>) -> Result<()> {
        self.handle.core.checkpoint(dir.as_ref())
    }
}

impl Core {
    /// Copies the store into a directory that holds nothing.
    pub(crate) fn checkpoint(&self, dir: &Path) -> Result<()> {
        self.check_open()?;
        self.check_writable()?;
        let target = Target::claim(self, dir)?;
        let copied = self.flush_before_copy().and_then(|()| self.copy_into(&target));
        copied.inspect_err(|_| target.clear())
    }

    /// Flushes when the logs hold so much that a table is better than a copy of them.
    fn flush_before_copy(&self) -> Result<()> {
        let state = lock(&self.manifest).state().clone();
        let bytes: u64 = self.live_logs(&state).iter().filter_map(|(_, len)| *len).sum();
        if bytes > self.options.memtable_size as u64 / 4 {
            self.flush_blocking(&self.trees.all())
        } else {
            Ok(())
        }
    }

    fn copy_into(&self, target: &Target<'_>) -> Result<()> {
        // A flush gives logs up, and they are used again.
        let flushing = lock(&self.flushing);
        let Moment { state, logs, versions } = self.this_moment();
        let mut log_ends = Vec::with_capacity(logs.len());
        for (log, len) in logs {
            let len = target.copy(&log_path(&self.dir, log), &log_path(&target.dir, log), len)?;
            log_ends.push((log, len));
        }
        drop(flushing);
        for (_, _, table) in state.tables() {
            target
                .link_table(&TablePaths::new(&self.dir, table.id), &TablePaths::new(&target.dir, table.id))?;
        }
        drop(versions);
        // Closed meanwhile, the directory may be another's, and what was copied be its files.
        self.check_open()?;
        let state = state.apply(&Edit { log_ends, ..Edit::default() })?;
        Manifest::begin(Arc::clone(&self.fs), &target.dir, state).map(|_| ())
    }

    /// What makes up the store now. The caller holds `flushing` for as long as it uses the logs.
    fn this_moment(&self) -> Moment {
        let manifest = lock(&self.manifest);
        let state = manifest.state().clone();
        let logs = self.live_logs(&state);
        let versions = self.trees.all().iter().map(|tree| Arc::clone(&tree.view().version)).collect();
        drop(manifest);
        Moment { state, logs, versions }
    }
}

/// What makes up a store at one moment.
struct Moment {
    state: State,
    /// With their lengths, where they are known: of the others all counts.
    logs: Vec<(LogNumber, Option<u64>)>,
    /// Held so that the tables' files stay.
    versions: Vec<Arc<Version>>,
}

/// The directory of the copy, which nobody else uses.
struct Target<'a> {
    fs: &'a dyn Fs,
    dir: PathBuf,
    _lock: Box<dyn FileLock>,
}

impl<'a> Target<'a> {
    /// Makes the directory if need be, and takes it if it is empty.
    fn claim(core: &'a Core, path: &Path) -> Result<Self> {
        let fs = &*core.fs;
        let dir = directory(fs, path, true)?;
        if dir == core.dir {
            let message = "a store cannot be copied into its own directory; choose another one";
            return Err(Error::invalid_argument(message).with_file(dir));
        }
        check_empty(fs, &dir, &[])?;
        let note = format!("{}\n", std::process::id());
        let taken = fs.try_lock(&dir.join(LOCK), &note).map_err(at("lock the directory", &dir))?;
        let Some(taken) = taken else {
            return Err(Error::new(ErrorKind::Locked, "somebody else uses the directory").with_file(dir));
        };
        // Somebody may have used it between the look and the lock.
        check_empty(fs, &dir, &[LOCK])?;
        Ok(Self { fs, dir, _lock: taken })
    }

    fn link_table(&self, from: &TablePaths, to: &TablePaths) -> Result<()> {
        for (from, to) in from.all().into_iter().zip(to.all()) {
            match self.fs.hard_link(from, to) {
                Ok(()) => {}
                Err(error) if cannot_link(error.kind()) => drop(self.copy(from, to, None)?),
                Err(error) => return Err(at("link a table", from)(error)),
            }
        }
        Ok(())
    }

    /// Copies a file, or so much of it, durably; gives the length of the copy.
    fn copy(&self, from: &Path, to: &Path, len: Option<u64>) -> Result<u64> {
        let source = self.fs.open_random(from).map_err(at("read a file to be copied", from))?;
        let len = match len {
            Some(len) => len,
            None => source.len().map_err(at("read a file to be copied", from))?,
        };
        let mut copy = self.fs.create_append(to).map_err(at("create a copy", to))?;
        let mut piece = vec![0; PIECE.min(usize::try_from(len).unwrap_or(PIECE))];
        let mut done = 0;
        while done < len {
            let piece = &mut piece[..PIECE.min(usize::try_from(len - done).unwrap_or(PIECE))];
            source.read_exact_at(piece, done).map_err(at("read a file to be copied", from))?;
            copy.append(piece).map_err(at("write a copy", to))?;
            done += piece.len() as u64;
        }
        copy.sync(CHECKPOINT_BYTES).map_err(at("sync a copy", to))?;
        Ok(len)
    }

    /// Best effort: the error that led here is what counts. `CURRENT` goes first, so that the rest is no store.
    fn clear(&self) {
        let names = self.fs.list_dir(&self.dir).unwrap_or_default();
        let rest = names.iter().map(String::as_str).filter(|name| *name != CURRENT);
        for name in names.iter().map(String::as_str).filter(|name| *name == CURRENT).chain(rest) {
            if let Err(error) = self.fs.remove_file(&self.dir.join(name)) {
                tracing::warn!(%error, file = name, "a file of a copy that failed could not be removed");
            }
        }
    }
}

fn check_empty(fs: &dyn Fs, dir: &Path, but: &[&str]) -> Result<()> {
    let names = fs.list_dir(dir).map_err(at("list the directory", dir))?;
    if names.iter().all(|name| but.contains(&name.as_str())) {
        return Ok(());
    }
    let message = "the directory is not empty; a copy needs a new or an empty one";
    Err(Error::invalid_argument(message).with_file(dir))
}

/// Whether a link is not to be had here, so that a copy has to do: another device, a file system without links, a file
/// with too many.
fn cannot_link(kind: IoErrorKind) -> bool {
    matches!(
        kind,
        IoErrorKind::CrossesDevices
            | IoErrorKind::Unsupported
            | IoErrorKind::PermissionDenied
            | IoErrorKind::TooManyLinks
    )
}

fn at<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> Error + 'a {
    move |error| Error::io(action, error).with_file(path)
}
