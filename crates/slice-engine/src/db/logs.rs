//! The log files of a database: the current one, the next one, and the old ones that are still needed.
//!
//! A switch of memtables happens under the commit lock, so it must not call the file system there, where a rename can
//! wait for a commit of its journal. The next log is made ahead, and a switch takes it as it is; where none is ready,
//! whoever needs one waits outside of the lock until the janitor has made it.
//!
//! Where much is written the next log is one that a flush has made needless: its pages are in memory and its blocks are
//! on the disk already, so it costs less than half of a new one to fill. The janitor makes a new one only if none is
//! there when the end of the current log is near. Where little is written none is kept, and no disk is taken by one.

mod next;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use slice_types::{LogNumber, Result, SeqNo};
use slice_vfs::{Fs, LogControl, SyncSite};
use slice_wal::{GroupSync, LogWriter};

use super::names::log_path;
use crate::primitives::{AtomicBool, Mutex};
use crate::signal::{Signal, lock};
use next::{NextLog, Source};
pub(crate) use next::{Ready, Ticket};

/// Why the name of a log is synced, once: synced bytes in a file without a name are lost.
pub const LOG_NAME: SyncSite = SyncSite::new("log.name");

/// What a log will need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Its allocated space runs low.
    Space,
    /// Its end is near: the next one.
    Next,
}

/// What is known of how a log will be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// The one before it was filled: this one will be, too.
    Busy,
    /// The one before it was ended for another reason. The blocks of a recycled one would be kept for nothing.
    Idle,
}

/// A log that takes no more writes.
struct OldLog {
    /// To be finished; none for a log of an earlier process. Its lock is the last that is taken.
    writer: Option<Arc<Mutex<LogWriter>>>,
    /// The last sequence number in it or before it.
    last: SeqNo,
}

pub(crate) struct Logs {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    /// Those before the current one that are still there, each with entries that may be in no table.
    old: Mutex<BTreeMap<LogNumber, OldLog>>,
    next: NextLog,
    /// Whether the janitor makes the next log; without one, whoever needs it does.
    has_janitor: bool,
    next_wanted: AtomicBool,
    current: Mutex<Option<Arc<dyn LogControl>>>,
    space_wanted: AtomicBool,
    /// Whether a log takes no more writes and was not finished.
    is_any_ended: AtomicBool,
    /// Whether the current log ran low since it was begun: then much is written, and the next one will be needed soon.
    has_grown: AtomicBool,
    /// What the janitor waits for.
    pub(crate) work: Signal,
    /// What the flusher waits for.
    pub(crate) flush: Signal,
}

impl Logs {
    /// `first` is the number of the first log that is to be begun.
    pub(crate) fn new(fs: Arc<dyn Fs>, dir: PathBuf, first: LogNumber, has_janitor: bool) -> Self {
        Self {
            fs,
            dir,
            old: Mutex::default(),
            next: NextLog::new(first),
            has_janitor,
            next_wanted: AtomicBool::new(false),
            current: Mutex::new(None),
            space_wanted: AtomicBool::new(false),
            is_any_ended: AtomicBool::new(false),
            has_grown: AtomicBool::new(false),
            work: Signal::default(),
            flush: Signal::default(),
        }
    }

    /// Begins the next log on the caller's thread.
    pub(crate) fn begin(&self, sync: &GroupSync) -> Result<LogWriter> {
        loop {
            self.next.make(&*self.fs, &self.dir, Source::New)?;
            if let Ready::Now(writer) = self.next.take(Pace::Idle) {
                return Ok(self.announce(writer, sync));
            }
        }
    }

    /// Begins the next log if it is ready; if not, it is asked for, and [`Self::outcome`] tells what came of it.
    pub(crate) fn begin_ready(&self, sync: &GroupSync, pace: Pace) -> Result<Ready<LogWriter>> {
        if !self.has_janitor {
            return self.begin(sync).map(Ready::Now);
        }
        match self.next.take(pace) {
            Ready::Now(writer) => Ok(Ready::Now(self.announce(writer, sync))),
            later @ Ready::Later(_) => {
                self.ask_for(Wanted::Next);
                Ok(later)
            }
        }
    }

    fn announce(&self, writer: LogWriter, sync: &GroupSync) -> LogWriter {
        let control = writer.control();
        let (fs, dir) = (Arc::clone(&self.fs), self.dir.clone());
        let sync_name = Box::new(move || fs.sync_dir(&dir, LOG_NAME));
        sync.add_log(writer.number(), writer.path().to_owned(), Arc::clone(&control), sync_name);
        sync.appended(writer.position());
        *lock(&self.current) = Some(control);
        self.has_grown.store(false, Ordering::Relaxed);
        writer
    }

    /// What came of asking for a log; `None` while that is open.
    pub(crate) fn outcome(&self, ticket: Ticket) -> Option<Result<()>> {
        self.next.outcome(ticket)
    }

