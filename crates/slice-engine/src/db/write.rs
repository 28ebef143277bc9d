//! Writing a batch: the parts that wait, once for threads and once for tasks.
//!
//! The common case does not wait at all: [`Core::write_now`] encodes into a buffer of the thread's own, takes the
//! commit lock, and is done. Whoever has to wait takes the batch along.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use slice_types::{EntryKind, Error, ErrorKind, Result, check_key, check_value};
use slice_wal::{EncodedBatch, LogPosition};

use super::{Core, Handle, Ticket};
use crate::background::clock::now;
use crate::commit::pressure::Cause;
use crate::commit::{Attempt, Freeze};
use crate::options::Durability;
use crate::planted::Bug;
use crate::primitives::{per_thread, thread};
use crate::transaction::Check;
use crate::tree::Tree;
use crate::values::stamp_batch;
use crate::write_batch::WriteBatch;

/// Buffers of threads are not kept beyond this size, in bytes.
const KEPT_BUFFER_MAX: usize = 1 << 20;

per_thread! {
    static BUFFER: RefCell<EncodedBatch> = const { RefCell::new(EncodedBatch::new()) };
}

/// How far a write got without waiting.
pub(crate) enum Written {
    /// In the log, up to here.
    Done(LogPosition),
    /// Nowhere yet: it has to wait first, for this long or for a flush.
    Waits(EncodedBatch, Wait),
}

/// The same for a batch that the caller keeps.
enum Tried {
    Done(LogPosition),
    Waits(Wait),
}

/// What a writer waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wait {
    /// Its turn, at the rate that the background keeps up with.
    Delay(Duration),
    /// Room for another memtable.
    Flush,
    /// The next log.
    Log(Ticket),
}

impl Wait {
    fn cause(self) -> Cause {
        match self {
            Self::Delay(_) => Cause::Rate,
            Self::Flush | Self::Log(_) => Cause::NoRoom,
        }
    }
}

impl Core {
    /// Writes one entry if that needs no waiting.
    pub(crate) fn write_now(
        &self,
        tree: &Tree,
        kind: EntryKind,
        key: &[u8],
        value: &[u8],
    ) -> Result<Written> {
        check_key(key)?;
        let (kind, value) = tree.rules.stamp(kind, value)?;
        check_value(&value)?;
        BUFFER.with(|buffer| {
            let batch = &mut *buffer.borrow_mut();
            batch.clear();
            batch.push(tree.id, kind, key, &value)?;
            batch.seal();
            match self.try_write(batch, None)? {
                Tried::Waits(wait) => Ok(Written::Waits(std::mem::take(batch), wait)),
                Tried::Done(end) => {
                    if batch.byte_len() > KEPT_BUFFER_MAX {
                        *batch = EncodedBatch::new();
                    }
                    Ok(Written::Done(end))
                }
            }
        })
    }

    /// Writes a batch through a handle of a keyspace, if that needs no waiting; `None` for an empty one.
    pub(crate) fn write_batch_now(
        &self,
        handle: &Arc<Handle>,
        tree: &Arc<Tree>,
        batch: WriteBatch,
    ) -> Result<Option<Written>> {
        self.check_open()?;
        if batch.is_empty() {
            return Ok(None);
        }
        self.write_checked_now(batch.into_encoded(handle, tree.id)?, None).map(Some)
    }

    /// Writes a batch, which has entries, if that needs no waiting; with a `check`, only if that holds.
    pub(crate) fn write_checked_now(&self, batch: EncodedBatch, check: Option<&Check>) -> Result<Written> {
        let trees = self.trees_of(&batch)?;
        let mut batch = stamp_batch(batch, &trees)?;
        batch.seal();
        Ok(match self.try_write(&batch, check)? {
            Tried::Waits(wait) => Written::Waits(batch, wait),
            Tried::Done(end) => Written::Done(end),
        })
    }

    fn try_write(&self, batch: &EncodedBatch, check: Option<&Check>) -> Result<Tried> {
        if let Some(delay) = self.pressure.delay(batch.byte_len()) {
            return Ok(Tried::Waits(Wait::Delay(delay)));
        }
        Ok(match self.attempt(batch, check)? {
            Attempt::Full => Tried::Waits(Wait::Flush),
            Attempt::Later(ticket) => Tried::Waits(Wait::Log(ticket)),
            Attempt::Done(end, _) => Tried::Done(end),
        })
    }

