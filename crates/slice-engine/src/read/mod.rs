//! All ways to read but a single [`get`](crate::LSMTree::get) and the scans themselves, on trees and snapshots.
//!
//! What a handle reads is a [`Reader`]: a keyspace at a moment. The faces only differ in who waits for the disk.

mod blocking;
mod estimate;
mod faces;
mod lookups;
mod readable;

use std::sync::Arc;

pub use blocking::Readable as BlockingReadable;
pub use readable::Readable;

use crate::db::{Handle, ReadAt};
use crate::scan::{Ends, KeyRange, Source};
use crate::snapshot::Snapshot;
use crate::tree::Tree;
use crate::{LSMTree, blocking as threads};

/// A keyspace at a moment.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) handle: &'a Arc<Handle>,
    pub(crate) tree: &'a Arc<Tree>,
    pub(crate) at: ReadAt,
}

impl Reader<'_> {
    fn source(&self) -> Source {
        Source::new(&self.handle.core, self.tree, self.at, None)
    }

    fn ends(&self, range: KeyRange) -> slice_types::Result<Ends> {
        Ends::new(self.source(), range)
    }
}

impl LSMTree {
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader { handle: &self.handle, tree: &self.tree, at: ReadAt::Newest }
    }
}

impl Snapshot {
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader { handle: &self.moment.handle, tree: &self.tree, at: self.moment.at() }
    }
}

impl threads::LSMTree {
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader { handle: &self.handle, tree: &self.tree, at: ReadAt::Newest }
    }
}

impl threads::Snapshot {
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader { handle: &self.moment.handle, tree: &self.tree, at: self.moment.at() }
    }
}
