//! The one way in: every write goes through here, one batch at a time.
//!
//! Under one short lock a batch takes its sequence numbers, is copied into the log, is inserted into the memtables of its
//! keyspaces, and is published. Because that is one lock:
//!
//! - numbers are published in order, so a reader sees a whole batch or nothing of it;
//! - a memtable is frozen together with the log, so its entries are in logs that later entries of it are not in;
//! - a memtable has one writer at a time, which is all that it asks for.
//!
//! ```text
//!   log          1 ......... | 2 ....... | 3 ....             one for all keyspaces; each freeze begins another
//!   default      [ 1 frozen ]  [ 2 frozen ] [ active           flushed, it needs the logs from 3 on
//!   users           [ active, since log 1 ................     holds log 1 back, until it is frozen in its turn
//! ```
//!
//! When too many logs are held back, the switch freezes the memtable that holds the oldest one, too.
//!
//! What can wait is waited for outside the lock: back-pressure before it, fsync behind it.

mod active;
mod held;
pub(crate) mod pressure;
mod switch;
mod turn;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use slice_types::{Error, KeyRange, KeyspaceId, LogNumber, Result, SeqNo};
use slice_wal::{EncodedBatch, GroupSync, LogPosition, LogWriter};

use crate::db::{Logs, Ticket, Wanted};
use crate::options::Options;
use crate::planted::{Bug, Planted};
use crate::primitives::{AtomicU64, Mutex};
use crate::signal::lock;
use crate::transaction::{Check, Conflicts, EpochNumber};
use crate::tree::Tree;
pub(crate) use active::unknown;
use active::{Active, ActiveMemtables, Places};
pub(crate) use switch::Freeze;
use turn::Turns;

/// The commit pipeline of a database.
pub(crate) struct Commit {
    state: Mutex<State>,
    turns: Turns,
    visible: AtomicU64,
    pub(crate) sync: Arc<GroupSync>,
    /// The most that the memtables which take writes may take of memory together, in bytes.
    active_max: usize,
    planted: Planted,
}

struct State {
    log: LogWriter,
    active: ActiveMemtables,
    /// The number that the next entry takes.
    next: SeqNo,
    /// Why writes are refused, once they are.
    refused: Option<Error>,
    /// Whether writers have to wait.
    is_held: bool,
    /// Whether an append failed, and may have left bytes behind the log's end.
    is_untidy: bool,
    /// Whether the successor of the log was asked for.
    is_next_asked: bool,
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

    /// What the janitor is to prepare, now that a batch is written.
    #[inline]
    fn wants(&mut self, places: &Places) -> Option<Wanted> {
        if self.log.is_low() {
            return Some(Wanted::Space);
        }
        if self.is_next_asked || !self.active.at(places).any(Active::is_nearly_full) {
            return None;
        }
        self.is_next_asked = true;
        Some(Wanted::Next)
    }

    /// The last number that was taken.
    fn last(&self) -> SeqNo {
        SeqNo::new(self.next.get() - 1)
    }
}

/// What became of a write.
pub(crate) enum Attempt {
    /// It is in the log up to here, in the memtables, and visible; and whether one was switched for it.
    Done(LogPosition, Freeze),
    /// Nothing was written: too many memtables wait for their flush, a keyspace is being cleared, or writers are held. Wait,
    /// then try again.
    Full,
    /// Nothing was written: a memtable is full, and the next log is not ready. Wait for it, then try again.
    Later(Ticket),
}

impl Commit {
    /// Begins behind `last`.
    pub(crate) fn new(
        log: LogWriter,
        trees: &[Arc<Tree>],
        last: SeqNo,
        sync: Arc<GroupSync>,
        options: &Options,
        active_max: usize,
    ) -> Self {
        let state = State {
            log,
            active: ActiveMemtables::new(trees),
            next: last.plus(1),
            refused: None,
            is_held: false,
            is_untidy: false,
            is_next_asked: false,
            closed: None,
            conflicts: Conflicts::default(),
        };
        let visible = AtomicU64::new(last.get());
        Self {
            state: Mutex::new(state),
            turns: Turns::new(),
            visible,
            sync,
            active_max,
            planted: options.planted,
        }
    }

