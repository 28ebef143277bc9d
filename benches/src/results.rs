//! The figures of a run, as they are written to files: one JSON object a run, and one file for a series of runs.
//!
//! What is not known on this system, or makes no sense for a workload, is `null` or left out, and never made up.

use std::collections::BTreeMap;
use std::fmt;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::engine::Stalls;
use crate::meter::Latencies;

/// The format that [`Results`] has now.
pub const FORMAT: u32 = 1;

/// A series of runs: the whole of `results.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// [`FORMAT`].
    pub format: u32,
    /// What it ran on.
    pub machine: Machine,
    /// What was measured.
    pub commit: String,
    /// When, in UTC, by RFC 3339.
    pub date: String,
    /// All that was set, by the names of the command line.
    pub settings: serde_json::Value,
    /// In the order in which they were run.
    pub runs: Vec<Run>,
}

/// What the runs ran on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The model of the processor.
    pub cpu: String,
    /// How many processors the process may use.
    pub cores: usize,
    /// All memory.
    pub memory_bytes: Option<u64>,
    /// The version of the operating system's kernel.
    pub kernel: String,
    /// The file system that the stores were on.
    pub file_system: String,
}

/// One run of one workload on one store, in a process of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The store, by its name on the command line.
    pub engine: String,
    /// The label of the store and of the way it is opened.
    pub column: String,
    /// The version of the store.
    pub version: String,
    /// The workload, by its name on the command line.
    pub workload: String,
    /// Which repetition it is, from 0.
    pub round: u64,
    /// Keys that were there, or that a fill has to choose from.
    pub keys: u64,
    /// The bytes of each value.
    pub value_bytes: u64,
    /// How many clients, a writer beside them not counted.
    pub clients: u64,
    /// Operations; keys where these count.
    pub ops: u64,
    /// From the first operation's start to the last one's end.
    pub wall_s: f64,
    /// Operations a second in that time.
    pub ops_per_s: f64,
    /// How long it took afterwards until all was in tables and no compaction was due. `None` if nothing was written.
    pub settle_s: Option<f64>,
    /// Operations a second if that time is counted as well.
    pub ops_per_s_settled: Option<f64>,
    /// Operations a second of the writer beside the clients.
    pub writer_ops_per_s: Option<f64>,
    /// How long operations took.
    pub latency: LatencyByKind,
    /// User and system time of the whole process, from the start of the run until it was settled.
    pub cpu_s: Option<f64>,
    /// The most memory that the process had resident at any time, mapped files included.
    pub peak_rss_bytes: Option<u64>,
    /// What the kernel counted as written by the process, from the start of the run until it was settled.
    pub written_bytes: Option<u64>,
    /// What the file system has set aside for the store afterwards.
    pub disk_bytes: u64,
    /// Keys and values that are in the store afterwards.
    pub live_raw_bytes: u64,
    /// Keys and values that were written in the run.
    pub put_raw_bytes: u64,
    /// `written_bytes` for each of `put_raw_bytes`.
    pub write_amplification: Option<f64>,
    /// `disk_bytes` for each of `live_raw_bytes`.
    pub space_amplification: Option<f64>,
    /// For how long writers were made to wait, in seconds, by cause. slice's: `memtables`, they stood still because all
    /// were full; `debt`, they were slowed to the rate of flushes; `level0`, to the rate at which level 0 is cleared.
    pub stalls: Option<Stalls>,
    /// The length of a window of the timeline.
    pub timeline_ms: u64,
    /// Operations in each window.
    pub timeline: Vec<u64>,
    /// How many keys were read and found right afterwards, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_keys: Option<u64>,
    /// The load averages before the run.
    #[serde(default)]
    pub load_before: String,
    /// Other things, each a number with its unit in the name: of one workload, or measured on request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, f64>,
    /// What the store tells of itself; of no fixed form.
    #[serde(default)]
    pub details: serde_json::Value,
}

/// How long operations took, by what they were. Those that did not occur are left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LatencyByKind {
    /// Reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads: Option<Latency>,
    /// Writes and deletes; an update with the read that it begins with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writes: Option<Latency>,
    /// Whole scans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scans: Option<Latency>,
    /// How late a task was that shared the runtime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neighbour: Option<Latency>,
}

/// How long operations of one kind took, in microseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// How many there were.
    pub count: u64,
    /// The mean.
    pub mean_us: f64,
    /// The median.
    pub p50_us: f64,
    /// What 99 of 100 do not exceed.
    pub p99_us: f64,
    /// What 999 of 1000 do not exceed.
    pub p99_9_us: f64,
    /// The longest.
    pub max_us: f64,
    /// Quantiles from 0 to 1, and what is not exceeded by these.
    pub curve: Vec<(f64, f64)>,
}

impl Latency {
    /// The figures of a histogram in nanoseconds; `None` if it is empty.
    pub fn of(nanos: &Histogram<u64>) -> Option<Self> {
        let at = |quantile| nanos.value_at_quantile(quantile) as f64 / 1000.0;
        (!nanos.is_empty()).then(|| Self {
            count: nanos.len(),
            mean_us: nanos.mean() / 1000.0,
            p50_us: at(0.5),
            p99_us: at(0.99),
            p99_9_us: at(0.999),
            max_us: nanos.max() as f64 / 1000.0,
            curve: curve(nanos),
        })
    }
}

