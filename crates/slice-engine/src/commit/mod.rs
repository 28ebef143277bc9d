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

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use slice_memtable::MemTable;
use slice_types::{Error, KeyRange, KeyspaceId, LogNumber, Result, SeqNo};
use slice_wal::{EncodedBatch, GroupSync, LogPosition, LogWriter};

use crate::db::{Logs, Pace, Wanted};
use crate::options::Options;
use crate::planted::{Bug, Planted};
use crate::primitives::{AtomicU64, Mutex};
use crate::signal::lock;
use crate::transaction::{Check, Conflicts, EpochNumber};
use crate::tree::Tree;
pub(crate) use active::unknown;
use active::{Active, ActiveMemtables, Places};

/// How many logs may be held back before the keyspace that holds the oldest is frozen: each is a file and a piece of a
/// recovery.
pub(crate) const OLD_LOGS_MAX: usize = 16;

/// The commit pipeline of a database.
pub(crate) struct Commit {
    state: Mutex<State>,
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
    stage: Stage,
    /// Set once the database is closed: the directory may be somebody else's, so no log is begun in it.
    closed: Option<Error>,
    /// What open transactions may conflict with. While there are none, a write costs a look at it and no more.
    conflicts: Conflicts,
}

/// How far the current log is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// It has not run low yet. One that never does leaves the directory small.
    New,
    Grown,
    /// Its successor was asked for.
    Ending,
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
            self.stage = self.stage.max(Stage::Grown);
            return Some(Wanted::Space);
        }
        if self.stage != Stage::Grown || !self.active.at(places).any(Active::is_nearly_full) {
            return None;
        }
        self.stage = Stage::Ending;
        Some(Wanted::Spare)
    }

    /// The last number that was taken.
    fn last(&self) -> SeqNo {
        SeqNo::new(self.next.get() - 1)
    }

    /// The keyspace whose memtable holds the oldest log back, if too many are held back.
    fn holds_back(&self, logs: &Logs) -> Option<KeyspaceId> {
        let oldest = logs.oldest_of_many(OLD_LOGS_MAX)?;
        let holder = self.active.iter().find(|active| active.since.is_some_and(|(_, log)| log <= oldest));
        holder.map(|active| active.tree.id)
    }

    /// Cuts off what a failed append may have left, before a later log says that all of this one was durable.
    fn tidy(&mut self) -> Result<()> {
        if self.is_untidy { self.log.finish() } else { Ok(()) }
    }
}

