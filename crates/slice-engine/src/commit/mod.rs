//! The one way in: every write goes through here, one batch at a time.
//!
//! Under one short lock a batch takes its sequence numbers, is copied into the log, is inserted into the memtable, and
//! is published. Because that is one lock:
//!
//! - numbers are published in order, so a reader sees a whole batch or nothing of it;
//! - the memtable and its log are switched together, so a record and its entries are never in different generations;
//! - the memtable has one writer at a time, which is all that it asks for.
//!
//! What can wait is waited for outside the lock: back-pressure before it, fsync behind it.

pub(crate) mod pressure;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use slice_memtable::MemTable;
use slice_types::{Error, Result, SeqNo, Trailer};
use slice_wal::{EncodedBatch, GroupSync, LogPosition, LogWriter};

use crate::background::clock::now;
use crate::db::Logs;
use crate::options::Options;
use crate::planted::{Bug, Planted};
use crate::primitives::{AtomicU64, Mutex};
use crate::signal::lock;
use crate::transaction::{Check, Conflicts, EpochNumber};
use crate::tree::{Frozen, Memory, Tree};

/// The commit pipeline of a database.
pub(crate) struct Commit {
    state: Mutex<State>,
    visible: AtomicU64,
    pub(crate) sync: Arc<GroupSync>,
    memtable_size: usize,
    max_frozen: usize,
    planted: Planted,
}

struct State {
    log: LogWriter,
    memory: Arc<Memory>,
    /// The number that the next entry takes.
    next: SeqNo,
    /// When the memtable got its first entry.
    since: Option<Instant>,
    /// Why writes are refused, once they are.
    refused: Option<Error>,
    /// Whether an append failed, and may have left bytes behind the log's end.
    is_untidy: bool,
    /// Set once the database is closed: the directory may be somebody else's, so no log is begun in it.
    closed: Option<Error>,
    /// What open transactions may conflict with. While there are none, a write costs a look at it and no more.
    conflicts: Conflicts,
}

impl State {
    fn append(&mut self, first: SeqNo, batch: &EncodedBatch) -> Result<LogPosition> {
        let appended = self.log.append(first, batch);
        self.is_untidy |= appended.is_err();
        appended
    }

    /// Cuts off what a failed append may have left, before a later log says that all of this one was durable.
    fn tidy(&mut self) -> Result<()> {
        if self.is_untidy { self.log.finish() } else { Ok(()) }
    }
}

/// What became of a write.
pub(crate) enum Attempt {
    /// It is in the log up to here, in the memtable, and visible; and whether the memtable was switched for it.
    Done(LogPosition, Freeze),
    /// Nothing was written: too many memtables wait for their flush. Wait for one, then try again.
    Full,
}

/// What a switch of memtables did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freeze {
    Frozen,
    /// There was nothing to freeze.
    Empty,
    /// Too many wait already.
    Full,
}

impl Commit {
    /// Begins behind `last`; the options bound the memory that unflushed writes may take.
    pub(crate) fn new(
        log: LogWriter,
        memory: Arc<Memory>,
        last: SeqNo,
        sync: Arc<GroupSync>,
        options: &Options,
    ) -> Self {
        let state = State {
            log,
            memory,
            next: last.plus(1),
            since: None,
            refused: None,
            is_untidy: false,
            closed: None,
            conflicts: Conflicts::default(),
        };
        Self {
            state: Mutex::new(state),
            visible: AtomicU64::new(last.get()),
            sync,
            memtable_size: options.memtable_size,
            max_frozen: options.max_frozen_memtables,
            planted: options.planted,
        }
    }

    /// The newest sequence number whose batch is whole.
    #[inline]
    pub(crate) fn visible(&self) -> SeqNo {
        SeqNo::new(self.visible.load(Ordering::Acquire))
    }

    /// Writes a sealed batch, switching the memtable first when it is full; with a `check`, only if that holds at the
    /// moment of the write.
    ///
    /// # Errors
    ///
    /// What the log says, and `Conflict` when the check does not hold; then nothing was written, and the next write
    /// goes to the same place.
    pub(crate) fn write(
        &self,
        batch: &EncodedBatch,
        check: Option<&Check>,
        tree: &Tree,
        logs: &Logs,
    ) -> Result<Attempt> {
        let mut state = lock(&self.state);
        if let Some(refused) = &state.refused {
            return Err(refused.clone());
        }
        if let Some(check) = check {
            state.conflicts.check(check)?;
        }
        let mut freeze = Freeze::Empty;
        if state.memory.memory_used() >= self.memtable_size || !state.log.is_open() {
            freeze = self.switch(&mut state, tree, logs)?;
        }
        if freeze == Freeze::Full {
            return Ok(Attempt::Full);
        }
        let end = if self.planted.has(Bug::SplitBatch) {
            self.commit_split(&mut state, batch)?
        } else {
            self.commit(&mut state, batch)?
        };
        let low = state.log.is_low();
        drop(state);
        if low {
            logs.ask_for_space();
        }
        Ok(Attempt::Done(end, freeze))
    }

