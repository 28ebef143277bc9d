//! The log files of a database: beginning the next, keeping a spare, giving up the old.
//!
//! A switch of memtables happens under the commit lock, so it must not create files there. The spare is a log file
//! prepared ahead, under a name that no recovery looks at; a switch only renames it.
//!
//! Where much is written the spare is a log that a flush has made needless: its pages are in memory and its blocks are
//! on the disk already, so it costs less than half of a new one to fill. The janitor makes a new one only if none is
//! there when the end of the current log is near. Where little is written there is no spare, and no disk is taken by one.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use slice_types::{Error, LogNumber, Result, SeqNo};
use slice_vfs::{Fs, LogControl, LogFile, SyncSite};
use slice_wal::{GroupSync, LogWriter};

use super::names::{SPARE_LOG, log_path};
use crate::primitives::{AtomicBool, Mutex};
use crate::signal::{Signal, lock};

/// Why the name of a log is synced, once: synced bytes in a file without a name are lost.
pub const LOG_NAME: SyncSite = SyncSite::new("log.name");

/// What a log will need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Its allocated space runs low.
    Space,
    /// Its end is near.
    Spare,
}

/// What is known of how a log will be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// The one before it was filled: this one will be, too.
    Busy,
    /// The one before it was ended for another reason. A spare's blocks would be kept for nothing.
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
    spare: Mutex<Option<Box<dyn LogFile>>>,
    /// Held while a spare is made, so that there is one maker at a time.
    making_spare: Mutex<()>,
    /// Whether a spare is kept: without a janitor, nobody prepares one.
    keep_spare: bool,
    spare_wanted: AtomicBool,
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
    pub(crate) fn new(fs: Arc<dyn Fs>, dir: PathBuf, keep_spare: bool) -> Self {
        Self {
            fs,
            dir,
            old: Mutex::default(),
            spare: Mutex::new(None),
            making_spare: Mutex::new(()),
            keep_spare,
            spare_wanted: AtomicBool::new(false),
            current: Mutex::new(None),
            space_wanted: AtomicBool::new(false),
            is_any_ended: AtomicBool::new(false),
            has_grown: AtomicBool::new(false),
            work: Signal::default(),
            flush: Signal::default(),
        }
    }

    /// Begins a log: from the spare if there is one and it will be filled, as a new file if not.
    pub(crate) fn begin(&self, number: LogNumber, sync: &GroupSync, pace: Pace) -> Result<LogWriter> {
        let path = log_path(&self.dir, number);
        let file =
            self.file(&path, pace).map_err(|error| Error::io("begin a log", error).with_file(&path))?;
        let control = file.control();
        let writer = LogWriter::create(file, path.clone(), number)?;
        let (fs, dir) = (Arc::clone(&self.fs), self.dir.clone());
        sync.add_log(number, path, Arc::clone(&control), Box::new(move || fs.sync_dir(&dir, LOG_NAME)));
        sync.appended(writer.position());
        *lock(&self.current) = Some(control);
        self.has_grown.store(false, Ordering::Relaxed);
        Ok(writer)
    }

    fn file(&self, path: &Path, pace: Pace) -> io::Result<Box<dyn LogFile>> {
        let spare = if pace == Pace::Busy { lock(&self.spare).take() } else { None };
        if let Some(spare) = spare {
            let old = self.dir.join(SPARE_LOG);
            let renamed = self.fs.rename(&old, path);
            // Out of the way of the next spare, if it is still there.
            return renamed.map(|()| spare).inspect_err(|_| drop(self.fs.remove_file(&old)));
        }
        match self.fs.create_log(path) {
            // Left by an attempt that failed behind this point: nothing in it was ever acknowledged.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.fs.remove_file(path)?;
                self.fs.create_log(path)
            }
            created => created,
        }
    }

    /// Asks the janitor for what the log will need.
    pub(crate) fn ask_for(&self, wanted: Wanted) {
        let flag = match wanted {
            Wanted::Space => &self.space_wanted,
            Wanted::Spare => &self.spare_wanted,
        };
        self.has_grown.store(true, Ordering::Relaxed);
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
        let wants = [&self.space_wanted, &self.spare_wanted, &self.is_any_ended];
        wants.iter().any(|wanted| wanted.load(Ordering::Relaxed))
    }

    /// Allocates what the log will need next, finishes the one before, and prepares a spare.
    pub(crate) fn prepare(&self) {
        if self.space_wanted.swap(false, Ordering::Relaxed) {
            let current = lock(&self.current).clone();
            if let Some(Err(error)) = current.map(|log| log.allocate_ahead()) {
                tracing::warn!(%error, "space for the log could not be allocated ahead");
            }
        }
        if self.is_any_ended.swap(false, Ordering::Relaxed) {
            self.finish_old();
        }
        if self.spare_wanted.swap(false, Ordering::Relaxed) && self.keep_spare {
            self.make_spare(|path| self.fs.create_log(path));
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
        let written = |log: &OldLog| log.writer.as_ref().map(|writer| lock(writer).position().offset);
        lock(&self.old).iter().map(|(number, log)| (*number, written(log))).collect()
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
            self.drop_spare();
        }
    }

    /// Gives up a log: it becomes the spare, or is removed.
    fn release(&self, number: LogNumber, log: OldLog) {
        let path = log_path(&self.dir, number);
        // A log is recycled once nobody writes to it: finishing it makes sure.
        let is_finished = log.writer.is_none_or(|writer| lock(&writer).finish().is_ok());
        if is_finished && self.is_busy() && self.make_spare(|spare| self.fs.recycle_log(&path, spare)) {
            return;
        }
        if let Err(error) = self.fs.remove_file(&path) {
            tracing::warn!(%error, file = %path.display(), "a log could not be removed");
        }
    }

    /// Whether a log is likely to be needed soon.
    fn is_busy(&self) -> bool {
        self.keep_spare && self.has_grown.load(Ordering::Relaxed)
    }

    /// Removes the spare: a closed store keeps no space for logs to come, nor does one that is hardly written to.
    pub(crate) fn drop_spare(&self) {
        let path = self.dir.join(SPARE_LOG);
        if lock(&self.spare).take().is_some()
            && let Err(error) = self.fs.remove_file(&path)
        {
            tracing::warn!(%error, "the spare log could not be removed");
        }
    }

    /// Makes a spare, unless there is one; says whether it did.
    fn make_spare(&self, make: impl FnOnce(&Path) -> io::Result<Box<dyn LogFile>>) -> bool {
        let _one_maker = lock(&self.making_spare);
        if lock(&self.spare).is_some() {
            return false;
        }
        match make(&self.dir.join(SPARE_LOG)) {
            Ok(file) => *lock(&self.spare) = Some(file),
            Err(error) => {
                tracing::warn!(%error, "a spare log could not be prepared");
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests;
