//! Saves what can be read of a damaged database into a fresh directory.
//!
//! ```text
//!   damaged, never written to                                      fresh
//!   tables, block by block ─┐       of each keyspace
//!   logs, record by record ─┴─> merge: of each key the newest ──> tables of the last level, one manifest
//! ```
//!
//! Which files count is the manifest's to say, as long as it can be read. Without it every table and log in the
//! directory counts, and of each key the version with the highest sequence number wins. That has a limit: a
//! compaction drops a tombstone together with what it hides, so a table that was compacted away and still lies around
//! brings back what was deleted since; and of the range tombstones, which are in no table, only those of the logs are
//! known. The report says when that may be. Nor does a table say which keyspace it is of: one that no manifest names
//! goes to the default keyspace if there is no other, and to one named `salvaged` if there is.

mod blocks;
mod report;
mod source;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use slice_compaction::{DeeperKeys, MergeOptions, Raise, merge};
use slice_types::{Error, ErrorKind, Level, RangeIndex, Result, SeqNo};
use slice_vfs::{Fs, StdFs};

use crate::background::install::Change;
use crate::background::outputs::Outputs;
use crate::db::{Core, Handle};
use crate::options::{Background, Builder};
use crate::signal::lock;
use crate::tree::Tree;
use crate::verify::{Directory, Report};

pub use report::{Lost, Origin, RepairReport};

use source::{Parts, Salvage, salvage};

/// Saves what can be read of a damaged database into a new one, in a directory that is new or empty; with
/// [`Builder::repair_from`] for options of its own. Nothing is written to the damaged directory.
///
/// # Errors
///
/// `InvalidArgument` when there is no store, or `into` holds files; `Locked` when the store is open; `Unsupported`
/// when it is of a newer format; `Io` and `StorageFull` when the new one cannot be written. What was written is removed
/// then. Damage is no error, but in the report.
///
/// ```
/// # let dir = tempfile::tempdir().unwrap();
/// # let (path, fresh) = (dir.path().join("data"), dir.path().join("fresh"));
/// # slice::blocking::LSMTree::new(&path)?.put(b"key", b"value")?;
/// let report = slice::repair(&path, &fresh)?;
/// assert!(report.is_complete(), "{report}");
/// let lsm = slice::blocking::LSMTree::new(&fresh)?;
/// assert_eq!(lsm.get(b"key")?, Some(b"value".to_vec()));
/// # Ok::<(), slice::SliceError>(())
/// ```
pub fn repair(damaged: impl AsRef<Path>, into: impl AsRef<Path>) -> Result<RepairReport> {
    crate::LSMTree::builder(into).fs(Arc::new(StdFs::new())).repair_from(damaged)
}

/// As [`repair`], into the directory, with the options and on the file system of a builder.
pub(crate) fn repair_into(damaged: &Path, mut into: Builder) -> Result<RepairReport> {
    into.options.background = Background::Inline;
    into.options.create_if_missing = true;
    into.options.validate()?;
    let fs = Arc::clone(&into.fs);
    // What is wrong with the manifest is told by what is lost.
    let directory = Directory::look(&*fs, damaged, &mut Report::default())?;
    check_is_fresh(&*fs, &into.path)?;
    let losses = blocks::Losses::default();
    let Salvage { origin, keyspaces, tables, logs } = salvage(&directory, &losses)?;
    let path = into.path.clone();
    let fresh = open_fresh(into).inspect_err(|error| {
        // Any other says that somebody else was faster.
        if matches!(error.kind(), ErrorKind::Io | ErrorKind::StorageFull) {
            remove_files(&*fs, &path);
        }
    })?;
    let keys = write_all(&fresh, keyspaces).inspect_err(|_| remove_files(&*fs, &path))?;
    let lost = std::mem::take(&mut *lock(&losses));
    Ok(RepairReport { origin, lost, tables, logs, keys })
}

fn check_is_fresh(fs: &dyn Fs, path: &Path) -> Result<()> {
    match fs.list_dir(path) {
        Ok(names) if names.is_empty() => Ok(()),
        Ok(_) => Err(not_empty(path)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::io("list the directory", error).with_file(path)),
    }
}

/// Makes a database that nobody else writes to: since the look at the directory, somebody may have taken it.
fn open_fresh(into: Builder) -> Result<Arc<Handle>> {
    let handle = Handle::open_alone(into)?;
    let is_empty = handle.core.commit.visible() == SeqNo::ZERO;
    if is_empty { Ok(handle) } else { Err(not_empty(&handle.core.dir)) }
}

fn not_empty(path: &Path) -> Error {
    Error::invalid_argument("the directory is not empty; a repair needs a new one").with_file(path)
}

/// Writes every keyspace to a new database and closes it; gives the number of keys.
fn write_all(handle: &Handle, keyspaces: BTreeMap<String, Parts>) -> Result<u64> {
    let mut keys = 0;
    for (name, parts) in keyspaces {
        let tree = handle.core.keyspace(&name)?;
        keys += write(&handle.core, &tree, parts)?;
    }
    handle.close()?;
    Ok(keys)
}

/// Writes the newest version of each key of a keyspace.
fn write(core: &Core, tree: &Tree, parts: Parts) -> Result<u64> {
    let settings = tree.settings();
    let options = MergeOptions {
        snapshots: &[],
        visible: SeqNo::MAX,
        range_tombstones: Arc::new(RangeIndex::new(parts.range_tombstones)),
        // Nothing is below: a tombstone has done its work.
        deeper: DeeperKeys::default(),
        raise: Raise::default(),
        target_table_bytes: settings.options.target_table_bytes,
        grandparents: Vec::new(),
        range: (None, None),
        cancel: &AtomicBool::new(false),
    };
    // Applied once and for all: the new database has no range tombstones.
    let level = Level(u8::try_from(settings.options.max_levels - 1).unwrap_or(u8::MAX));
    let mut outputs = Outputs::new(core, &settings, level, SeqNo::ZERO);
    let stats = merge(parts.sources, &options, &mut outputs)?;
    let added = outputs.finish()?.into_iter().map(|table| (level, table)).collect();
    core.install(tree, &Change { added, ..Change::default() }, |_| ())?;
    Ok(stats.entries_out)
}

/// Best effort: the error that led here is what counts.
fn remove_files(fs: &dyn Fs, dir: &Path) {
    for name in fs.list_dir(dir).unwrap_or_default() {
        if let Err(error) = fs.remove_file(&dir.join(&name)) {
            tracing::warn!(%error, file = name, "a file of a repair that failed could not be removed");
        }
    }
}
