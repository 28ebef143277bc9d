//! The manifest: which tables and logs make up the database, as a log of edits.
//!
//! ```text
//!   CURRENT  ->  MANIFEST-000004
//!                +--------+----------------+-------+------+-------+------+- - -
//!                | header | snapshot edit  | edit  | seal | edit  | seal |
//!                +--------+----------------+-------+------+-------+------+- - -
//!
//!   record:  [checksum u64][length u32][reserved u32 = 0][edit]      checksum: xxh3-64 of all behind it
//! ```
//!
//! Every open, and every failure to append, begins a new file with a snapshot of the state and then turns `CURRENT`
//! to it in one rename. So a file is never appended to after a failed write or fsync, and a torn last record can only
//! be an edit that nobody was told of. A *seal* is an edit that changes nothing, appended once the one before it is
//! synced: an intact record behind a damaged one proves that the damaged one had been whole.

mod edit;
mod format;
mod state;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use slice_types::{Error, ErrorKind, KeyspaceId, Result};
use slice_vfs::{AppendFile, AtomicSites, Fs, SyncSite, read_all, write_atomic};

use crate::db::names::{CURRENT, FileName, manifest_name};

pub(crate) use edit::Edit;
pub(crate) use format::{FORMAT, Replayed};
pub(crate) use state::{DEFAULT_NAME, KeyspaceState, State};

/// Why an edit is synced: what it gives up, inputs and logs, is removed next.
pub const MANIFEST_EDIT: SyncSite = SyncSite::new("manifest.edit");
/// Why a new manifest's snapshot is synced: `CURRENT` is about to point to it.
pub const MANIFEST_SNAPSHOT: SyncSite = SyncSite::new("manifest.snapshot");
/// Why its name is: the same.
pub const MANIFEST_NAME: SyncSite = SyncSite::new("manifest.name");
/// Why `CURRENT` is: it is the old one or the new one, whole, and the older manifests are removed next.
pub const CURRENT_SITES: AtomicSites =
    AtomicSites { bytes: SyncSite::new("current.bytes"), name: SyncSite::new("current.name") };

/// A manifest that has grown beyond its snapshot this many times is begun anew.
const GROWTH: u64 = 8;
/// ... but not before it has this many bytes.
const SMALL: u64 = 1 << 20;

/// The writing end of the manifest, and the state that it has recorded.
///
/// One user at a time: the engine keeps it behind a lock, so that edits are recorded in the order in which versions
/// are made.
#[derive(Debug)]
pub(crate) struct Manifest {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    state: State,
    number: u64,
    /// `None` after a failure: the next edit begins a new file.
    file: Option<OpenFile>,
}

#[derive(Debug)]
struct OpenFile {
    file: Box<dyn AppendFile>,
    path: PathBuf,
    len: u64,
    snapshot_len: u64,
}

impl Manifest {
    /// Reads the state that `CURRENT` points to; `None` when there is no database.
    pub(crate) fn load(fs: &dyn Fs, dir: &Path) -> Result<Option<State>> {
        let Some(number) = Self::in_force(fs, dir)? else { return Ok(None) };
        Self::read(fs, dir, number).map(|replayed| Some(replayed.state))
    }

    /// The number of the manifest that `CURRENT` names; `None` when there is no `CURRENT`.
    pub(crate) fn in_force(fs: &dyn Fs, dir: &Path) -> Result<Option<u64>> {
        let path = dir.join(CURRENT);
        let current = match read_all(fs, &path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            current => current.map_err(|error| Error::io("read CURRENT", error).with_file(&path))?,
        };
        parse_current(&current).map(Some).ok_or_else(|| {
            Error::corruption("CURRENT does not name a manifest; restore it to the name of the newest one")
                .with_file(&path)
        })
    }

    /// Reads the manifest of this number.
    pub(crate) fn read(fs: &dyn Fs, dir: &Path, number: u64) -> Result<Replayed> {
        let path = dir.join(manifest_name(number));
        let bytes =
            read_all(fs, &path).map_err(|error| missing_or(error, "read the manifest").with_file(&path))?;
        let replayed = format::replay(&bytes).map_err(|error| error.with_file(&path))?;
        if !replayed.state.keyspaces.contains_key(&KeyspaceId::DEFAULT) {
            return Err(Error::corruption("the manifest has no default keyspace").with_file(path));
        }
        Ok(replayed)
    }

    /// Begins a manifest that records `state`, and makes it the one in force.
    ///
    /// Its number is above that of every manifest in the directory: one may have been begun and never come into force.
    pub(crate) fn begin(fs: Arc<dyn Fs>, dir: &Path, state: State) -> Result<Self> {
        let names =
            fs.list_dir(dir).map_err(|error| Error::io("list the directory", error).with_file(dir))?;
        let numbers = names.iter().filter_map(|name| match FileName::parse(name) {
            Some(FileName::Manifest(number)) => Some(number),
            _ => None,
        });
        let number = numbers.max().unwrap_or(0);
        let mut manifest = Self { fs, dir: dir.to_owned(), state, number, file: None };
        manifest.roll()?;
        Ok(manifest)
    }

