//! Group sync: one fdatasync for all who wait.
//!
//! Passive: no thread and no clock of its own. Appenders say how far the logs reach, somebody calls
//! [`GroupSync::sync_now`] or [`GroupSync::wait_or_lead`], and whoever waits is woken.
//!
//! ```text
//!    appended   (2, 900)  (2, 1300)  (3, 400)
//!                                       |
//!    sync_now --------------------------+--> target: sync log 2, its name, log 3, its name --> durable = (3, 400)
//!                                                 |                                             |
//!    waiters of log 2 ............................+ woken                 waiters of log 3 .....+ woken
//! ```
//!
//! Invariants:
//!
//! - `durable <= appended`, the end of a log that later ones follow apart (`u64::MAX`). It is advanced only after the
//!   syncs of all bytes below it, older logs first, and of the names of their files.
//! - One thread syncs at a time: the leader of a round. Those who call meanwhile are its followers, and one of them
//!   leads the next round if what they want was not yet appended when this one began. A leader that finds one of its
//!   [seats] taken by such a thread hands `syncing` over to it as it is.
//! - After a failed sync none is ever tried again. The operating system may have dropped the dirty pages and would
//!   report success for bytes that are lost (Rebello et al., "Can Applications Recover from fsync Failures?", 2020).
//!
//! The idea of one sync for all who wait is group commit (DeWitt et al., 1984).

#[cfg(all(test, slice_loom))]
mod models;
mod seats;
mod waiting;
mod watermark;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use slice_types::{Error, ErrorKind, LogNumber, Result};
use slice_vfs::{LogControl, SyncSite};
use tokio::sync::Notify;

use crate::LogPosition;
use crate::primitives::{Condvar, Mutex, MutexGuard};
use seats::{Call, Seat, Seats};
use watermark::Watermark;

/// Why the bytes of a log are synced: whoever waits is told that their writes are safe.
pub const LOG_BYTES: SyncSite = SyncSite::new("log.bytes");

/// Makes logs durable for many waiters at once, threads and tasks alike.
#[derive(Default)]
pub struct GroupSync {
    appended: Watermark,
    state: Mutex<State>,
    /// Something changed that followers of [`GroupSync::sync_now`] wait for: progress, the end of a round, failure.
    changed: Condvar,
    /// The same for tasks, and stop.
    changed_for_tasks: Notify,
    /// There is a request, or `stop` was called.
    requested: Condvar,
}

#[derive(Default)]
struct State {
    /// The logs that are not known to be durable as a whole, oldest first.
    logs: VecDeque<Log>,
    /// The greatest number ever registered.
    newest: Option<LogNumber>,
    durable: LogPosition,
    /// The greatest position that somebody waits for.
    requested: LogPosition,
    /// Whether a leader is at work, or called to it.
    syncing: bool,
    /// The threads that wait, but for the followers.
    seats: Seats,
    /// How many wait for `changed`.
    followers: usize,
    stopped: bool,
    failure: Option<Error>,
}

struct Log {
    number: LogNumber,
    handles: Arc<Handles>,
    /// Whether the file's name is durable.
    is_named: bool,
}

struct Handles {
    path: PathBuf,
    control: Arc<dyn LogControl>,
    sync_name: Box<SyncName>,
}

type SyncName = dyn Fn() -> io::Result<()> + Send + Sync;

/// One log's part of a round.
struct Job {
    number: LogNumber,
    handles: Arc<Handles>,
    is_named: bool,
    /// What is durable once it is done.
    reaches: LogPosition,
}

impl GroupSync {
    /// With no log yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Announces a log, before anything is appended to it. The path is for errors.
    ///
    /// `sync_name` makes the file's directory entry durable. It is called with no lock held, once it succeeds never
    /// again, and before any of the log's bytes are called durable.
    ///
    /// # Panics
    ///
    /// When a log of this number or of a higher one was announced before: positions would be out of order.
    pub fn add_log(
        &self,
        number: LogNumber,
        path: PathBuf,
        control: Arc<dyn LogControl>,
        sync_name: Box<dyn Fn() -> io::Result<()> + Send + Sync>,
    ) {
        let mut state = self.lock();
        assert!(state.newest < Some(number), "log {number} is announced behind {:?}", state.newest);
        state.newest = Some(number);
        let handles = Arc::new(Handles { path, control, sync_name });
        state.logs.push_back(Log { number, handles, is_named: false });
    }