    /// Asks the janitor for what the log will need.
    pub(crate) fn ask_for(&self, wanted: Wanted) {
        let flag = match wanted {
            Wanted::Space => {
                self.has_grown.store(true, Ordering::Relaxed);
                &self.space_wanted
            }
            Wanted::Next => {
                self.next.ask();
                &self.next_wanted
            }
        };
        if !flag.swap(true, Ordering::Relaxed) {
            self.work.raise();
        }
    }

    /// Says that a memtable waits for its flush.
    pub(crate) fn flush_is_due(&self) {
        self.flush.raise();
    }

    /// Whether the janitor has something to do here.
    pub(crate) fn wants_work(&self) -> bool {
        let wants = [&self.space_wanted, &self.next_wanted, &self.is_any_ended];
        wants.iter().any(|wanted| wanted.load(Ordering::Relaxed))
    }

    /// Allocates what the log will need next, makes the log that follows it, and finishes the one before.
    pub(crate) fn prepare(&self) {
        if self.space_wanted.swap(false, Ordering::Relaxed) {
            let current = lock(&self.current).clone();
            if let Some(Err(error)) = current.map(|log| log.allocate_ahead()) {
                tracing::warn!(%error, "space for the log could not be allocated ahead");
            }
        }
        if self.next_wanted.swap(false, Ordering::Relaxed)
            && let Err(error) = self.next.make(&*self.fs, &self.dir, Source::New)
        {
            tracing::warn!(%error, "the next log could not be made");
            self.next.failed(error);
        }
        if self.is_any_ended.swap(false, Ordering::Relaxed) {
            self.finish_old();
        }
    }

    /// Keeps a log that was replayed, with the last sequence number up to its end.
    pub(crate) fn keep_replayed(&self, number: LogNumber, last: SeqNo) {
        lock(&self.old).insert(number, OldLog { writer: None, last });
    }

    /// Keeps a log that takes no more writes, with the last sequence number up to its end.
    pub(crate) fn keep(&self, writer: LogWriter, last: SeqNo) {
        let number = writer.number();
        let writer = Some(Arc::new(Mutex::new(writer)));
        lock(&self.old).insert(number, OldLog { writer, last });
        self.is_any_ended.store(true, Ordering::Relaxed);
        self.work.raise();
    }

    /// Gives back the memory and the space that logs have behind their ends, long before they are given up.
    fn finish_old(&self) {
        let writers: Vec<_> = lock(&self.old).values().filter_map(|log| log.writer.clone()).collect();
        for writer in writers {
            let mut writer = lock(&writer);
            if writer.is_open()
                && let Err(error) = writer.finish()
            {
                tracing::warn!(%error, "a log could not be trimmed yet");
            }
        }
    }

    /// The oldest log, if there are more than `max` beside the current one.
    pub(crate) fn oldest_of_many(&self, max: usize) -> Option<LogNumber> {
        let old = lock(&self.old);
        old.keys().next().copied().filter(|_| old.len() > max)
    }

    /// The last sequence number in the logs below `first`; `None` when there are none.
    pub(crate) fn last_below(&self, first: LogNumber) -> Option<SeqNo> {
        lock(&self.old).range(..first).next_back().map(|(_, log)| log.last)
    }

    /// The old logs, oldest first, with their lengths where this process wrote them.
    pub(crate) fn old(&self) -> Vec<(LogNumber, Option<u64>)> {
        // A switch needs this lock, and must not wait for a log that is being finished.
        let old: Vec<_> = lock(&self.old).iter().map(|(number, log)| (*number, log.writer.clone())).collect();
        let written = |writer: Arc<Mutex<LogWriter>>| lock(&writer).position().offset;
        old.into_iter().map(|(number, writer)| (number, writer.map(written))).collect()
    }

    /// Gives up the logs below `first`, which no keyspace needs, durably.
    pub(crate) fn release_below(&self, first: LogNumber) {
        let released = {
            let mut old = lock(&self.old);
            let kept = old.split_off(&first);
            std::mem::replace(&mut *old, kept)
        };
        for (number, log) in released {
            self.release(number, log);
        }
        if !self.is_busy() {
            self.next.remove_unless_asked(&*self.fs);
        }
    }

    /// Gives up a log: it becomes the next one, or is removed.
    fn release(&self, number: LogNumber, log: OldLog) {
        let path = log_path(&self.dir, number);
        // A log is recycled once nobody writes to it: finishing it makes sure.
        let is_finished = log.writer.is_none_or(|writer| lock(&writer).finish().is_ok());
        if is_finished && self.is_busy() {
            match self.next.make(&*self.fs, &self.dir, Source::Old(&path)) {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "a log could not be used again"),
            }
        }
        if let Err(error) = self.fs.remove_file(&path) {
            tracing::warn!(%error, file = %path.display(), "a log could not be removed");
        }
    }

    /// Whether so much is written that the next log will be needed soon.
    fn is_busy(&self) -> bool {
        self.has_janitor && self.has_grown.load(Ordering::Relaxed)
    }

    /// Removes the next log: a closed store keeps no space for logs to come.
    pub(crate) fn drop_next(&self) {
        self.next.remove(&*self.fs);
    }
}

#[cfg(test)]
mod tests;
