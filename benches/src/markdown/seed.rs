//! The seed's own terms: what its benchmark program measured, and what ours measures on the same terms.
//!
//! Criterion leaves a directory for each benchmark, of which two files are read:
//!
//! ```text
//! <criterion>/Seed/<name>/new/benchmark.json    how many operations an iteration has
//! <criterion>/Seed/<name>/new/estimates.json    how many nanoseconds it takes
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

use super::table::Table;
use crate::numbers;

/// The workloads of the seed's program, and its operations a second on two virtual cores.
const SEED: [(&str, f64); 11] = [
    ("ycsb-a", 981e3),
    ("ycsb-b", 3.0e6),
    ("ycsb-c", 3.3e6),
    ("fillseq", 656e3),
    ("fillrandom", 210e3),
    ("overwrite", 626e3),
    ("readrandom", 4.7e6),
    ("readseq", 4.7e6),
    ("seekrandom", 5.0e6),
    ("readwhilewriting", 3.2e6),
    ("mix-80-20", 579e3),
];

/// Operations a second on the seed's terms, by workload.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeedTerms(pub BTreeMap<String, f64>);

#[derive(Deserialize)]
struct Benchmark {
    throughput: Option<Throughput>,
}

#[derive(Deserialize)]
struct Throughput {
    #[serde(rename = "Elements")]
    elements: u64,
}

#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

impl SeedTerms {
    /// What criterion measured last, from its directory.
    ///
    /// # Errors
    ///
    /// If a file of a workload that was measured cannot be read.
    pub fn read(criterion: &Path) -> anyhow::Result<Self> {
        let mut rates = BTreeMap::new();
        for (name, _) in SEED {
            let dir = criterion.join("Seed").join(name).join("new");
            if dir.is_dir() {
                rates.insert(name.to_owned(), rate(&dir)?);
            }
        }
        Ok(Self(rates))
    }
}

fn rate(dir: &Path) -> anyhow::Result<f64> {
    let benchmark: Benchmark = read(&dir.join("benchmark.json"))?;
    let estimates: Estimates = read(&dir.join("estimates.json"))?;
    let elements = benchmark.throughput.context("a benchmark without a number of operations")?.elements;
    Ok(elements as f64 * 1e9 / estimates.median.point_estimate)
}

fn read<T: for<'a> Deserialize<'a>>(path: &Path) -> anyhow::Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not what criterion writes", path.display()))
}

/// The seed's figures beside ours, as far as they were measured.
pub(super) fn table(terms: Option<&SeedTerms>) -> String {
    let mut table = Table::new(&["work", "seed, op/s", "slice, op/s", "ratio"]);
    for (name, seed) in SEED {
        let own = terms.and_then(|terms| terms.0.get(name).copied());
        let ratio = own.map_or_else(
            || "–".to_owned(),
            |own| {
                let mark = if own < seed { "▼ " } else { "" };
                format!("{mark}{:.2}", own / seed)
            },
        );
        let own = own.map_or_else(|| "–".to_owned(), numbers::short);
        table.row([name.to_owned(), numbers::short(seed), own, ratio]);
    }
    table.end()
}
