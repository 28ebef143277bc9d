//! Reads every file of a database, believes nothing, and says all that is wrong.
//!
//! ```text
//!   CURRENT ──names──> MANIFEST ──names──> tables: every block, the filter's answer for every key, counts, bounds
//!                          └─────names──> logs: every record, the history they make together
//!   what nothing names: left over by a crash
//! ```
//!
//! Invariant: nothing in the directory is changed, not by a byte.

mod directory;
mod live;
mod logs;
mod report;
mod tables;

use std::path::Path;

use slice_types::{RangeIndex, Result};
use slice_vfs::{Fs, StdFs};

pub use report::{Finding, FindingKind, Report};

pub(crate) use directory::{Directory, Trust};
pub(crate) use logs::damaged_places;
pub(crate) use tables::{PlainTable, open_damaged};

/// Reads every file of the database in a directory that is not open, and reports all that is wrong: with
/// [`Builder::verify`](crate::Builder::verify) on another file system, with
/// [`LSMTree::verify`](crate::LSMTree::verify) while it is open.
///
/// Nothing in the directory is changed. It takes as long as reading all of it takes, and the memory of its logs.
///
/// # Errors
///
/// `InvalidArgument` when there is no store; `Locked` when it is open; `Io` when the directory cannot be listed. A file
/// that cannot be read is no error, but in the report.
///
/// ```
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("data");
/// # slice::blocking::LSMTree::new(&path)?.put(b"key", b"value")?;
/// let report = slice::verify(&path)?;
/// assert!(report.is_clean(), "{report}");
/// # Ok::<(), slice::SliceError>(())
/// ```
pub fn verify(path: impl AsRef<Path>) -> Result<Report> {
    verify_on(&StdFs::new(), path.as_ref())
}

/// As [`verify`], on any file system.
pub(crate) fn verify_on(fs: &dyn Fs, path: &Path) -> Result<Report> {
    let mut report = Report::default();
    let directory = Directory::look(fs, path, &mut report)?;
    match &directory.state {
        Some((state, ..)) => {
            for keyspace in state.keyspaces.values() {
                let range_tombstones = RangeIndex::new(keyspace.range_tombstones.values().cloned());
                for meta in keyspace.levels.iter().flatten() {
                    tables::verify_table(
                        fs,
                        &directory.path,
                        meta.id,
                        Some(meta),
                        &range_tombstones,
                        &mut report,
                    );
                }
            }
        }
        None => {
            for id in directory.tables() {
                tables::verify_table(fs, &directory.path, id, None, &RangeIndex::default(), &mut report);
            }
        }
    }
    logs::verify_logs(&directory, &mut report);
    directory.note_leftovers(&mut report);
    Ok(report)
}
