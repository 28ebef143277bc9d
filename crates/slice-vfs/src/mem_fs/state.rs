//! What the file system in memory knows, and the one place where it changes: [`State::apply`].
//!
//! Each thing is kept twice, live (what programs see) and synced (what a power failure leaves at least), with the
//! changes between the two in order:
//!
//! ```text
//!            write, set_len                             sync of the file
//!   file     synced ------------ pending changes ------------> live
//!            create, rename, remove                     sync_dir
//!   names    synced ------------ pending changes ------------> live
//! ```
//!
//! A file is an inode number and lives apart from its names, as on a disk: a synced file whose name is not is lost. A
//! hard link is one more name, to be made durable like the first.
//!
//! Invariant: the pending changes applied to the synced state give the live one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::content::Content;
use crate::SyncSite;

/// Tells files apart for as long as the file system lives.
pub(super) type Inode = u64;

/// One mutating operation, as it is applied and as the journal keeps it.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// Makes a directory.
    CreateDir(Arc<Path>),
    /// Changes names.
    Name(NameChange),
    /// Changes the bytes of a file.
    Data(Inode, DataChange),
    /// Makes the bytes of a file durable.
    SyncFile(Inode, SyncSite),
    /// Makes the names in a directory durable.
    SyncDir(Arc<Path>, SyncSite),
}

/// A change of the names in directories.
#[derive(Clone, Debug)]
pub(super) enum NameChange {
    Create(Arc<Path>, Entry),
    Link(Arc<Path>, Entry),
    Rename { from: Arc<Path>, to: Arc<Path>, entry: Entry },
    Remove(Arc<Path>, Entry),
}

/// An entry of a directory: it keeps its number through renames, so that the links of a file are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) inode: Inode,
    number: u64,
}

impl NameChange {
    fn entry(&self) -> Entry {
        let (Self::Create(_, entry)
        | Self::Link(_, entry)
        | Self::Remove(_, entry)
        | Self::Rename { entry, .. }) = self;
        *entry
    }

    /// The name that the change is about: of a rename, the new one.
    pub(super) fn path(&self) -> &Arc<Path> {
        let (Self::Create(path, _)
        | Self::Link(path, _)
        | Self::Remove(path, _)
        | Self::Rename { to: path, .. }) = self;
        path
    }

    /// The directories whose names change: two for a rename from one to another.
    fn dirs(&self) -> impl Iterator<Item = &Path> {
        let from = if let Self::Rename { from, .. } = self { from.parent() } else { None };
        self.path().parent().into_iter().chain(from)
    }
}

/// A change of the bytes of a file.
#[derive(Clone, Debug)]
pub(super) enum DataChange {
    Write { offset: u64, bytes: Arc<[u8]> },
    SetLen(u64),
}

/// Which entry, and so which file, has a name.
///
/// Invariant: an entry has one name at most.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(BTreeMap<Arc<Path>, Entry>);

impl Names {
    pub(super) fn get(&self, path: &Path) -> Option<Entry> {
        self.0.get(path).copied()
    }

    /// Whether a change would leave an entry without a name that has one in `live`. It is so when an earlier change that
    /// moved it out of the way was lost.
    pub(super) fn would_strand(&self, change: &NameChange, live: &Names) -> bool {
        let displaced = self.get(change.path()).filter(|entry| *entry != change.entry());
        displaced.is_some_and(|entry| live.0.values().any(|named| *named == entry))
    }

    /// Forgets the files of directories that are not among these.
    pub(super) fn retain_in(&mut self, dirs: &BTreeSet<Arc<Path>>) {
        self.0.retain(|path, _| path.parent().is_some_and(|dir| dirs.contains(dir)));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<Path>, Inode)> {
        self.0.iter().map(|(path, entry)| (path, entry.inode))
    }

    /// Applies a change, also one whose predecessors were lost: then it does what is left to do.
    pub(super) fn apply(&mut self, change: &NameChange) {
        match change {
            NameChange::Create(path, entry) | NameChange::Link(path, entry) => {
                self.0.insert(path.clone(), *entry);
            }
            NameChange::Rename { from, to, entry } => {
                if self.get(from) == Some(*entry) {
                    self.0.remove(from);
                } else {
                    // An earlier rename of it was lost, so it goes by another name here.
                    self.0.retain(|_, named| named != entry);
                }
                self.0.insert(to.clone(), *entry);
            }
            NameChange::Remove(path, entry) => {
                if self.get(path) == Some(*entry) {
                    self.0.remove(path);
                }
            }
        }
    }
}

/// The bytes of a file, live and synced.
#[derive(Clone, Debug, Default)]
pub(super) struct File {
    pub(super) live: Content,
    pub(super) synced: Content,
    pub(super) pending: Vec<DataChange>,
}

impl File {
    /// A file whose bytes are all synced.
    pub(super) fn synced(content: Content) -> Self {
        Self { live: content.clone(), synced: content, pending: Vec::new() }
    }

    fn change(&mut self, change: &DataChange) {
        change.apply(&mut self.live);
        self.pending.push(change.clone());
    }

