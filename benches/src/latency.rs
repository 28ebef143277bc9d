//! How long operations took, as histograms with three significant digits.

use std::time::Duration;

use anyhow::Context;
use hdrhistogram::Histogram;

/// Longer is counted as this.
const LONGEST: Duration = Duration::from_secs(600);

/// The latencies of one client, or of all after [`merge`](Self::merge).
#[derive(Clone, Debug)]
pub struct Latencies {
    /// Of reads, in nanoseconds.
    pub reads: Histogram<u64>,
    /// Of writes, in nanoseconds.
    pub writes: Histogram<u64>,
}

impl Latencies {
    /// None yet.
    ///
    /// # Errors
    ///
    /// If the histograms cannot be made.
    pub fn new() -> anyhow::Result<Self> {
        let empty = Histogram::new_with_max(LONGEST.as_nanos() as u64, 3).context("no histogram")?;
        Ok(Self { reads: empty.clone(), writes: empty })
    }

    /// Adds those of another client.
    ///
    /// # Errors
    ///
    /// If the bounds of the histograms differ.
    pub fn merge(&mut self, other: &Self) -> anyhow::Result<()> {
        self.reads.add(&other.reads).context("reads")?;
        self.writes.add(&other.writes).context("writes")
    }

    /// How many operations there were.
    pub fn count(&self) -> u64 {
        self.reads.len() + self.writes.len()
    }
}

/// Counts one duration.
pub fn record(histogram: &mut Histogram<u64>, took: Duration) {
    histogram.saturating_record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX).max(1));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_latencies_hold_those_of_all_clients() {
        let mut all = Latencies::new().unwrap();
        for client in 1..=4 {
            let mut one = Latencies::new().unwrap();
            record(&mut one.writes, Duration::from_millis(client));
            record(&mut one.reads, Duration::from_secs(10_000));
            all.merge(&one).unwrap();
        }
        assert_eq!((all.count(), all.writes.len()), (8, 4));
        assert!(all.writes.max().abs_diff(4_000_000) < 4_000, "{}", all.writes.max());
        assert!(
            all.reads.max() >= LONGEST.as_nanos() as u64,
            "longer than the bound is counted as the bound"
        );
    }
}