    /// The newest sequence number whose batch is whole.
    #[inline]
    pub(crate) fn visible(&self) -> SeqNo {
        SeqNo::new(self.visible.load(Ordering::Acquire))
    }

    /// Writes a sealed batch, switching the memtables first that are full; with a `check`, only if that holds at the
    /// moment of the write.
    ///
    /// # Errors
    ///
    /// What the log says, `InvalidArgument` for a keyspace that was dropped, and `Conflict` when the check does not hold;
    /// then nothing was written, and the next write goes to the same place.
    pub(crate) fn write(&self, batch: &EncodedBatch, check: Option<&Check>, logs: &Logs) -> Result<Attempt> {
        let mut state = self.turns.lock(&self.state);
        if let Some(refused) = &state.refused {
            return Err(refused.clone());
        }
        let places = state.active.places(batch)?;
        if state.is_held {
            return Ok(Attempt::Full);
        }
        if let Some(check) = check {
            state.conflicts.check(check)?;
        }
        let freeze = self.make_room(&mut state, &places, logs)?;
        match freeze {
            Freeze::Empty | Freeze::Frozen => {}
            Freeze::Full => return Ok(Attempt::Full),
            Freeze::Later(ticket) => return Ok(Attempt::Later(ticket)),
        }
        let end = if self.planted.has(Bug::SplitBatch) {
            self.commit_split(&mut state, batch)?
        } else {
            self.commit(&mut state, batch, &places)?
        };
        let wants = state.wants(&places);
        drop(state);
        if let Some(wants) = wants {
            logs.ask_for(wants);
        }
        Ok(Attempt::Done(end, freeze))
    }

    /// Logs, inserts and publishes a batch.
    fn commit(&self, state: &mut State, batch: &EncodedBatch, places: &Places) -> Result<LogPosition> {
        let first = state.next;
        let end = state.append(first, batch)?;
        state.active.enter(places, end.log);
        if self.planted.has(Bug::PublishBeforeInsert) {
            self.visible.store(first.plus(u64::from(batch.count()) - 1).get(), Ordering::Release);
        }
        let last = state.active.insert(first, batch, places);
        state.active.recount(places);
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
            end = self.commit(state, &part, &state.active.places(&part)?)?;
        }
        Ok(end)
    }

    /// The oldest log with entries that are in no table, once a keyspace needs none below `first`.
    pub(crate) fn oldest_log(&self, id: KeyspaceId, first: LogNumber) -> LogNumber {
        let state = lock(&self.state);
        let needed = state.active.iter().filter_map(|active| {
            let from = if active.tree.id == id { first } else { LogNumber::default() };
            active.oldest_log(from)
        });
        needed.min().unwrap_or(state.log.number())
    }

    /// Lets a keyspace that is new take writes.
    pub(crate) fn add(&self, tree: Arc<Tree>) {
        lock(&self.state).active.add(tree);
    }

    /// Refuses writes to a keyspace from now on.
    pub(crate) fn remove(&self, id: KeyspaceId) {
        lock(&self.state).active.remove(id);
    }

    /// Makes what was chosen for a keyspace count for its memtables.
    pub(crate) fn choose(&self, id: KeyspaceId, options: &Options) {
        if let Some(active) = lock(&self.state).active.get_mut(id) {
            active.full_at = options.memtable_size;
            active.frozen_max = options.max_frozen_memtables;
        }
    }

    /// Tells transactions that any key of a keyspace may have changed.
    pub(crate) fn all_has_changed(&self, id: KeyspaceId) {
        lock(&self.state).conflicts.record_range(id, &KeyRange::ALL);
    }

    /// Whether a writer to these keyspaces need not wait, as far as can be said before it tries.
    pub(crate) fn has_room(&self, ids: &[KeyspaceId]) -> bool {
        let state = lock(&self.state);
        let mut touched = ids.iter().filter_map(|id| state.active.get(*id));
        let is_crowded = self.crowding(&state).is_some_and(Active::is_backed_up);
        !state.is_held && !is_crowded && touched.all(|active| !active.is_paused && !active.is_backed_up())
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
