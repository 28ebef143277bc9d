//! Which moments of the past somebody still reads at.
//!
//! A snapshot is a sequence number and nothing else: it holds no view, so it pins no memtable and no table. What it
//! needs, merges keep, because they ask here first. Both happen under one lock: a merge that has asked knows of every
//! snapshot below the newest number that it was told.

mod live;

use slice_types::SeqNo;

use self::live::Live;
use super::Core;
use crate::commit::Commit;
use crate::planted::Bug;
use crate::primitives::Mutex;
use crate::signal::lock;

/// The live snapshots of a database, with how many there are of each.
#[derive(Default)]
pub(crate) struct Snapshots {
    live: Mutex<Live>,
}

/// What a merge has to keep: for each of these numbers, the versions that a reader at it sees.
pub(crate) struct Horizon {
    /// The numbers of the live snapshots, ascending.
    pub(crate) snapshots: Vec<SeqNo>,
    /// The newest published number: every snapshot to come is at this or a later one.
    pub(crate) visible: SeqNo,
}

impl Horizon {
    /// The lowest sequence number that anyone may still read at.
    pub(crate) fn oldest(&self) -> SeqNo {
        self.snapshots.first().copied().unwrap_or(self.visible)
    }
}

impl Snapshots {
    /// Begins a snapshot of what is visible now; ended by [`release`](Self::release).
    pub(crate) fn take(&self, commit: &Commit) -> SeqNo {
        let mut live = lock(&self.live);
        let at = commit.visible();
        live.add(at);
        at
    }

    /// Ends one of the snapshots at a number.
    pub(crate) fn release(&self, at: SeqNo) {
        lock(&self.live).remove(at);
    }

    /// See [`Core::horizon`].
    fn horizon(&self, commit: &Commit) -> Horizon {
        let live = lock(&self.live);
        Horizon { snapshots: live.numbers(), visible: commit.visible() }
    }
}

impl Core {
    /// What merges that begin now have to keep.
    pub(crate) fn horizon(&self) -> Horizon {
        let horizon = self.snapshots.horizon(&self.commit);
        if self.options.planted.has(Bug::ForgetSnapshots) {
            return Horizon { snapshots: Vec::new(), ..horizon };
        }
        horizon
    }
}