    /// The manifest that is in force, with what an open that records nothing makes of it.
    ///
    /// # Errors
    ///
    /// Corruption when `CURRENT` names none.
    pub(crate) fn kept(fs: Arc<dyn Fs>, dir: &Path, state: State) -> Result<Self> {
        let number = Self::in_force(&*fs, dir)?.unwrap_or_default();
        Ok(Self { fs, dir: dir.to_owned(), state, number, file: None })
    }

    /// What the manifest has recorded.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// The number in the name of the file in force.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Records an edit: durable when this returns.
    ///
    /// # Errors
    ///
    /// After an I/O error the edit may or may not be there after a crash, so **no file that it names may be removed**
    /// until [`Manifest::is_settled`]. The next call begins a new manifest without it.
    pub(crate) fn record(&mut self, edit: &Edit) -> Result<()> {
        let next = self.state.apply(edit)?;
        self.ensure_writable()?;
        let Some(open) = &mut self.file else {
            return Err(Error::new(ErrorKind::ReadOnly, "the manifest cannot be written"));
        };
        let mut record = Vec::new();
        format::put_record(&mut record, edit);
        if let Err(error) = append_durably(open, &record, MANIFEST_EDIT) {
            self.file = None;
            return Err(error);
        }
        self.state = next;
        self.seal();
        Ok(())
    }

    /// Leaves an empty edit behind the one that has just been synced. It need not be durable: once it is on the disk,
    /// damage to the edit before it is told from a torn tail, and what is lost of it proves nothing.
    fn seal(&mut self) {
        let Some(open) = &mut self.file else { return };
        let mut record = Vec::new();
        format::put_record(&mut record, &Edit::default());
        match open.file.append(&record) {
            Ok(()) => open.len += record.len() as u64,
            Err(error) => {
                tracing::warn!(%error, file = %open.path.display(), "the manifest's last edit could not be sealed");
                // What the file ends with is not known: the next edit begins another.
                self.file = None;
            }
        }
    }

    /// Whether the file in force holds the state and nothing else.
    pub(crate) fn is_settled(&self) -> bool {
        self.file.is_some()
    }

    /// Begins a new file after a failure, or when the old one has grown out of proportion.
    pub(crate) fn ensure_writable(&mut self) -> Result<()> {
        match &self.file {
            Some(open) if open.len < SMALL.max(open.snapshot_len * GROWTH) => Ok(()),
            _ => self.roll(),
        }
    }

    fn roll(&mut self) -> Result<()> {
        self.file = None;
        // A number is used once, so that a file is never begun twice, even when beginning it failed.
        let old = self.number;
        self.number += 1;
        let path = self.dir.join(manifest_name(self.number));
        let open = self.begin_file(path)?;
        let pointer = format!("{}\n", manifest_name(self.number));
        write_atomic(&*self.fs, &self.dir.join(CURRENT), pointer.as_bytes(), CURRENT_SITES)
            .map_err(|error| Error::io("point CURRENT to the new manifest", error).with_file(&self.dir))?;
        self.file = Some(open);
        self.remove_older(old);
        Ok(())
    }

    fn begin_file(&self, path: PathBuf) -> Result<OpenFile> {
        let file = self
            .fs
            .create_append(&path)
            .map_err(|error| Error::io("create a manifest", error).with_file(&path))?;
        let mut content = FORMAT.header().to_vec();
        format::put_record(&mut content, &self.state.snapshot());
        let mut open = OpenFile { file, path, len: 0, snapshot_len: content.len() as u64 };
        append_durably(&mut open, &content, MANIFEST_SNAPSHOT)?;
        self.fs
            .sync_dir(&self.dir, MANIFEST_NAME)
            .map_err(|error| Error::io("make the manifest's name durable", error).with_file(&self.dir))?;
        Ok(open)
    }

    /// Best effort: what stays is removed at the next open.
    fn remove_older(&self, newest: u64) {
        let Ok(names) = self.fs.list_dir(&self.dir) else { return };
        for name in names {
            if matches!(FileName::parse(&name), Some(FileName::Manifest(n)) if n <= newest)
                && let Err(error) = self.fs.remove_file(&self.dir.join(&name))
            {
                tracing::warn!(file = name, %error, "an old manifest could not be removed");
            }
        }
    }
}

fn append_durably(open: &mut OpenFile, bytes: &[u8], site: SyncSite) -> Result<()> {
    let offset = open.len;
    open.file.append(bytes).and_then(|()| open.file.sync(site)).map_err(|error| {
        Error::io("record an edit in the manifest", error).with_file(&open.path).with_offset(offset)
    })?;
    open.len += bytes.len() as u64;
    Ok(())
}

fn parse_current(content: &[u8]) -> Option<u64> {
    let name = std::str::from_utf8(content).ok()?.strip_suffix('\n')?;
    match FileName::parse(name)? {
        FileName::Manifest(number) => Some(number),
        _ => None,
    }
}

/// A file that the database needs and that is not there is corruption; all else is I/O.
pub(crate) fn missing_or(error: std::io::Error, action: &str) -> Error {
    if error.kind() == std::io::ErrorKind::NotFound {
        Error::corruption(format!("could not {action}: the file is missing"))
    } else {
        Error::io(action, error)
    }
}