/// What became of a write.
pub(crate) enum Attempt {
    /// It is in the log up to here, in the memtables, and visible; and whether one was switched for it.
    Done(LogPosition, Freeze),
    /// Nothing was written: too many memtables wait for their flush, a keyspace is being cleared, or writers are held. Wait,
    /// then try again.
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
            stage: Stage::New,
            closed: None,
            conflicts: Conflicts::default(),
        };
        let visible = AtomicU64::new(last.get());
        Self { state: Mutex::new(state), visible, sync, active_max, planted: options.planted }
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
        let mut state = lock(&self.state);
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
        if freeze == Freeze::Full {
            return Ok(Attempt::Full);
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

    /// Switches the memtables of a batch's keyspaces that are full.
    #[inline]
    fn make_room(&self, state: &mut State, places: &Places, logs: &Logs) -> Result<Freeze> {
        let is_crowded = state.active.used() >= self.active_max;
        if is_crowded || !state.log.is_open() || state.active.is_any_in_the_way(places) {
            return self.make_room_slowly(state, places, logs);
        }
        Ok(Freeze::Empty)
    }

    #[cold]
    fn make_room_slowly(&self, state: &mut State, places: &Places, logs: &Logs) -> Result<Freeze> {
        if state.active.at(places).any(|active| active.is_paused) {
            return Ok(Freeze::Full);
        }
        let is_broken = !state.log.is_open();
        let full = state.active.at(places).filter(|active| is_broken || active.is_full());
        let mut full: Vec<_> = full.map(|active| active.tree.id).collect();
        full.extend(self.crowding(state).map(|active| active.tree.id).filter(|id| !full.contains(id)));
        if full.is_empty() { Ok(Freeze::Empty) } else { self.switch(state, &full, logs, Pace::Busy) }
    }

    /// Many keyspaces share the memory: the one whose memtable has to give its part back, if they take too much.
    fn crowding<'a>(&self, state: &'a State) -> Option<&'a Active> {
        if state.active.used() < self.active_max {
            return None;
        }
        // One that is tiny is not worth a table of its own.
        state.active.largest().filter(|active| active.counted >= self.active_max / 256)
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

    /// Freezes the memtables of some keyspaces, if they hold anything.
    pub(crate) fn freeze(&self, trees: &[Arc<Tree>], logs: &Logs) -> Result<Freeze> {
        let mut state = lock(&self.state);
        let holds = |id: &KeyspaceId| state.active.get(*id).is_some_and(|active| !active.memory.is_empty());
        let ids: Vec<_> = trees.iter().map(|tree| tree.id).filter(holds).collect();
        if ids.is_empty() { Ok(Freeze::Empty) } else { self.switch(&mut state, &ids, logs, Pace::Idle) }
    }

    /// Freezes the memtables that have held anything since before `before`, where that may be.
    pub(crate) fn freeze_older(&self, before: Instant, logs: &Logs) -> Result<Freeze> {
        let mut state = lock(&self.state);
        let old = state.active.iter().filter(|active| active.since.is_some_and(|(since, _)| since <= before));
        let ids: Vec<_> = old.filter(|active| !active.is_backed_up()).map(|active| active.tree.id).collect();
        if ids.is_empty() { Ok(Freeze::Empty) } else { self.switch(&mut state, &ids, logs, Pace::Idle) }
    }

    /// Switches the memtables of these keyspaces, and the log.
    fn switch(&self, state: &mut State, ids: &[KeyspaceId], logs: &Logs, pace: Pace) -> Result<Freeze> {
        if ids.iter().filter_map(|id| state.active.get(*id)).any(Active::is_backed_up) {
            return Ok(Freeze::Full);
        }
        let old = self.switch_log(state, logs, pace)?;
        let holding_back = state.holds_back(logs).filter(|id| !ids.contains(id));
        for id in ids.iter().copied().chain(holding_back) {
            if let Some(active) = state.active.get_mut(id) {
                active.freeze(old);
            }
            state.active.recount_one(id);
        }
        logs.flush_is_due();
        Ok(Freeze::Frozen)
    }

    /// Begins a log, and gives the number of the one before.
    fn switch_log(&self, state: &mut State, logs: &Logs, pace: Pace) -> Result<LogNumber> {
        if let Some(closed) = &state.closed {
            return Err(closed.clone());
        }
        state.tidy()?;
        let old = state.log.number();
        let next = old.next().ok_or_else(|| Error::corruption("the numbers of logs are used up"))?;
        let mut log = logs.begin(next, &self.sync, pace)?;
        log.set_sync_mark(self.sync.durable());
        logs.keep(std::mem::replace(&mut state.log, log), state.last());
        state.is_untidy = false;
        state.stage = Stage::New;
        Ok(old)
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

    /// Makes writers to a keyspace wait from now on, until [`go_on`](Self::go_on), and freezes what they wrote before.
    /// Gives the last log that has anything of it; `None` when nobody may write to it, since it was dropped.
    pub(crate) fn pause(&self, id: KeyspaceId, logs: &Logs) -> Result<Option<LogNumber>> {
        let mut state = lock(&self.state);
        if state.active.get(id).is_none() {
            return Ok(None);
        }
        let old = self.switch_log(&mut state, logs, Pace::Idle)?;
        let Some(active) = state.active.get_mut(id) else { return Ok(None) };
        if !active.memory.is_empty() {
            active.freeze(old);
        }
        active.is_paused = true;
        state.active.recount_one(id);
        Ok(Some(old))
    }

    /// Tells transactions that any key of a keyspace may have changed.
    pub(crate) fn all_has_changed(&self, id: KeyspaceId) {
        lock(&self.state).conflicts.record_range(id, &KeyRange::ALL);
    }

    /// Lets writers to a keyspace go on. The caller wakes them.
    pub(crate) fn go_on(&self, id: KeyspaceId) {
        if let Some(active) = lock(&self.state).active.get_mut(id) {
            active.is_paused = false;
        }
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