/// Two points for each halving of the distance to 1: as many as a plot over the logarithm of that distance shows.
fn curve(nanos: &Histogram<u64>) -> Vec<(f64, f64)> {
    let points = nanos.iter_quantiles(2);
    points.map(|point| (point.quantile(), point.value_iterated_to() as f64 / 1000.0)).collect()
}

impl LatencyByKind {
    /// The figures of all that occurred.
    pub fn of(latencies: &Latencies) -> Self {
        Self {
            reads: Latency::of(&latencies.reads),
            writes: Latency::of(&latencies.writes),
            scans: Latency::of(&latencies.scans),
            neighbour: None,
        }
    }

    /// Those that occurred, with their names.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, &Latency)> {
        let all = [
            ("reads", &self.reads),
            ("writes", &self.writes),
            ("scans", &self.scans),
            ("neighbour", &self.neighbour),
        ];
        all.into_iter().filter_map(|(name, latency)| Some((name, latency.as_ref()?)))
    }
}

/// `part / whole`, unknown if one of them is, or if the whole is nothing.
pub fn ratio(part: Option<u64>, whole: u64) -> Option<f64> {
    part.filter(|_| whole > 0).map(|part| part as f64 / whole as f64)
}

/// For people.
impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { column, workload, clients, keys, value_bytes, round, .. } = self;
        writeln!(
            f,
            "{column}: {workload} @{clients}, {keys} keys, values of {value_bytes} bytes, round {round}"
        )?;
        let mut line = |name: &str, text: String| writeln!(f, "  {name:<20} {text}");
        line("throughput", format!("{:.0} op/s: {} in {:.3} s", self.ops_per_s, self.ops, self.wall_s))?;
        if let (Some(settle), Some(settled)) = (self.settle_s, self.ops_per_s_settled) {
            line("settled", format!("{settled:.0} op/s, with {settle:.3} s of settling"))?;
        }
        if let Some(writer) = self.writer_ops_per_s {
            line("writer beside", format!("{writer:.0} op/s"))?;
        }
        for (name, latency) in self.latency.each() {
            line(name, latency.to_string())?;
        }
        line("cpu, peak memory", format!("{} s, {}", known(self.cpu_s), mib(self.peak_rss_bytes)))?;
        let (written, amplification) = (mib(self.written_bytes), known(self.write_amplification));
        line("written", format!("{written}, {amplification} for each byte put"))?;
        let (disk, amplification) = (mib(Some(self.disk_bytes)), known(self.space_amplification));
        line("disk", format!("{disk}, {amplification} for each byte alive"))?;
        for (cause, seconds) in self.stalls.iter().flatten() {
            line("stalled", format!("{seconds:.3} s: {cause}"))?;
        }
        for (name, value) in &self.extra {
            line(name, format!("{value:.3}"))?;
        }
        if let Some(keys) = self.verified_keys {
            line("verified", format!("{keys} keys"))?;
        }
        line("load before", self.load_before.clone())?;
        line("details", self.details.to_string())
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, mean_us, p50_us, p99_us, p99_9_us, max_us, .. } = self;
        write!(
            f,
            "mean {mean_us:.2}, p50 {p50_us:.2}, p99 {p99_us:.2}, p99.9 {p99_9_us:.2}, max {max_us:.1} us ({count})"
        )
    }
}

fn known(number: Option<f64>) -> String {
    number.map_or_else(|| "?".to_owned(), |number| format!("{number:.3}"))
}

fn mib(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "?".to_owned(), |bytes| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_histogram_and_the_curve_ends_with_the_longest() {
        let mut histogram = Histogram::new(3).unwrap();
        (1..=1000).for_each(|micros| histogram.record(micros * 1000).unwrap());
        let latency = Latency::of(&histogram).unwrap();
        assert_eq!(latency.count, 1000);
        for (got, expected) in [(latency.p50_us, 500.0), (latency.p99_us, 990.0), (latency.max_us, 1000.0)] {
            assert!((got - expected).abs() < 1.0, "{got} and not {expected}");
        }
        let &(quantile, longest) = latency.curve.last().unwrap();
        assert!((quantile - 1.0).abs() < 1e-9 && (longest - 1000.0).abs() < 1.0);
        assert!(latency.curve.is_sorted_by(|a, b| a.0 <= b.0 && a.1 <= b.1));
        assert!((10..60).contains(&latency.curve.len()), "{} points", latency.curve.len());
    }

    #[test]
    fn what_did_not_occur_has_no_latency_and_no_ratio() {
        assert_eq!(LatencyByKind::of(&Latencies::new().unwrap()), LatencyByKind::default());
        assert_eq!((ratio(Some(3), 2), ratio(Some(1), 0), ratio(None, 2)), (Some(1.5), None, None));
        assert_eq!(serde_json::to_string(&LatencyByKind::default()).unwrap(), "{}");
    }
}
