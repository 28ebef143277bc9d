//! What one client measures: latencies, and how many operations it does in each window of time.
//!
//! ```text
//!   clock:      t0          t1         t2              one reading an operation
//!   client:     |<--- op -->|<-- op -->|
//!               make key, call, check, count
//! ```
//!
//! The end of an operation is the start of the next, so a latency has the driver's own work in it: the same for every
//! store, and `--engine nothing` says how much. It is not subtracted.

use anyhow::Context;
use hdrhistogram::Histogram;
use indicatif::ProgressBar;

use crate::clock::Stopwatch;

/// The length of a window of the timeline.
pub const WINDOW_MS: u64 = 100;

const WINDOW_NS: u64 = WINDOW_MS * 1_000_000;
/// Longer is counted as this.
const LONGEST_NS: u64 = 600_000_000_000;

/// The latencies of one client, or of all after [`merge`](Self::merge), in nanoseconds, with three significant digits.
#[derive(Clone, Debug)]
pub struct Latencies {
    /// Of reads; a read that an update begins with is part of the write.
    pub reads: Histogram<u64>,
    /// Of writes, deletes included.
    pub writes: Histogram<u64>,
    /// Of whole scans.
    pub scans: Histogram<u64>,
}

impl Latencies {
    /// None yet.
    ///
    /// # Errors
    ///
    /// If the histograms cannot be made.
    pub fn new() -> anyhow::Result<Self> {
        let empty = no_latencies()?;
        Ok(Self { reads: empty.clone(), writes: empty.clone(), scans: empty })
    }

    /// Adds those of another client.
    ///
    /// # Errors
    ///
    /// If the bounds of the histograms differ.
    pub fn merge(&mut self, other: &Self) -> anyhow::Result<()> {
        self.reads.add(&other.reads).context("reads")?;
        self.writes.add(&other.writes).context("writes")?;
        self.scans.add(&other.scans).context("scans")
    }
}

/// A histogram for nanoseconds.
///
/// # Errors
///
/// If it cannot be made.
pub fn no_latencies() -> anyhow::Result<Histogram<u64>> {
    Histogram::new_with_max(LONGEST_NS, 3).context("no histogram")
}

/// What kind of operation has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A read.
    Read,
    /// A write.
    Write,
    /// A scan.
    Scan,
}

/// The measures of one client.
#[derive(Debug)]
pub struct Meter {
    watch: Stopwatch,
    /// Operations that are still to be done.
    left: u64,
    deadline_ns: u64,
    /// When the last operation ended.
    last_ns: u64,
    /// When the window ends.
    window_end_ns: u64,
    in_window: u64,
    windows: Vec<u64>,
    latencies: Latencies,
    progress: ProgressBar,
}

/// When a client has done its part: whichever comes first.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// Operations.
    pub ops: u64,
    /// Nanoseconds since the start of the stopwatch.
    pub deadline_ns: u64,
}

impl Meter {
    /// For a client that begins now.
    ///
    /// # Errors
    ///
    /// If the histograms cannot be made.
    pub fn new(watch: &Stopwatch, limit: Limit, progress: &ProgressBar) -> anyhow::Result<Self> {
        Ok(Self {
            watch: watch.clone(),
            left: limit.ops,
            deadline_ns: limit.deadline_ns,
            last_ns: watch.nanos(),
            window_end_ns: WINDOW_NS,
            in_window: 0,
            windows: Vec::new(),
            latencies: Latencies::new()?,
            progress: progress.clone(),
        })
    }

    /// Operations that are still to be done.
    #[inline]
    pub fn left(&self) -> u64 {
        self.left
    }

    /// An operation has ended.
    #[inline]
    pub fn ended(&mut self, kind: Kind) {
        self.record(kind);
        self.count(1);
    }

    /// Takes the time of an operation.
    #[inline]
    pub fn record(&mut self, kind: Kind) {
        let now = self.watch.nanos();
        let took = now.saturating_sub(self.last_ns).max(1);
        let histogram = match kind {
            Kind::Read => &mut self.latencies.reads,
            Kind::Write => &mut self.latencies.writes,
            Kind::Scan => &mut self.latencies.scans,
        };
        histogram.saturating_record(took);
        self.last_ns = now;
    }

