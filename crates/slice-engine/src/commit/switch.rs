//! Switching memtables: when one is full or is to be flushed, it is frozen together with the log.
//!
//! ```text
//!   log          ... 7 | 8 ready      ->     ... 7 left | 8 current
//!   memtable     full                 ->     frozen | a new one
//! ```
//!
//! It is one step under the commit lock, and it calls no file system: the next log was made ahead. Where it was not,
//! nothing is switched, and whoever needs it waits for it outside of the lock.

use std::sync::Arc;
use std::time::Instant;

use slice_memtable::MemTable;
use slice_types::{KeyspaceId, LogNumber, Result};

use super::active::{Active, Places};
use super::{Commit, State};
use crate::db::{Logs, Pace, Ready, Ticket};
use crate::signal::lock;
use crate::tree::Tree;

/// How many logs may be held back before the keyspace that holds the oldest is frozen: each is a file and a piece of a
/// recovery.
const OLD_LOGS_MAX: usize = 16;

/// What a switch of memtables did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freeze {
    Frozen,
    /// There was nothing to freeze.
    Empty,
    /// Too many wait already.
    Full,
    /// Nothing was done: the next log is not ready, and was asked for.
    Later(Ticket),
}

impl State {
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

impl Commit {
    /// Switches the memtables of a batch's keyspaces that are full.
    #[inline]
    pub(super) fn make_room(&self, state: &mut State, places: &Places, logs: &Logs) -> Result<Freeze> {
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
    pub(super) fn crowding<'a>(&self, state: &'a State) -> Option<&'a Active> {
        if state.active.used() < self.active_max {
            return None;
        }
        // One that is tiny is not worth a table of its own.
        state.active.largest().filter(|active| active.counted >= self.active_max / 256)
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
        let old = match self.switch_log(state, logs, pace)? {
            Ready::Now(old) => old,
            Ready::Later(ticket) => return Ok(Freeze::Later(ticket)),
        };
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

    /// Goes on in the next log, and gives the number of the one before.
    fn switch_log(&self, state: &mut State, logs: &Logs, pace: Pace) -> Result<Ready<LogNumber>> {
        if let Some(closed) = &state.closed {
            return Err(closed.clone());
        }
        state.tidy()?;
        let mut log = match logs.begin_ready(&self.sync, pace)? {
            Ready::Now(log) => log,
            Ready::Later(ticket) => return Ok(Ready::Later(ticket)),
        };
        log.set_sync_mark(self.sync.durable());
        let old = state.log.number();
        logs.keep(std::mem::replace(&mut state.log, log), state.last());
        state.is_untidy = false;
        state.is_next_asked = false;
        Ok(Ready::Now(old))
    }

    /// Makes writers to a keyspace wait from now on, until [`go_on`](Self::go_on), and freezes what they wrote before.
    /// Gives the last log that has anything of it; `None` when nobody may write to it, since it was dropped.
    pub(crate) fn pause(&self, id: KeyspaceId, logs: &Logs) -> Result<Ready<Option<LogNumber>>> {
        let mut state = lock(&self.state);
        if state.active.get(id).is_none() {
            return Ok(Ready::Now(None));
        }
        let old = match self.switch_log(&mut state, logs, Pace::Idle)? {
            Ready::Now(old) => old,
            Ready::Later(ticket) => return Ok(Ready::Later(ticket)),
        };
        let Some(active) = state.active.get_mut(id) else { return Ok(Ready::Now(None)) };
        if !active.memory.is_empty() {
            active.freeze(old);
        }
        active.is_paused = true;
        state.active.recount_one(id);
        Ok(Ready::Now(Some(old)))
    }

    /// Lets writers to a keyspace go on. The caller wakes them.
    pub(crate) fn go_on(&self, id: KeyspaceId) {
        if let Some(active) = lock(&self.state).active.get_mut(id) {
            active.is_paused = false;
        }
    }
}