    fn attempt(&self, batch: &EncodedBatch, check: Option<&Check>) -> Result<Attempt> {
        let attempt = self.commit.write(batch, check, &self.logs)?;
        if matches!(attempt, Attempt::Done(_, Freeze::Frozen)) {
            self.update_pressure();
        }
        Ok(attempt)
    }

    /// Waits as a thread for what is left of a write: acknowledged when this returns.
    pub(crate) fn finish_blocking(&self, written: Written) -> Result<()> {
        self.finish_as_blocking(written, self.options.durability)
    }

    /// As [`Core::finish_blocking`], acknowledged as asked for.
    pub(crate) fn finish_as_blocking(&self, written: Written, durability: Durability) -> Result<()> {
        let end = self.place_blocking(written, None)?;
        self.acknowledge_blocking(end, durability)
    }

    /// Waits as a thread until a write is in the log.
    pub(crate) fn place_blocking(&self, written: Written, check: Option<&Check>) -> Result<LogPosition> {
        match written {
            Written::Done(end) => Ok(end),
            Written::Waits(batch, wait) => self.write_waiting(&batch, check, wait),
        }
    }

    /// Waits as a thread until what is in the log up to `end` is as durable as was asked for.
    pub(crate) fn acknowledge_blocking(&self, end: LogPosition, durability: Durability) -> Result<()> {
        self.request_sync(end, durability);
        if self.waits_for_sync(durability) { self.sync_to(end) } else { Ok(()) }
    }

    /// The timer knows of the store's own interval only: for another one an fsync is asked for at once.
    fn request_sync(&self, end: LogPosition, durability: Durability) {
        if matches!(durability, Durability::Interval(_)) && durability != self.options.durability {
            self.commit.sync.request(end);
        }
    }

    /// Whether a write is acknowledged only when it is on the disk.
    fn waits_for_sync(&self, durability: Durability) -> bool {
        durability == Durability::Fsync && !self.options.planted.has(Bug::AckBeforeSync)
    }

    fn write_waiting(
        &self,
        batch: &EncodedBatch,
        check: Option<&Check>,
        mut wait: Wait,
    ) -> Result<LogPosition> {
        loop {
            let since = now();
            match wait {
                Wait::Delay(delay) => thread::sleep(delay),
                Wait::Flush if self.is_inline() => {
                    self.flush_inline()?;
                    self.changed.wait(|| self.is_let_go());
                }
                Wait::Flush => self.changed.wait(|| self.room(batch))?,
                Wait::Log(ticket) => self.changed.wait(|| self.next_log(ticket))?,
            }
            self.pressure.count(wait.cause(), now() - since);
            match self.attempt(batch, check)? {
                Attempt::Done(end, _) => return Ok(end),
                Attempt::Full => wait = Wait::Flush,
                Attempt::Later(ticket) => wait = Wait::Log(ticket),
            }
        }
    }

    /// Waits as a task for what is left of a write: acknowledged when this is done.
    ///
    /// Dropped before that, the write has either happened or not, as after a crash; nothing stays locked.
    pub(crate) async fn finish(&self, written: Written) -> Result<()> {
        self.finish_as(written, self.options.durability).await
    }

    /// As [`Core::finish`], acknowledged as asked for.
    pub(crate) async fn finish_as(&self, written: Written, durability: Durability) -> Result<()> {
        let end = self.place(written, None).await?;
        self.acknowledge(end, durability).await
    }

    /// Waits as a task until a write is in the log.
    pub(crate) async fn place(&self, written: Written, check: Option<&Check>) -> Result<LogPosition> {
        match written {
            Written::Done(end) => Ok(end),
            Written::Waits(batch, wait) => self.write_waited(&batch, check, wait).await,
        }
    }

    /// Waits as a task until what is in the log up to `end` is as durable as was asked for.
    pub(crate) async fn acknowledge(&self, end: LogPosition, durability: Durability) -> Result<()> {
        self.request_sync(end, durability);
        if self.waits_for_sync(durability) { self.synced_to(end).await } else { Ok(()) }
    }

