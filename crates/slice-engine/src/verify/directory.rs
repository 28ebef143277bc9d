//! What a directory says of itself: its files, and the newest state that a manifest gives.
//!
//! Nothing is changed, and nothing is believed that does not match its checksum.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use slice_types::{Error, LogNumber, Result, TableId};
use slice_vfs::{FileLock, Fs, read_all};

use super::report::{Finding, FindingKind, Report};
use crate::db::names::{CURRENT, FileName, LOCK, manifest_name};
use crate::manifest::{Manifest, State};

/// How far a state can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// It is that of the newest manifest, read to its end.
    Whole,
    /// A newer state may have been there: the manifest ends torn, or a newer one cannot be read.
    Stale,
}

/// A directory of database files, looked at.
pub(crate) struct Directory<'a> {
    pub(crate) fs: &'a dyn Fs,
    pub(crate) path: PathBuf,
    pub(crate) names: Vec<(String, FileName)>,
    /// The newest state that can be read, and the number of its manifest.
    pub(crate) state: Option<(State, u64, Trust)>,
    /// Held, so that nobody opens the database meanwhile; `None` where no lock can be taken.
    _lock: Option<Box<dyn FileLock>>,
}

impl<'a> Directory<'a> {
    /// Looks at a directory; what is wrong with `CURRENT` and the manifests goes into the report.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when there is no database; `Locked` when it is open; `Io` when the names cannot be listed.
    pub(crate) fn look(fs: &'a dyn Fs, path: &Path, report: &mut Report) -> Result<Self> {
        let path = crate::db::directory(fs, path, false)?;
        let names = fs.list_dir(&path);
        let names = names.map_err(|error| Error::io("list the directory", error).with_file(&path))?;
        let names: Vec<_> =
            names.into_iter().filter_map(|name| FileName::parse(&name).map(|file| (name, file))).collect();
        // A manifest alone is what a crash in the midst of making a store leaves.
        let is_of_store = |file| matches!(file, FileName::Current | FileName::Log(_) | FileName::Table(_));
        if !names.iter().any(|(_, file)| is_of_store(*file)) {
            return Err(Error::invalid_argument("there is no store here").with_file(path));
        }
        let lock = lock_unchanged(fs, &path)?;
        let mut directory = Self { fs, path, names, state: None, _lock: lock };
        directory.state = directory.find_state(report);
        Ok(directory)
    }

    pub(crate) fn tables(&self) -> BTreeSet<TableId> {
        let table = |file: &FileName| if let FileName::Table(id) = file { Some(*id) } else { None };
        self.names.iter().filter_map(|(_, file)| table(file)).collect()
    }

    pub(crate) fn logs(&self) -> BTreeSet<LogNumber> {
        let log = |file: &FileName| if let FileName::Log(number) = file { Some(*number) } else { None };
        self.names.iter().filter_map(|(_, file)| log(file)).collect()
    }

    fn manifests(&self) -> BTreeSet<u64> {
        let manifest = |file: &FileName| if let FileName::Manifest(n) = file { Some(*n) } else { None };
        self.names.iter().filter_map(|(_, file)| manifest(file)).collect()
    }

    /// The state in force; where that cannot be read, the newest that can.
    fn find_state(&self, report: &mut Report) -> Option<(State, u64, Trust)> {
        let current = self.path.join(CURRENT);
        let in_force = match Manifest::in_force(self.fs, &self.path) {
            Ok(Some(number)) => Some(number),
            Ok(None) => {
                report.add(Finding::new(
                    FindingKind::Missing,
                    current,
                    "it names the manifest in force; write the name of the newest one into it, and a line end",
                ));
                None
            }
            Err(error) => {
                report.add(Finding::of(&error, &current));
                None
            }
        };
        let mut trust = Trust::Whole;
        // One that was begun and never came into force says nothing that the one in force does not say.
        let candidates = self.manifests().into_iter().chain(in_force).collect::<BTreeSet<_>>();
        for number in candidates.into_iter().rev().filter(|n| in_force.is_none_or(|most| *n <= most)) {
            match Manifest::read(self.fs, &self.path, number) {
                Ok(replayed) => {
                    if let Some(at) = replayed.torn_at {
                        self.note_torn(number, at, report);
                        trust = Trust::Stale;
                    }
                    return Some((replayed.state, number, trust));
                }
                Err(error) => {
                    self.note_unreadable(number, &error, report);
                    trust = Trust::Stale;
                }
            }
        }
        None
    }

    fn note_torn(&self, number: u64, at: u64, report: &mut Report) {
        let path = self.path.join(manifest_name(number));
        let message = "the last edit is not whole: nobody was told of it";
        report.add(Finding::new(FindingKind::TornTail, path, message).at(at));
    }

    fn note_unreadable(&self, number: u64, error: &Error, report: &mut Report) {
        let path = self.path.join(manifest_name(number));
        if self.manifests().contains(&number) {
            report.add(Finding::of(error, &path));
        } else {
            report.add(Finding::new(FindingKind::Missing, path, "CURRENT names this manifest"));
        }
    }

    /// Notes the files that nothing refers to.
    pub(crate) fn note_leftovers(&self, report: &mut Report) {
        let Some((state, manifest, _)) = &self.state else { return };
        let tables: BTreeSet<_> = state.tables().map(|(_, _, meta)| meta.id).collect();
        let first_log = state.first_log();
        for (name, file) in &self.names {
            let is_needed = match file {
                FileName::Lock | FileName::Current => true,
                FileName::Manifest(number) => number == manifest,
                FileName::Log(number) => *number >= first_log,
                FileName::Table(id) => tables.contains(id),
                FileName::Temporary => false,
            };
            if !is_needed {
                report.add(Finding::new(
                    FindingKind::Leftover,
                    self.path.join(name),
                    "nothing refers to it; the next open removes it",
                ));
            }
        }
    }
}

/// Takes the lock of a directory without changing a byte of it.
///
/// A lock file that is not there is not made: whoever has a database open has made it. Where it cannot be written, as
/// on a medium that is read only, nobody writes to the rest either.
fn lock_unchanged(fs: &dyn Fs, dir: &Path) -> Result<Option<Box<dyn FileLock>>> {
    let path = dir.join(LOCK);
    let Ok(note) = read_all(fs, &path) else { return Ok(None) };
    // Whoever takes the lock leaves a note; this one leaves the one that is there.
    let Ok(note) = String::from_utf8(note) else { return Ok(None) };
    match fs.try_lock(&path, &note) {
        Ok(Some(lock)) => Ok(Some(lock)),
        Ok(None) => {
            let message = "the store is open; close it first, or ask the open store itself";
            Err(Error::new(slice_types::ErrorKind::Locked, message).with_file(dir))
        }
        Err(_) => Ok(None),
    }
}
