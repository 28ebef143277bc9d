//! Whether the store can do all of its work, and if not, why.

use slice_types::Error;

use crate::primitives::Mutex;
use crate::signal::lock;

/// How a store is doing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Health {
    /// All is well.
    Healthy,
    /// Background work fails: a disk that is full, most often. Flushes are tried again every second, compactions every
    /// ten (see [`Options::compaction_interval`](crate::Options::compaction_interval)). Reads and writes go on
    /// until the memory for writes is used up; nothing that was acknowledged is lost.
    Degraded(Error),
    /// An fsync of the log failed, so what it holds may never become durable; or a background thread panicked. Writes
    /// are refused, reads go on; open the store anew once the disk is sound.
    ReadOnly(Error),
}

/// What has failed and not succeeded since.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<Current>);

#[derive(Clone, Debug, Default)]
struct Current {
    log: Option<Error>,
    /// Why flushes pause.
    flush: Option<Error>,
    /// How often a flush was asked for.
    flushes_asked: u64,
    /// The last failure, with how often a flush had been asked for when the attempt began.
    last_flush_failure: Option<(u64, Error)>,
    compaction: Option<Error>,
    /// A thread is gone for good.
    thread: Option<Error>,
}

impl Failures {
    /// Says whether it is the first such failure.
    pub(crate) fn log_failed(&self, error: &Error) -> bool {
        let mut current = lock(&self.0);
        let is_first = current.log.is_none();
        current.log.get_or_insert_with(|| error.clone());
        is_first
    }

    /// Somebody asks for a flush, which is an attempt of its own: what failed before is forgotten, and what is under way
    /// counts for others. Gives a number for [`Failures::flush_since`].
    pub(crate) fn flush_asked(&self) -> u64 {
        let mut current = lock(&self.0);
        current.flush = None;
        current.flushes_asked += 1;
        current.flushes_asked
    }

    /// For [`Failures::flush_failed`], when it comes to that.
    pub(crate) fn flush_begins(&self) -> u64 {
        lock(&self.0).flushes_asked
    }

    /// An attempt failed. If somebody has asked since it `began`, the next one follows at once.
    pub(crate) fn flush_failed(&self, began: u64, error: &Error) {
        let mut current = lock(&self.0);
        current.last_flush_failure = Some((began, error.clone()));
        if began == current.flushes_asked {
            current.flush = Some(error.clone());
        }
    }

    /// Flushes succeed, or are to be tried again.
    pub(crate) fn forget_flush(&self) {
        lock(&self.0).flush = None;
    }

    pub(crate) fn compaction_ended(&self, error: Option<Error>) {
        lock(&self.0).compaction = error;
    }

    pub(crate) fn thread_panicked(&self, error: Error) {
        lock(&self.0).thread.get_or_insert(error);
    }

    /// Why a thread is gone, if one is.
    pub(crate) fn thread(&self) -> Option<Error> {
        lock(&self.0).thread.clone()
    }

    /// Why flushes fail, while they do.
    pub(crate) fn flush(&self) -> Option<Error> {
        let current = lock(&self.0);
        current.thread.as_ref().or(current.flush.as_ref()).cloned()
    }

    /// Why an attempt failed that began after a flush was asked for, if one did: whoever asks next does not keep the answer
    /// from who asked before.
    pub(crate) fn flush_since(&self, asked: u64) -> Option<Error> {
        let current = lock(&self.0);
        let failed = current.last_flush_failure.as_ref().filter(|(began, _)| *began >= asked);
        current.thread.as_ref().or(failed.map(|(_, error)| error)).cloned()
    }

    /// Why compactions fail, while they do.
    pub(crate) fn compaction(&self) -> Option<Error> {
        let current = lock(&self.0);
        current.thread.as_ref().or(current.compaction.as_ref()).cloned()
    }

    pub(crate) fn health(&self) -> Health {
        let Current { log, flush, compaction, thread, .. } = lock(&self.0).clone();
        match (log.or(thread), flush.or(compaction)) {
            (Some(error), _) => Health::ReadOnly(error),
            (None, Some(error)) => Health::Degraded(error),
            (None, None) => Health::Healthy,
        }
    }
}

#[cfg(test)]
mod tests {
    use slice_types::ErrorKind;

    use super::*;

    #[test]
    fn whoever_asks_again_and_again_keeps_the_answer_from_nobody() {
        let failures = Failures::default();
        let first = failures.flush_asked();
        let began = failures.flush_begins();
        let second = failures.flush_asked();
        failures.flush_failed(began, &Error::new(ErrorKind::Io, "the disk is broken"));
        assert!(failures.flush_since(first).is_some(), "the attempt began after the first had asked");
        assert!(failures.flush_since(second).is_none(), "it began before the second did");
        assert!(failures.flush().is_none(), "the next attempt follows at once");
        failures.flush_failed(failures.flush_begins(), &Error::new(ErrorKind::Io, "still"));
        assert!(failures.flush_since(second).is_some() && failures.flush().is_some());
    }
}
