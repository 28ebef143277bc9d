//! What time it is, for values that expire.
//!
//! Expiry needs a clock that goes on while the store is closed, so it is the wall clock, which may be set back. Within
//! one opening of a store time never goes back, whatever the clock does: what a reader has seen expire stays expired,
//! and what a compaction removes no reader has still seen.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::background::clock::wall_clock_ms;

/// Tells the time, for values that expire.
///
/// Any clock will do that each opening of a store goes on with. It is asked on each write and read of a value that
/// expires, and once a flush or compaction.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the epoch, 1970-01-01 00:00 UTC.
    fn now_ms(&self) -> u64;
}

/// A clock is the same as itself, and no other.
impl PartialEq for dyn Clock {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::addr_eq(self, other)
    }
}

impl fmt::Debug for dyn Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// A clock that is set by hand, for tests of what expires.
///
/// ```
/// # let dir = tempfile::tempdir().unwrap();
/// use std::{sync::Arc, time::Duration};
/// use slice::{ManualClock, blocking::LSMTree};
///
/// let clock = Arc::new(ManualClock::new(1_000));
/// let lsm = LSMTree::builder(&dir).clock(clock.clone()).open_blocking()?;
/// lsm.put_with_ttl(b"session", b"token", Duration::from_secs(60))?;
/// assert!(lsm.get(b"session")?.is_some());
/// clock.advance(Duration::from_secs(60));
/// assert!(lsm.get(b"session")?.is_none());
/// # Ok::<(), slice::SliceError>(())
/// ```
#[derive(Debug, Default)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// A clock that shows `now_ms`, in milliseconds since the epoch.
    pub const fn new(now_ms: u64) -> Self {
        Self(AtomicU64::new(now_ms))
    }

    /// Sets it to a time, later or earlier.
    pub fn set(&self, now_ms: u64) {
        self.0.store(now_ms, Ordering::Relaxed);
    }

    /// Lets time pass, in whole milliseconds.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(millis(by), Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Whole milliseconds, rounded up; the most there can be for a duration beyond.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// The time of an open store: that of its clock, but never earlier than before.
#[derive(Debug)]
pub(crate) struct Time {
    /// The operating system's if none.
    clock: Option<Arc<dyn Clock>>,
    latest: AtomicU64,
}

impl Time {
    pub(crate) const fn new(clock: Option<Arc<dyn Clock>>) -> Self {
        Self { clock, latest: AtomicU64::new(0) }
    }

    /// Milliseconds since the epoch.
    pub(crate) fn now_ms(&self) -> u64 {
        let now = self.clock.as_ref().map_or_else(wall_clock_ms, |clock| clock.now_ms());
        self.latest.fetch_max(now, Ordering::Relaxed).max(now)
    }

    /// When something expires that is to stay for `ttl` from now.
    pub(crate) fn expiry_ms(&self, ttl_ms: u64) -> u64 {
        self.now_ms().saturating_add(ttl_ms)
    }
}
