//! What of a run is compared.

use crate::compare::ratio::Better;
use crate::results::Run;

/// A figure of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Operations a second.
    Rate,
    /// Operations a second until everything is in tables and no compaction is due.
    SettledRate,
    /// What 999 of 1000 writes do not exceed.
    WriteTail,
    /// How long it takes until the store is open.
    Open,
    /// The disk that the store takes after it has settled.
    Disk,
    /// What was written to the disk for each byte that was put: of two stores in the same time, the faster writes more.
    Written,
    /// The most memory that was resident.
    Memory,
}

impl Measure {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 7] =
        [Self::Rate, Self::SettledRate, Self::WriteTail, Self::Open, Self::Disk, Self::Written, Self::Memory];

    /// What it is, with its unit.
    pub fn title(self) -> &'static str {
        match self {
            Self::Rate => "thousand operations a second",
            Self::SettledRate => "thousand operations a second, until settled",
            Self::WriteTail => "p99.9 of writes, in microseconds",
            Self::Open => "time to open, in milliseconds",
            Self::Disk => "disk after settling, in MB",
            Self::Written => "bytes written to the disk for each byte put",
            Self::Memory => "peak of the resident memory, in MB",
        }
    }

    /// What is better.
    pub fn better(self) -> Better {
        match self {
            Self::Rate | Self::SettledRate => Better::More,
            _ => Better::Less,
        }
    }

    /// The figure, in the unit of the title; `None` where the run has none, or none that means anything.
    pub fn of(self, run: &Run) -> Option<f64> {
        let mb = |bytes: u64| bytes as f64 / 1e6;
        let open_ms = run.extra.get(OPEN_MS).copied();
        let only_writes = run.latency.writes.is_some() && run.latency.reads.is_none();
        let is_settled = run.settle_s.is_some() && only_writes;
        match self {
            Self::Open => open_ms,
            _ if open_ms.is_some() => None,
            Self::Rate => Some(run.ops_per_s / 1e3),
            Self::SettledRate => run.ops_per_s_settled.filter(|_| is_settled).map(|rate| rate / 1e3),
            Self::WriteTail => run.latency.writes.as_ref().map(|writes| writes.p99_9_us),
            Self::Disk => is_settled.then(|| mb(run.disk_bytes)),
            Self::Written => run.write_amplification.filter(|_| is_settled),
            Self::Memory => run.peak_rss_bytes.map(mb),
        }
    }
}

/// The name of the time that a store took to open, among the other things of a run that measures this and nothing else.
pub const OPEN_MS: &str = "open_after_crash_ms";
