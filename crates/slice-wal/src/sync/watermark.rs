//! How far the logs reach: a position of 96 bits that is raised without a lock.
//!
//! One thread at a time raises it. Within a log that is a store of the offset. The log itself changes only under the
//! lock of the group, and whoever wants the whole position holds that lock: so log and offset fit.

use std::sync::atomic::Ordering;

use slice_types::LogNumber;

use crate::LogPosition;
use crate::primitives::AtomicU64;

/// No log yet: above every number of one.
const NO_LOG: u64 = u64::MAX;

/// A position that only grows.
pub(super) struct Watermark {
    log: AtomicU64,
    offset: AtomicU64,
}

impl Default for Watermark {
    fn default() -> Self {
        Self { log: AtomicU64::new(NO_LOG), offset: AtomicU64::new(0) }
    }
}

impl Watermark {
    /// Raises the offset; `false`, and nothing is done, when the position is in another log.
    #[inline]
    pub(super) fn raise_within_log(&self, end: LogPosition) -> bool {
        if self.log.load(Ordering::Relaxed) != u64::from(end.log.0) {
            return false;
        }
        debug_assert!(self.offset.load(Ordering::Relaxed) <= end.offset, "positions only grow");
        // Release: who reads the offset sees the bytes below it, and a sync of theirs covers these.
        self.offset.store(end.offset, Ordering::Release);
        true
    }

    /// Goes on in another log. Under the lock.
    pub(super) fn enter_log(&self, end: LogPosition) {
        let log = self.log.load(Ordering::Relaxed);
        assert!(log == NO_LOG || log < u64::from(end.log.0), "log {} comes before log {log}", end.log);
        self.offset.store(end.offset, Ordering::Release);
        self.log.store(u64::from(end.log.0), Ordering::Release);
    }

    /// The position; zero before the first. Under the lock.
    pub(super) fn get(&self) -> LogPosition {
        match u32::try_from(self.log.load(Ordering::Acquire)) {
            Ok(log) => LogPosition { log: LogNumber(log), offset: self.offset.load(Ordering::Acquire) },
            Err(_) => LogPosition::default(),
        }
    }
}
