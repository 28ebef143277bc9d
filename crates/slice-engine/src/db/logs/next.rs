//! The log that comes next: made ready ahead by a thread of the store's own, taken under the commit lock.
//!
//! ```text
//!   asked for   (a memtable is nearly full, or a switch found nothing)
//!       |
//!   made        wal_000008.log: created, or renamed from a log that is needless; mapped; its header written
//!       |
//!   ready       in the directory under its own name, empty: a recovery finds a log that nobody has written to
//!       |
//!   taken       under the commit lock, without a call to the file system
//! ```
//!
//! Invariants: only what is ready is taken, so the number stands still while a log is made; one thread at a time makes
//! or removes the file of that number.

use std::io;
use std::path::Path;

use slice_types::{Error, LogNumber, Result};
use slice_vfs::{Fs, LogFile};
use slice_wal::LogWriter;

use super::Pace;
use crate::db::names::log_path;
use crate::primitives::Mutex;
use crate::signal::lock;

/// Where a log is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source<'a> {
    New,
    /// The file of an older log that is needless, with all of its blocks.
    Old(&'a Path),
}

/// The log that comes next.
pub(super) struct NextLog {
    state: Mutex<State>,
    /// Held while its file is made or removed.
    making: Mutex<()>,
}

/// What needs the next log, which may not be ready.
#[derive(Debug)]
pub(crate) enum Ready<T> {
    Now(T),
    /// It was asked for; what came of that is known by the ticket.
    Later(Ticket),
}

/// Stands for the log that came next when it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

struct State {
    /// None once all numbers are used up.
    number: Option<LogNumber>,
    /// How many were taken.
    taken: u64,
    ready: Option<Made>,
    /// It was ready, and had more blocks than it was needed for. Whoever makes another one gives it up.
    refused: Option<LogWriter>,
    /// Why it could not be made, when it was asked for last.
    failure: Option<Error>,
    is_asked: bool,
}

struct Made {
    writer: LogWriter,
    is_recycled: bool,
}

impl NextLog {
    pub(super) fn new(number: LogNumber) -> Self {
        let state = State {
            number: Some(number),
            taken: 0,
            ready: None,
            refused: None,
            failure: None,
            is_asked: false,
        };
        Self { state: Mutex::new(state), making: Mutex::new(()) }
    }

    /// The log, if one is ready that suits; if not, what its outcome is known by.
    pub(super) fn take(&self, pace: Pace) -> Ready<LogWriter> {
        let mut state = lock(&self.state);
        match state.ready.take() {
            Some(Made { writer, is_recycled }) if pace == Pace::Busy || !is_recycled => {
                state.number = writer.number().next();
                state.taken += 1;
                (state.failure, state.is_asked) = (None, false);
                return Ready::Now(writer);
            }
            // Unmapping and removing it is for another thread.
            Some(Made { writer, .. }) => state.refused = Some(writer),
            None => {}
        }
        Ready::Later(Ticket(state.taken))
    }

    /// Says that it will be needed soon.
    pub(super) fn ask(&self) {
        let mut state = lock(&self.state);
        (state.failure, state.is_asked) = (None, true);
    }

    /// Whether the log is ready or was taken, or why it could not be made; `None` while that is open.
    pub(super) fn outcome(&self, ticket: Ticket) -> Option<Result<()>> {
        let state = lock(&self.state);
        if state.ready.is_some() || state.taken != ticket.0 {
            return Some(Ok(()));
        }
        state.failure.clone().map(Err)
    }

    /// Makes the log, unless one is ready; says whether it did.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub(super) fn make(&self, fs: &dyn Fs, dir: &Path, source: Source<'_>) -> Result<bool> {
        let _one_maker = lock(&self.making);
        let mut state = lock(&self.state);
        if state.ready.is_some() {
            return Ok(false);
        }
        let number = state.number.ok_or_else(|| Error::corruption("the numbers of logs are used up"))?;
        let refused = state.refused.take();
        drop(state);
        drop(refused);
        let writer = begin(fs, dir, number, source)?;
        let is_recycled = source != Source::New;
        lock(&self.state).ready = Some(Made { writer, is_recycled });
        Ok(true)
    }

    /// Leaves word why it could not be made.
    pub(super) fn failed(&self, error: Error) {
        lock(&self.state).failure = Some(error);
    }

    /// Removes the log, if one is ready.
    pub(super) fn remove(&self, fs: &dyn Fs) {
        self.remove_if(fs, |_| true);
    }

    /// Removes the log, if one is ready that nobody asked for: whoever did may be waiting for it.
    pub(super) fn remove_unless_asked(&self, fs: &dyn Fs) {
        self.remove_if(fs, |state| !state.is_asked);
    }

    fn remove_if(&self, fs: &dyn Fs, is_needless: fn(&State) -> bool) {
        let _one_maker = lock(&self.making);
        let mut state = lock(&self.state);
        if !is_needless(&state) {
            return;
        }
        let given_up = [state.ready.take().map(|made| made.writer), state.refused.take()];
        drop(state);
        let Some(path) = given_up.iter().flatten().next().map(|writer| writer.path().to_owned()) else {
            return;
        };
        drop(given_up);
        if let Err(error) = fs.remove_file(&path) {
            tracing::warn!(%error, file = %path.display(), "a log that is not needed could not be removed");
        }
    }
}

fn begin(fs: &dyn Fs, dir: &Path, number: LogNumber, source: Source<'_>) -> Result<LogWriter> {
    let path = log_path(dir, number);
    let file = match source {
        Source::New => create(fs, &path),
        Source::Old(old) => fs.recycle_log(old, &path),
    };
    let file = file.map_err(|error| Error::io("begin a log", error).with_file(&path))?;
    LogWriter::create(file, path, number)
}

fn create(fs: &dyn Fs, path: &Path) -> io::Result<Box<dyn LogFile>> {
    match fs.create_log(path) {
        // One that was refused, or left by an attempt that failed behind this point: nothing was written to it.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs.remove_file(path)?;
            fs.create_log(path)
        }
        created => created,
    }
}