    async fn write_waited(
        &self,
        batch: &EncodedBatch,
        check: Option<&Check>,
        mut wait: Wait,
    ) -> Result<LogPosition> {
        loop {
            let since = now();
            match wait {
                Wait::Delay(delay) => self.timer.sleep(delay).await,
                Wait::Flush if self.is_inline() => {
                    self.flush_inline()?;
                    self.changed.waited(|| self.is_let_go()).await;
                }
                Wait::Flush => self.changed.waited(|| self.room(batch)).await?,
                Wait::Log(ticket) => self.changed.waited(|| self.next_log(ticket)).await?,
            }
            self.pressure.count(wait.cause(), now() - since);
            match self.attempt(batch, check)? {
                Attempt::Done(end, _) => return Ok(end),
                Attempt::Full => wait = Wait::Flush,
                Attempt::Later(ticket) => wait = Wait::Log(ticket),
            }
        }
    }

    /// Whether another memtable of a batch's keyspaces may be frozen; an error when no flush will make it so.
    fn room(&self, batch: &EncodedBatch) -> Option<Result<()>> {
        if self.is_stopping() {
            return Some(Err(self.closed()));
        }
        if self.commit.has_room(batch.keyspaces()) {
            return Some(Ok(()));
        }
        self.failures.flush().map(Err)
    }

    /// Whether the next log is ready, or was; an error when it could not be made.
    pub(super) fn next_log(&self, ticket: Ticket) -> Option<Result<()>> {
        if self.is_stopping() {
            return Some(Err(self.closed()));
        }
        self.logs.outcome(ticket).or_else(|| self.failures.thread().map(Err))
    }

    /// Whether nobody holds the writers.
    fn is_let_go(&self) -> Option<()> {
        (!self.commit.is_held()).then_some(())
    }

    /// Makes the log durable up to `end`, or waits until somebody has.
    pub(crate) fn sync_to(&self, end: LogPosition) -> Result<()> {
        if self.is_inline() {
            return self.outcome(self.sync_round());
        }
        let led = self.commit.sync.wait_or_lead(end);
        if let Ok(Some(durable)) = led {
            self.commit.mark_durable(durable);
        }
        self.outcome(led.map(drop))
    }

    /// As [`Core::sync_to`], as a task.
    async fn synced_to(&self, end: LogPosition) -> Result<()> {
        if self.is_inline() {
            return self.sync_to(end);
        }
        let synced = self.commit.sync.waited(end).await;
        self.outcome(synced)
    }

    /// One fsync for all that has been written so far.
    pub(crate) fn sync_round(&self) -> Result<()> {
        match self.commit.sync.sync_now() {
            Ok(durable) => {
                self.commit.mark_durable(durable);
                Ok(())
            }
            Err(error) => {
                self.log_failed(&error);
                Err(error)
            }
        }
    }

    pub(crate) fn sync_blocking(&self) -> Result<()> {
        self.sync_to(self.commit.position())
    }

    pub(crate) async fn sync(&self) -> Result<()> {
        self.check_open()?;
        self.synced_to(self.commit.position()).await
    }

    /// A failed fsync may have lost what it was asked to write, and asking again could say "done": so no more is
    /// acknowledged. Whoever learns of it first sees to that, before anyone is told.
    pub(crate) fn log_failed(&self, error: &Error) {
        if error.kind() == ErrorKind::Closed || self.options.planted.has(Bug::ForgetFailedSync) {
            return;
        }
        self.commit.refuse(read_only(error));
        if self.failures.log_failed(error) {
            tracing::error!(%error, "an fsync of the log failed: writes are refused from now on");
        }
    }

    /// What is told to who waited for an fsync of the log.
    fn outcome(&self, synced: Result<()>) -> Result<()> {
        match synced {
            Ok(()) => Ok(()),
            Err(_) if self.options.planted.has(Bug::ForgetFailedSync) => Ok(()),
            Err(_) if self.is_stopping() => Err(self.closed()),
            Err(error) => {
                self.log_failed(&error);
                Err(error)
            }
        }
    }
}

fn read_only(cause: &Error) -> Error {
    let message = format!(
        "an fsync of the log failed, so writes are refused; open the store anew once the disk is sound ({cause})"
    );
    Error::new(ErrorKind::ReadOnly, message)
}
