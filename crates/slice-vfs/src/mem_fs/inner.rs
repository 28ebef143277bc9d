//! The file system in memory at work: finding names, changing them, locks.
//!
//! Invariant: what fails here has changed nothing; what changes anything goes through [`Inner::perform`].

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::journal::Journal;
use super::state::{DataChange, Entry, Inode, NameChange, Op, State};
use crate::SyncSite;

/// Who has the lock of a file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Holders {
    /// One who has it alone.
    One,
    /// So many who share it.
    Many(usize),
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) state: State,
    pub(super) journal: Option<Journal>,
    pub(super) operations: u64,
    pub(super) locked: BTreeMap<Inode, Holders>,
}

impl Inner {
    /// Counts, records and applies an operation that can no longer fail.
    pub(super) fn perform(&mut self, op: &Op) {
        self.operations += 1;
        if let Some(journal) = &mut self.journal {
            journal.record(&self.state, op);
        }
        self.state.apply(op);
    }

    /// The file of this name.
    pub(super) fn find(&self, path: &Path) -> io::Result<Inode> {
        self.find_entry(path).map(|entry| entry.inode)
    }

    /// The entry of this name.
    pub(super) fn find_entry(&self, path: &Path) -> io::Result<Entry> {
        if let Some(entry) = self.state.live.get(path) {
            return Ok(entry);
        }
        Err(if self.state.dirs.contains(path) { ErrorKind::IsADirectory } else { ErrorKind::NotFound }.into())
    }

    pub(super) fn check_dir(&self, path: &Path) -> io::Result<()> {
        if self.state.dirs.contains(path) {
            return Ok(());
        }
        let is_file = self.state.live.get(path).is_some();
        Err(if is_file { ErrorKind::NotADirectory } else { ErrorKind::NotFound }.into())
    }

    /// Creates a file where there is nothing.
    pub(super) fn create(&mut self, path: Arc<Path>) -> io::Result<Inode> {
        self.check_free(&path)?;
        let entry = self.state.new_file();
        self.perform(&Op::Name(NameChange::Create(path, entry)));
        Ok(entry.inode)
    }

    /// Gives a file one more name.
    pub(super) fn link(&mut self, original: &Path, link: Arc<Path>) -> io::Result<()> {
        let inode = self.find(original)?;
        self.check_free(&link)?;
        self.check_device(original, &link)?;
        let entry = self.state.new_link(inode);
        self.perform(&Op::Name(NameChange::Link(link, entry)));
        Ok(())
    }

    fn check_free(&self, path: &Path) -> io::Result<()> {
        self.check_dir(path.parent().unwrap_or(path))?;
        if self.state.dirs.contains(path) || self.state.live.get(path).is_some() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        Ok(())
    }

    fn check_device(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.state.device(from) == self.state.device(to) {
            return Ok(());
        }
        Err(ErrorKind::CrossesDevices.into())
    }

    pub(super) fn sync_name_of(&mut self, dir: &Path) {
        let parent = dir.parent().unwrap_or(dir).into();
        self.perform(&Op::SyncDir(parent, SyncSite::DIRECTORY_NAME));
    }

    pub(super) fn rename(&mut self, from: Arc<Path>, to: Arc<Path>) -> io::Result<Inode> {
        let entry = self.find_entry(&from)?;
        self.check_dir(to.parent().unwrap_or(&to))?;
        if self.state.dirs.contains(&to) {
            return Err(ErrorKind::IsADirectory.into());
        }
        self.check_device(&from, &to)?;
        // POSIX: a rename to another name of the same file does nothing.
        if self.state.live.get(&to).is_none_or(|other| other.inode != entry.inode) {
            self.perform(&Op::Name(NameChange::Rename { from, to, entry }));
        }
        Ok(entry.inode)
    }

    pub(super) fn write(&mut self, inode: Inode, offset: u64, bytes: &[u8]) {
        self.perform(&Op::Data(inode, DataChange::Write { offset, bytes: bytes.into() }));
    }

    pub(super) fn set_len(&mut self, inode: Inode, len: u64) {
        self.perform(&Op::Data(inode, DataChange::SetLen(len)));
    }

    pub(super) fn file_len(&self, inode: Inode) -> u64 {
        self.state.files.get(&inode).map_or(0, |file| file.live.len())
    }

    /// Takes the lock of a file, and says whether it could.
    pub(super) fn lock(&mut self, inode: Inode, as_one_of: Holders) -> bool {
        match (self.locked.get_mut(&inode), as_one_of) {
            (None, holders) => {
                self.locked.insert(inode, holders);
                true
            }
            (Some(Holders::Many(holders)), Holders::Many(more)) => {
                *holders += more;
                true
            }
            _ => false,
        }
    }

    /// Lets go of the lock of a file, for one of its holders.
    pub(super) fn unlock(&mut self, inode: Inode) {
        match self.locked.get_mut(&inode) {
            Some(Holders::Many(holders)) if *holders > 1 => *holders -= 1,
            _ => drop(self.locked.remove(&inode)),
        }
    }
}

/// The one way to write a path down: absolute, without `.` and `..`.
pub(super) fn absolute(path: &Path) -> Arc<Path> {
    let mut absolute = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => absolute.push(name),
            Component::ParentDir => {
                absolute.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::CurDir => {}
        }
    }
    absolute.into()
}