    fn sync(&mut self) {
        self.synced = self.live.clone();
        self.pending.clear();
    }
}

impl DataChange {
    pub(super) fn apply(&self, content: &mut Content) {
        match self {
            Self::Write { offset, bytes } => content.write(*offset, bytes),
            Self::SetLen(len) => content.set_len(*len),
        }
    }
}

/// The whole file system.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) dirs: BTreeSet<Arc<Path>>,
    /// Those of them whose names are not durable. Nothing in them is, then, synced or not.
    pub(super) unsynced_dirs: BTreeSet<Arc<Path>>,
    pub(super) live: Names,
    pub(super) synced: Names,
    pub(super) pending: Vec<NameChange>,
    pub(super) files: BTreeMap<Inode, File>,
    /// The handles of each open file: their bytes outlive their names.
    pub(super) open: BTreeMap<Inode, usize>,
    /// The next number of an inode or an entry.
    pub(super) next_number: u64,
    /// Directories at which another device begins.
    pub(super) mounts: BTreeSet<Arc<Path>>,
    /// The sites whose syncs do nothing.
    pub(super) ignored: BTreeSet<SyncSite>,
}

impl State {
    /// An empty root directory.
    pub(super) fn new() -> Self {
        Self { dirs: BTreeSet::from([Path::new("/").into()]), ..Self::default() }
    }

    /// An entry for a file that is about to be created.
    pub(super) fn new_file(&self) -> Entry {
        Entry { inode: self.next_number, number: self.next_number }
    }

    /// Another entry for a file.
    pub(super) fn new_link(&self, inode: Inode) -> Entry {
        Entry { inode, number: self.next_number }
    }

    /// Applies an operation that can no longer fail.
    pub(super) fn apply(&mut self, op: &Op) {
        match op {
            Op::CreateDir(path) => {
                self.dirs.insert(path.clone());
                self.unsynced_dirs.insert(path.clone());
            }
            Op::Name(change) => self.change_names(change),
            Op::Data(inode, change) => {
                // A file without a name can still be written, and nothing of it will be left.
                if let Some(file) = self.files.get_mut(inode) {
                    file.change(change);
                }
            }
            Op::SyncFile(_, site) | Op::SyncDir(_, site) => {
                if !self.ignored.contains(site) {
                    self.make_durable(op);
                }
            }
        }
    }

    /// The one place where anything becomes durable: of an ignored site, this is what is left out.
    fn make_durable(&mut self, op: &Op) {
        match op {
            Op::SyncFile(inode, _) => {
                if let Some(file) = self.files.get_mut(inode) {
                    file.sync();
                }
            }
            Op::SyncDir(dir, _) => {
                self.unsynced_dirs.retain(|made| made.parent() != Some(dir));
                self.sync_names(dir);
                self.forget_unreachable();
            }
            Op::CreateDir(_) | Op::Name(_) | Op::Data(..) => {}
        }
    }

    /// Makes durable what happened in a directory, and what happened before in those that share a rename with it: a
    /// rename between two is one transaction of the file system, and transactions are durable in order.
    fn sync_names(&mut self, dir: &Path) {
        let mut dirs = BTreeSet::from([dir.to_path_buf()]);
        let mut due = Vec::new();
        for change in std::mem::take(&mut self.pending).into_iter().rev() {
            if change.dirs().any(|dir| dirs.contains(dir)) {
                dirs.extend(change.dirs().map(Path::to_path_buf));
                due.push(change);
            } else {
                self.pending.push(change);
            }
        }
        self.pending.reverse();
        for change in due.iter().rev() {
            self.synced.apply(change);
        }
    }

    /// The device that a name is on, by the directory at which it begins.
    pub(super) fn device<'a>(&self, path: &'a Path) -> Option<&'a Path> {
        path.ancestors().find(|dir: &&Path| self.mounts.contains(*dir))
    }

    /// What a crash image begins with: these names, all synced.
    pub(super) fn reborn(
        &self,
        dirs: BTreeSet<Arc<Path>>,
        names: Names,
        files: BTreeMap<Inode, File>,
    ) -> State {
        State {
            files,
            dirs,
            ignored: self.ignored.clone(),
            mounts: self.mounts.clone(),
            live: names.clone(),
            synced: names,
            next_number: self.next_number,
            ..State::default()
        }
    }

    fn change_names(&mut self, change: &NameChange) {
        if let NameChange::Create(_, entry) = change {
            self.files.insert(entry.inode, File::default());
        }
        self.next_number = self.next_number.max(change.entry().number + 1);
        self.live.apply(change);
        self.pending.push(change.clone());
    }

    /// Drops the bytes of files that have no name, cannot get one back in a crash, and are not open.
    pub(super) fn forget_unreachable(&mut self) {
        let mut reachable: BTreeSet<Inode> = self.open.keys().copied().collect();
        reachable.extend(self.live.iter().map(|(_, inode)| inode));
        reachable.extend(self.synced.iter().map(|(_, inode)| inode));
        reachable.extend(self.pending.iter().map(|change| change.entry().inode));
        self.files.retain(|inode, _| reachable.contains(inode));
    }
}