    /// Says how far the logs reach. Two atomic operations, but for the first append to a log.
    ///
    /// Calls must not overlap and positions only grow: it is called under the lock that orders the appends.
    ///
    /// # Panics
    ///
    /// When the log was not announced: its bytes would be called durable without a sync.
    #[inline]
    pub fn appended(&self, end: LogPosition) {
        if !self.appended.raise_within_log(end) {
            self.enter_log(end);
        }
    }

    #[cold]
    fn enter_log(&self, end: LogPosition) {
        let state = self.lock();
        let announced = state.logs.iter().any(|log| log.number == end.log);
        assert!(announced || end <= state.durable, "log {} was not announced", end.log);
        self.appended.enter_log(end);
    }

    /// What is durable: the bytes below it, and all logs before its.
    ///
    /// Its offset is `u64::MAX` where the whole log is durable and was left, or was
    /// [forgotten](Self::forget_through).
    pub fn durable(&self) -> LogPosition {
        self.lock().durable
    }

    /// Makes durable what is appended now, and returns what is durable then.
    ///
    /// Syncs all logs that are not yet durable, oldest first, each once, and wakes the waiters. Who calls while a
    /// round is under way waits for it, and syncs only if that round began too early. Works after [`stop`](Self::stop).
    ///
    /// # Errors
    ///
    /// The first failure of a sync, for ever.
    pub fn sync_now(&self) -> Result<LogPosition> {
        let mut state = self.lock();
        let target = self.appended.get();
        loop {
            if let Some(failure) = &state.failure {
                return Err(failure.clone());
            }
            if state.durable >= target {
                return Ok(state.durable);
            }
            if !state.syncing {
                break;
            }
            state.followers += 1;
            state = wait_on(&self.changed, state);
            state.followers -= 1;
        }
        state.syncing = true;
        drop(state);
        self.lead()
    }

    /// Leads a round: the caller has set `syncing`. Returns what is durable at its end, before another one begins.
    fn lead(&self) -> Result<LogPosition> {
        let round = Round(self);
        let target = self.appended_now();
        while let Some(job) = self.next_job(target) {
            match job.run() {
                Ok(()) => self.job_done(&job, target),
                Err(error) => self.fail(error),
            }
        }
        std::mem::forget(round);
        let state = self.lock();
        let outcome = state.failure.clone().map_or(Ok(state.durable), Err);
        self.end_round(state);
        outcome
    }

    /// Lets the next round begin, and tells all who wait what came of this one.
    fn end_round(&self, mut state: MutexGuard<'_, State>) {
        let leader = state.hand_over(self.appended.get());
        self.tell_all(state, leader);
    }

    fn appended_now(&self) -> LogPosition {
        let _switching_is_locked_out = self.lock();
        self.appended.get()
    }

    /// The oldest log that is not durable as far as `target` wants it.
    fn next_job(&self, target: LogPosition) -> Option<Job> {
        let state = self.lock();
        if state.failure.is_some() || state.durable >= target {
            return None;
        }
        let log = state.logs.front().filter(|log| log.number <= target.log)?;
        // A log that was left has its last bytes: one sync is all that it ever needs.
        let reaches = target.min(LogPosition::end_of(log.number));
        Some(Job { number: log.number, handles: Arc::clone(&log.handles), is_named: log.is_named, reaches })
    }

    /// Tells of it while the round goes on. Its end tells of the rest.
    fn job_done(&self, job: &Job, target: LogPosition) {
        let mut state = self.lock();
        let was_left = job.reaches == LogPosition::end_of(job.number);
        if let Some(log) = state.logs.front_mut().filter(|log| log.number == job.number) {
            log.is_named = true;
            if was_left {
                state.logs.pop_front();
            }
        }
        state.durable = state.durable.max(job.reaches);
        if state.durable < target {
            self.tell_all(state, None);
        }
    }

