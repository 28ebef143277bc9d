//! Flush and compact on request, as a thread and as a task.

use slice_types::{LogNumber, Result};

use super::Core;
use crate::background::compact::Progress;
use crate::background::flush::flush_oldest;
use crate::commit::Freeze;
use crate::signal::lock;

impl Core {
    /// Freezes the memtable and waits until all that is frozen is in durable tables.
    pub(crate) fn flush_blocking(&self) -> Result<()> {
        self.check_open()?;
        if self.is_inline() {
            while self.commit.freeze(&self.tree, &self.logs)? == Freeze::Full {
                self.flush_inline()?;
            }
            return self.flush_inline();
        }
        let newest = self.changed.wait(|| self.freeze_for_flush())?;
        self.changed.wait(|| self.flushed(newest))
    }

    /// As [`Core::flush_blocking`], as a task.
    pub(crate) async fn flush(&self) -> Result<()> {
        if self.is_inline() {
            return self.flush_blocking();
        }
        self.check_open()?;
        let newest = self.changed.waited(|| self.freeze_for_flush()).await?;
        self.changed.waited(|| self.flushed(newest)).await
    }

    /// Freezes the memtable, unless too many wait already; gives the log of the newest frozen one, if there is any.
    fn freeze_for_flush(&self) -> Option<Result<Option<LogNumber>>> {
        if self.is_stopping() {
            return Some(Err(self.closed()));
        }
        match self.commit.freeze(&self.tree, &self.logs) {
            Err(error) => Some(Err(error)),
            Ok(Freeze::Full) => self.failures.flush().map(Err),
            Ok(Freeze::Empty | Freeze::Frozen) => {
                self.failures.flush_asked();
                self.logs.flush_is_due();
                Some(Ok(self.tree.view().frozen.first().map(|newest| newest.log)))
            }
        }
    }

    /// Whether the memtables up to that of `newest` are in tables; an error when no flush will make it so.
    fn flushed(&self, newest: Option<LogNumber>) -> Option<Result<()>> {
        if self.tree.view().frozen.iter().all(|frozen| Some(frozen.log) > newest) {
            return Some(Ok(()));
        }
        if self.is_stopping() {
            return Some(Err(self.closed()));
        }
        self.failures.flush().map(Err)
    }

    /// Flushes and compacts on the caller's thread, until nothing is due.
    pub(crate) fn flush_inline(&self) -> Result<()> {
        while flush_oldest(self)? {}
        while self.compact_one()? {}
        Ok(())
    }

    /// Flushes, then merges everything down to the last level.
    pub(crate) fn compact_blocking(&self) -> Result<()> {
        self.flush_blocking()?;
        self.request_full_compaction();
        if self.is_inline() {
            while self.compact_one()? {}
        }
        self.changed.wait(|| self.compacted())
    }

    /// As [`Core::compact_blocking`], as a task.
    pub(crate) async fn compact(&self) -> Result<()> {
        if self.is_inline() {
            return self.compact_blocking();
        }
        self.flush().await?;
        self.request_full_compaction();
        self.changed.waited(|| self.compacted()).await
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

    fn compacted(&self) -> Option<Result<()>> {
        match self.full_compaction() {
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
