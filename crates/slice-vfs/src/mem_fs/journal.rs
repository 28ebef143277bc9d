//! The history of a recorded file system: each mutating operation, in order, to be replayed as often as needed.
//!
//! A crash test runs its workload once, on [`MemFs::recording`], and then walks through the history, asking for crash
//! images after each operation. Operations share their bytes with the history, and images share pages with the
//! model, so that an image costs microseconds.

use std::path::Path;
use std::sync::Arc;

use super::state::{DataChange, Inode, NameChange, Op, State};
use super::{LogKind, MemFs};
use crate::SyncSite;

/// What an operation of a [`History`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OpKind {
    /// Made a directory.
    CreateDir,
    /// Created a file.
    Create,
    /// Gave a file another name.
    Link,
    /// Renamed a file, or recycled a log.
    Rename,
    /// Removed a file.
    Remove,
    /// Wrote bytes.
    Append,
    /// Allocated space, or gave it back.
    SetLen,
    /// Made the bytes of a file durable.
    SyncFile,
    /// Made the names in a directory durable.
    SyncDir,
}

/// An operation of a [`History`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpInfo {
    /// How many operations came before.
    pub index: u64,
    /// What it did.
    pub kind: OpKind,
    /// To what: for a rename the new name, for a file without a name the empty path.
    pub path: Arc<Path>,
    /// Of a sync, why.
    pub site: Option<SyncSite>,
}

/// The mutating operations of a file system, from the beginning of the recording to the call of [`MemFs::history`].
#[derive(Clone, Debug)]
pub struct History {
    /// The file system before the first operation.
    start: Arc<State>,
    ops: Arc<[(OpInfo, Op)]>,
    log_kind: LogKind,
}

impl History {
    /// How many operations there are.
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// The operations.
    pub fn iter(&self) -> impl Iterator<Item = &OpInfo> {
        self.ops.iter().map(|(info, _)| info)
    }

    /// Goes back to the beginning of the recording, to apply the operations one by one.
    pub fn replay(&self) -> Replay {
        Replay { history: self.clone(), applied: 0, state: State::clone(&self.start) }
    }
}

/// A walk through a [`History`], with the file system as it was after the operations applied so far.
#[derive(Debug)]
pub struct Replay {
    history: History,
    applied: usize,
    state: State,
}

impl Replay {
    /// Makes the syncs of one site do nothing in what is replayed from now on: see [`MemFs::ignore_syncs`]. What is
    /// live is the same with and without them, so one recorded run serves the mutants of all sites.
    #[must_use]
    pub fn ignoring(mut self, site: SyncSite) -> Self {
        self.state.ignored.insert(site);
        self
    }

    /// Applies the next operation, and tells which. `None` at the end.
    pub fn advance(&mut self) -> Option<&OpInfo> {
        let (info, op) = self.history.ops.get(self.applied)?;
        self.state.apply(op);
        self.applied += 1;
        Some(info)
    }

    /// How many operations have been applied.
    pub fn applied(&self) -> usize {
        self.applied
    }

    /// What a power failure may leave at this point: see [`MemFs::crash_image`].
    pub fn crash_image(&self, keep: f64, seed: u64) -> MemFs {
        self.image(self.state.crashed(keep, seed))
    }

    /// What the end of the process leaves at this point: all that happened, and no more of it durable than before. A
    /// power failure later on may still take what was never synced.
    pub fn killed_image(&self) -> MemFs {
        self.image(self.state.killed())
    }

    /// All that happened so far, durable or not, but of the last operation, if it wrote bytes, only a part of the
    /// front: what the end of the process in the middle of a write may leave.
    pub fn torn_image(&self, seed: u64) -> MemFs {
        let last = self.applied.checked_sub(1).and_then(|last| self.history.ops.get(last));
        self.image(match last {
            Some((_, Op::Data(inode, DataChange::Write { .. }))) => self.state.torn(*inode, seed),
            _ => self.state.crashed(1.0, seed),
        })
    }

    fn image(&self, state: State) -> MemFs {
        MemFs::build(state, self.history.log_kind, None)
    }
}

/// Writes the operations down.
#[derive(Debug)]
pub(super) struct Journal {
    start: Arc<State>,
    ops: Vec<(OpInfo, Op)>,
}

impl Journal {
    /// An empty one, which begins with this state.
    pub(super) fn new(start: State) -> Self {
        Self { start: Arc::new(start), ops: Vec::new() }
    }

    /// Adds an operation, which `state` has not seen yet.
    pub(super) fn record(&mut self, state: &State, op: &Op) {
        let index = self.ops.len() as u64;
        self.ops.push((OpInfo { index, kind: kind(op), path: path(state, op), site: site(op) }, op.clone()));
    }

    pub(super) fn history(&self, log_kind: LogKind) -> History {
        History { start: self.start.clone(), ops: self.ops.as_slice().into(), log_kind }
    }
}

fn kind(op: &Op) -> OpKind {
    match op {
        Op::CreateDir(_) => OpKind::CreateDir,
        Op::Name(NameChange::Create(..)) => OpKind::Create,
        Op::Name(NameChange::Link(..)) => OpKind::Link,
        Op::Name(NameChange::Rename { .. }) => OpKind::Rename,
        Op::Name(NameChange::Remove(..)) => OpKind::Remove,
        Op::Data(_, DataChange::Write { .. }) => OpKind::Append,
        Op::Data(_, DataChange::SetLen(_)) => OpKind::SetLen,
        Op::SyncFile(..) => OpKind::SyncFile,
        Op::SyncDir(..) => OpKind::SyncDir,
    }
}

fn site(op: &Op) -> Option<SyncSite> {
    match op {
        Op::SyncFile(_, site) | Op::SyncDir(_, site) => Some(*site),
        Op::CreateDir(_) | Op::Name(_) | Op::Data(..) => None,
    }
}

fn path(state: &State, op: &Op) -> Arc<Path> {
    let named = |inode: &Inode| state.name_of(*inode).into();
    match op {
        Op::CreateDir(path) | Op::SyncDir(path, _) => path.clone(),
        Op::Name(change) => change.path().clone(),
        Op::Data(inode, _) | Op::SyncFile(inode, _) => named(inode),
    }
}
