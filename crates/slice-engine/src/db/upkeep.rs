//! Flush and compact on request, as a thread and as a task.

use std::sync::Arc;

use slice_types::{LogNumber, Result};

use super::{Core, Ready};
use crate::background::flush::flush_oldest;
use crate::background::pick::Progress;
use crate::commit::Freeze;
use crate::signal::lock;
use crate::tree::{Frozen, Tree};

/// A flush that was asked for.
#[derive(Clone, Copy)]
struct Asked {
    number: u64,
    /// The log of the newest memtable that was frozen by then, if any was.
    newest: Option<LogNumber>,
}

impl Core {
    /// Freezes the memtables of some keyspaces and waits until all that they have frozen is in durable tables.
    pub(crate) fn flush_blocking(&self, trees: &[Arc<Tree>]) -> Result<()> {
        self.check_open()?;
        self.check_writable()?;
        if self.is_inline() {
            while self.commit.freeze(trees, &self.logs)? == Freeze::Full {
                self.flush_inline()?;
            }
            return self.flush_inline();
        }
        let asked = loop {
            match self.changed.wait(|| self.freeze_for_flush(trees))? {
                Ready::Now(asked) => break asked,
                Ready::Later(ticket) => self.changed.wait(|| self.next_log(ticket))?,
            }
        };
        self.changed.wait(|| self.flushed(trees, asked))
    }

    /// As [`Core::flush_blocking`], as a task.
    pub(crate) async fn flush(&self, trees: &[Arc<Tree>]) -> Result<()> {
        if self.is_inline() {
            return self.flush_blocking(trees);
        }
        self.check_open()?;
        let asked = loop {
            match self.changed.waited(|| self.freeze_for_flush(trees)).await? {
                Ready::Now(asked) => break asked,
                Ready::Later(ticket) => self.changed.waited(|| self.next_log(ticket)).await?,
            }
        };
        self.changed.waited(|| self.flushed(trees, asked)).await
    }

    /// Freezes the memtables and asks for their flush, unless too many wait already.
    fn freeze_for_flush(&self, trees: &[Arc<Tree>]) -> Option<Result<Ready<Asked>>> {
        if self.is_stopping() {
            return Some(Err(self.closed()));
        }
        match self.commit.freeze(trees, &self.logs) {
            Err(error) => Some(Err(error)),
            Ok(Freeze::Full) => self.failures.flush().map(Err),
            Ok(Freeze::Later(ticket)) => Some(Ok(Ready::Later(ticket))),
            Ok(Freeze::Empty | Freeze::Frozen) => {
                let number = self.failures.flush_asked();
                self.logs.flush_is_due();
                let newest = trees.iter().filter_map(newest_frozen).max();
                Some(Ok(Ready::Now(Asked { number, newest })))
            }
        }
    }

    /// Whether the memtables that were asked for are in tables; an error when an attempt has failed since.
    fn flushed(&self, trees: &[Arc<Tree>], asked: Asked) -> Option<Result<()>> {
        let is_later = |frozen: &Arc<Frozen>| Some(frozen.log) > asked.newest;
        if trees.iter().all(|tree| tree.view().frozen.iter().all(is_later)) {
            return Some(Ok(()));
        }
        if self.is_stopping() {
            return Some(Err(self.closed()));
        }
        self.failures.flush_since(asked.number).map(Err)
    }

    /// Flushes and compacts on the caller's thread, until nothing is due.
    pub(crate) fn flush_inline(&self) -> Result<()> {
        while flush_oldest(self)? {}
        while self.compact_one()? {}
        Ok(())
    }

    /// Flushes a keyspace, then merges all of it down to the last level.
    pub(crate) fn compact_blocking(&self, tree: &Arc<Tree>) -> Result<()> {
        self.flush_blocking(std::slice::from_ref(tree))?;
        self.request_full_compaction(tree);
        if self.is_inline() {
            while self.compact_one()? {}
        }
        self.changed.wait(|| self.compacted(tree))
    }

    /// As [`Core::compact_blocking`], as a task.
    pub(crate) async fn compact(&self, tree: &Arc<Tree>) -> Result<()> {
        if self.is_inline() {
            return self.compact_blocking(tree);
        }
        self.flush(std::slice::from_ref(tree)).await?;
        self.request_full_compaction(tree);
        self.changed.waited(|| self.compacted(tree)).await
    }

    /// Whether the janitor has yet to remove files that are done with.
    fn buries_later(&self) -> bool {
        let later = !self.is_inline() && !self.is_stopping() && !lock(&self.graveyard).is_empty();
        if later {
            // Whoever let go of a table last need not have told the janitor.
            self.logs.work.raise();
        }
        later
    }

    fn compacted(&self, tree: &Tree) -> Option<Result<()>> {
        if let Err(dropped) = tree.check_exists() {
            return Some(Err(dropped));
        }
        match Self::full_compaction(tree) {
            // The janitor is still at it, unless it is no more.
            Progress::Done if self.buries_later() => self.failures.thread().map(Err),
            Progress::Done => Some(Ok(())),
            Progress::Failed(error) => Some(Err(error)),
            Progress::Running if self.is_stopping() => Some(Err(self.closed())),
            // While a failure stands, no thread picks a job.
            Progress::Running => self.failures.compaction().map(Err),
        }
    }
}

fn newest_frozen(tree: &Arc<Tree>) -> Option<LogNumber> {
    tree.view().frozen.first().map(|newest| newest.log)
}