    /// Counts operations as done at the time that was taken last.
    #[inline]
    pub fn count(&mut self, ops: u64) {
        self.left = self.left.saturating_sub(ops);
        if self.last_ns >= self.window_end_ns {
            self.next_window();
        }
        self.in_window += ops;
    }

    /// Counts operations as done now: parts of a longer one, whose time is taken at its end.
    pub fn count_part(&mut self, ops: u64) {
        self.left = self.left.saturating_sub(ops);
        if self.watch.nanos() >= self.window_end_ns {
            self.close_windows(self.watch.nanos());
        }
        self.in_window += ops;
    }

    #[cold]
    fn next_window(&mut self) {
        self.close_windows(self.last_ns);
    }

    fn close_windows(&mut self, now_ns: u64) {
        if now_ns >= self.deadline_ns {
            self.left = 0;
        }
        self.progress.inc(self.in_window);
        while self.window_end_ns <= now_ns {
            self.windows.push(std::mem::take(&mut self.in_window));
            self.window_end_ns += WINDOW_NS;
        }
    }

    /// The operations of each window, the last of which is not whole, and the latencies.
    pub fn finish(mut self) -> (Vec<u64>, Latencies) {
        self.progress.inc(self.in_window);
        self.windows.push(self.in_window);
        (self.windows, self.latencies)
    }
}

/// Adds the windows of one client to those of all.
pub fn add_windows(all: &mut Vec<u64>, one: &[u64]) {
    all.resize(all.len().max(one.len()), 0);
    for (sum, ops) in all.iter_mut().zip(one) {
        *sum += ops;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDLESS: Limit = Limit { ops: u64::MAX, deadline_ns: u64::MAX };

    #[test]
    fn merged_latencies_hold_those_of_all_clients() {
        let mut all = Latencies::new().unwrap();
        for client in 1..=4 {
            let mut one = Latencies::new().unwrap();
            one.writes.saturating_record(client * 1_000_000);
            one.reads.saturating_record(u64::MAX);
            all.merge(&one).unwrap();
        }
        assert_eq!((all.reads.len(), all.writes.len(), all.scans.len()), (4, 4, 0));
        assert!(all.writes.max().abs_diff(4_000_000) < 4_000, "{}", all.writes.max());
        assert!(all.reads.max() >= LONGEST_NS, "longer than the bound is counted as the bound");
    }

    #[test]
    fn operations_are_counted_in_the_window_in_which_they_end() {
        let mut meter = Meter::new(&Stopwatch::start(), ENDLESS, &ProgressBar::hidden()).unwrap();
        for (at_ms, ops) in [(10, 1), (99, 2), (100, 4), (350, 8), (360, 16)] {
            meter.last_ns = at_ms * 1_000_000;
            meter.count(ops);
        }
        assert_eq!(meter.finish().0, [3, 4, 0, 24]);
    }

    #[test]
    fn a_client_is_done_after_its_operations_or_at_its_deadline() {
        let watch = Stopwatch::start();
        let limit = Limit { ops: 3, ..ENDLESS };
        let mut meter = Meter::new(&watch, limit, &ProgressBar::hidden()).unwrap();
        meter.count(2);
        assert_eq!(meter.left(), 1);
        meter.count(5);
        assert_eq!(meter.left(), 0);
        let limit = Limit { deadline_ns: 200_000_000, ..ENDLESS };
        let mut meter = Meter::new(&watch, limit, &ProgressBar::hidden()).unwrap();
        meter.last_ns = 199_999_999;
        meter.count(1);
        assert!(meter.left() > 0);
        meter.last_ns = 200_000_000;
        meter.count(1);
        assert_eq!(meter.left(), 0);
    }

    #[test]
    fn windows_of_clients_that_end_at_different_times_add_up() {
        let mut all = vec![1, 2];
        add_windows(&mut all, &[10, 10, 10]);
        add_windows(&mut all, &[100]);
        assert_eq!(all, [111, 12, 10]);
    }
}