    /// Logs, inserts and publishes a batch.
    fn commit(&self, state: &mut State, batch: &EncodedBatch) -> Result<LogPosition> {
        let first = state.next;
        let end = state.append(first, batch)?;
        if state.since.is_none() {
            state.since = Some(now());
        }
        if self.planted.has(Bug::PublishBeforeInsert) {
            self.visible.store(first.plus(u64::from(batch.count()) - 1).get(), Ordering::Release);
        }
        let last = insert(&state.memory, first, batch);
        state.next = last.plus(1);
        state.conflicts.record(batch);
        self.visible.store(last.get(), Ordering::Release);
        self.sync.appended(end);
        Ok(end)
    }

    /// The planted bug: each entry of a batch is a batch of its own.
    fn commit_split(&self, state: &mut State, batch: &EncodedBatch) -> Result<LogPosition> {
        let mut end = state.log.position();
        for entry in batch.entries() {
            let entry = entry?;
            let mut part = EncodedBatch::new();
            part.push(entry.keyspace, entry.kind, entry.key, entry.value)?;
            end = self.commit(state, &part)?;
        }
        Ok(end)
    }

    /// Freezes the memtable, if it holds anything.
    pub(crate) fn freeze(&self, tree: &Tree, logs: &Logs) -> Result<Freeze> {
        let mut state = lock(&self.state);
        if state.memory.is_empty() {
            return Ok(Freeze::Empty);
        }
        self.switch(&mut state, tree, logs)
    }

    /// Freezes the memtable, if it has held anything since before `before`.
    pub(crate) fn freeze_older(&self, before: Instant, tree: &Tree, logs: &Logs) -> Result<Freeze> {
        let mut state = lock(&self.state);
        if state.since.is_none_or(|since| since > before) {
            return Ok(Freeze::Empty);
        }
        self.switch(&mut state, tree, logs)
    }

    /// Switches the memtable and its log together.
    fn switch(&self, state: &mut State, tree: &Tree, logs: &Logs) -> Result<Freeze> {
        if tree.view().frozen.len() >= self.max_frozen {
            return Ok(Freeze::Full);
        }
        if let Some(closed) = &state.closed {
            return Err(closed.clone());
        }
        state.tidy()?;
        let old = state.log.number();
        let next = old.next().ok_or_else(|| Error::corruption("the numbers of logs are used up"))?;
        let mut log = logs.begin(next, &self.sync)?;
        log.set_sync_mark(self.sync.durable());
        let memory = Arc::new(Memory::new());
        let writer = Mutex::new(Some(std::mem::replace(&mut state.log, log)));
        let frozen =
            Frozen { memory: std::mem::replace(&mut state.memory, Arc::clone(&memory)), log: old, writer };
        tree.update(|view| {
            view.frozen.insert(0, Arc::new(frozen));
            view.active = memory;
        });
        state.since = None;
        state.is_untidy = false;
        logs.flush_is_due();
        Ok(Freeze::Frozen)
    }

    /// Leaves a note in the log of what is durable by now, so that a recovery can tell damage from a torn tail.
    pub(crate) fn mark_durable(&self, durable: LogPosition) {
        lock(&self.state).log.set_sync_mark(durable);
    }

    /// Where the log ends now.
    pub(crate) fn position(&self) -> LogPosition {
        lock(&self.state).log.position()
    }

    /// From now on records what is written, for a transaction to be checked against.
    pub(crate) fn begin_transaction(&self) -> EpochNumber {
        lock(&self.state).conflicts.begin()
    }

    /// Ends a transaction; what only it needed is freed outside of the lock.
    pub(crate) fn end_transaction(&self, began: EpochNumber) {
        let forgotten = lock(&self.state).conflicts.end(began);
        drop(forgotten);
    }

    /// Open transactions, and the keys and ranges that are kept for them.
    pub(crate) fn transactions(&self) -> (usize, usize) {
        let state = lock(&self.state);
        (state.conflicts.open(), state.conflicts.len())
    }

    /// Refuses all writes from now on; the first reason stays.
    pub(crate) fn refuse(&self, reason: Error) {
        lock(&self.state).refused.get_or_insert(reason);
    }

    /// Refuses all writes and freezes.
    pub(crate) fn close(&self, reason: &Error) {
        let mut state = lock(&self.state);
        state.refused.get_or_insert_with(|| reason.clone());
        state.closed.get_or_insert_with(|| reason.clone());
    }

    /// Gives back the log's unused space; nothing can be written behind that.
    pub(crate) fn trim(&self) -> Result<()> {
        lock(&self.state).log.finish()
    }
}

/// Inserts a batch's entries, numbered from `first` on, and gives the last number.
fn insert(memory: &Memory, first: SeqNo, batch: &EncodedBatch) -> SeqNo {
    let mut seqno = first;
    for (entry, n) in batch.entries().zip(0_u64..) {
        let entry = entry.expect("a batch decodes to what its writer encoded");
        seqno = first.plus(n);
        memory.insert(entry.key, Trailer::new(seqno, entry.kind), entry.value);
    }
    seqno
}