    fn fail(&self, error: Error) {
        self.lock().failure.get_or_insert(error);
    }

    /// Says that what the logs up to `log` hold is durable elsewhere: they need no sync, and who waits for them is
    /// woken.
    ///
    /// The caller makes sure that no recovery will read them: their own bytes may never reach the disk.
    pub fn forget_through(&self, log: LogNumber) {
        let mut state = self.lock();
        while state.logs.front().is_some_and(|front| front.number <= log) {
            state.logs.pop_front();
        }
        state.durable = state.durable.max(LogPosition::end_of(log));
        self.tell_all(state, None);
    }

    /// How many threads wait at this moment, those who follow a round by [`sync_now`](Self::sync_now) apart.
    pub fn waiting(&self) -> usize {
        self.lock().seats.len()
    }

    /// The failure of a sync, if one ever failed.
    pub fn failure(&self) -> Option<Error> {
        self.lock().failure.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Unlocks, then wakes the leader to come, the threads that are served, followers and tasks: a waker is foreign
    /// code. The leader first, so that the disk does not wait while the others are told.
    fn tell_all(&self, mut state: MutexGuard<'_, State>, leader: Option<Arc<Seat>>) {
        let (served, has_followers) = (state.take_served(), state.followers > 0);
        drop(state);
        if let Some(leader) = leader {
            leader.call(Call::Lead);
        }
        for (seat, outcome) in served {
            seat.call(Call::Done(outcome));
        }
        if has_followers {
            self.changed.notify_all();
        }
        self.changed_for_tasks.notify_waiters();
    }
}

impl State {
    fn take_served(&mut self) -> Vec<(Arc<Seat>, Result<()>)> {
        let mut seats = std::mem::take(&mut self.seats);
        let served = seats.take_served(|end| self.outcome(end));
        self.seats = seats;
        served
    }

    /// Ends a round: either somebody who is not served yet leads the next one, and is to be called, or nobody syncs from
    /// here on.
    fn hand_over(&mut self, appended: LogPosition) -> Option<Arc<Seat>> {
        let is_due = self.failure.is_none() && !self.stopped && self.durable < appended;
        let next = if is_due { self.seats.take_leader(self.durable) } else { None };
        self.syncing = next.is_some();
        next
    }

    /// What a wait for `end` comes to; `None` while it is open.
    fn outcome(&self, end: LogPosition) -> Option<Result<()>> {
        if self.durable >= end {
            return Some(Ok(()));
        }
        if let Some(failure) = &self.failure {
            return Some(Err(failure.clone()));
        }
        self.stopped.then(|| Err(Error::new(ErrorKind::Closed, "the log was closed before it was synced")))
    }
}

impl Job {
    fn run(&self) -> Result<()> {
        self.handles.control.sync(LOG_BYTES).map_err(|error| self.failed("sync", error))?;
        if !self.is_named {
            (self.handles.sync_name)().map_err(|error| self.failed("sync the name of", error))?;
        }
        Ok(())
    }

    /// Of kind `Io` even when the disk is full: a caller must not take it for something that space would heal.
    fn failed(&self, action: &str, error: io::Error) -> Error {
        let error = Error::io(&format!("{action} log {}", self.number), io::Error::other(error));
        error.with_file(&self.handles.path)
    }
}

/// A round under way. It is dropped only by a panic of a file system, which ends the round as a failure.
struct Round<'a>(&'a GroupSync);

impl Drop for Round<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.failure.get_or_insert_with(|| Error::new(ErrorKind::Io, "a sync of the log panicked"));
        self.0.end_round(state);
    }
}

fn wait_on<'a>(condition: &Condvar, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
    condition.wait(state).unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for GroupSync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        write!(f, "GroupSync(durable {:?} of {:?}, ", state.durable, self.appended.get())?;
        write!(f, "stopped {}, failure {:?})", state.stopped, state.failure)
    }
}
