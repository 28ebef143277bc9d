//! The runs of a sitting, sorted into what can be compared: the same work, done by each engine, round by round.
//!
//! ```text
//! Results (one sitting)
//! └ Case      overwrite, 2 M keys of 16 bytes, values of 100, 4 clients
//!   └ Column  RocksDB (tuned)       one engine with one set of options
//!     └ Run   round 0, round 1, ...
//! ```
//!
//! Only runs of one sitting are ever divided by each other: another day is another machine.

use std::fmt;

use crate::compare::RIVALS;
use crate::compare::measure::Measure;
use crate::compare::ratio::{Better, Ratio, Rounds, median, ratio};
use crate::numbers;
use crate::results::{Latency, Results, Run};

/// The engine whose case is made.
pub const OWN: &str = "slice";
/// Columns in the order in which they are shown; engines that are not named here come behind.
const ORDER: [&str; 7] = [OWN, "slice-async", "rocksdb", "fjall", "surrealkv", "redb", "rocksdb-defaults"];

/// A piece of work, and the engines that did it.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// What was done.
    pub workload: &'a str,
    /// How many keys the store had.
    pub keys: u64,
    /// How many the largest store of the sitting had.
    pub keys_max: u64,
    /// The bytes of a value.
    pub value_bytes: u64,
    /// How many did it side by side.
    pub clients: u64,
    /// Each engine, in the order of [`order`].
    pub columns: Vec<Column<'a>>,
}

/// An engine with its options.
#[derive(Clone, Debug)]
pub struct Column<'a> {
    /// The label.
    pub name: &'a str,
    /// The engine.
    pub engine: &'a str,
    /// What it did, by round; nothing for a round that it did not run.
    pub rounds: Vec<Option<&'a Run>>,
}

/// The cases of a sitting, in the order in which their first runs came.
pub fn cases(results: &Results) -> Vec<Case<'_>> {
    let mut cases: Vec<Case<'_>> = Vec::new();
    for run in &results.runs {
        let at = cases.iter().position(|case| case.is_of(run)).unwrap_or_else(|| {
            cases.push(Case::like(run));
            cases.len() - 1
        });
        cases[at].add(run);
    }
    let keys_max = cases.iter().map(|case| case.keys).max().unwrap_or(0);
    for case in &mut cases {
        case.keys_max = keys_max;
        case.columns.sort_by_key(|column| order(column.engine));
    }
    cases
}

/// A figure of a measure with its unit.
pub fn text(measure: Measure, figure: f64) -> String {
    match measure {
        Measure::Rate | Measure::SettledRate => format!("{}/s", numbers::short(figure * 1e3)),
        Measure::WriteTail => numbers::micros(figure),
        Measure::Open => numbers::micros(figure * 1e3),
        Measure::Disk | Measure::Memory => numbers::bytes(figure * 1e6),
        Measure::Written => format!("{} a byte", numbers::ratio(figure)),
    }
}

/// Where an engine stands among the columns.
pub fn order(engine: &str) -> usize {
    ORDER.iter().position(|known| *known == engine).unwrap_or(ORDER.len())
}

impl<'a> Case<'a> {
    fn like(run: &'a Run) -> Self {
        let Run { workload, keys, value_bytes, clients, .. } = run;
        let (keys, keys_max) = (*keys, *keys);
        Self { workload, keys, keys_max, value_bytes: *value_bytes, clients: *clients, columns: Vec::new() }
    }

    fn is_of(&self, run: &Run) -> bool {
        let own = (self.workload, self.keys, self.value_bytes, self.clients);
        own == (run.workload.as_str(), run.keys, run.value_bytes, run.clients)
    }

    fn add(&mut self, run: &'a Run) {
        let at = self.columns.iter().position(|column| column.name == run.column).unwrap_or_else(|| {
            self.columns.push(Column { name: &run.column, engine: &run.engine, rounds: Vec::new() });
            self.columns.len() - 1
        });
        let (rounds, round) = (&mut self.columns[at].rounds, run.round as usize);
        if rounds.len() <= round {
            rounds.resize(round + 1, None);
        }
        rounds[round] = Some(run);
    }

    /// The column with this name.
    pub fn column(&self, name: &str) -> Option<&Column<'a>> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The column of slice, if it ran.
    pub fn own(&self) -> Option<&Column<'a>> {
        self.columns.iter().find(|column| column.engine == OWN)
    }

    /// The columns that slice is measured against.
    pub fn rivals(&self) -> impl Iterator<Item = &Column<'a>> {
        self.columns.iter().filter(|column| RIVALS.contains(&column.engine))
    }

    /// Whether any run has this measure.
    pub fn tells(&self, measure: Measure) -> bool {
        self.columns.iter().any(|column| column.median(measure).is_some())
    }

    /// The measure that says most of this work: of writes, the rate until the store has settled.
    pub fn headline(&self) -> Measure {
        let special = [Measure::Open, Measure::SettledRate].into_iter().find(|measure| self.tells(*measure));
        special.unwrap_or(Measure::Rate)
    }

    /// How much better slice is than the best of its rivals, round by round.
    pub fn ratio(&self, measure: Measure) -> Option<Ratio> {
        let rivals: Vec<_> = self.rivals().map(|column| column.figures(measure)).collect();
        ratio(measure.better(), &self.own()?.figures(measure), &rivals)
    }

    /// The rival with the best median.
    pub fn best_rival(&self, measure: Measure) -> Option<&Column<'a>> {
        let medians = self.rivals().filter_map(|column| Some((column, column.median(measure)?)));
        let by_figure = |a: &(_, f64), b: &(_, f64)| a.1.total_cmp(&b.1);
        let best = match measure.better() {
            Better::More => medians.max_by(by_figure),
            Better::Less => medians.min_by(by_figure),
        };
        best.map(|(column, _)| column)
    }
}

/// What was done, and by how many, as it is asked for: `overwrite@4`. A store with fewer keys than others says so.
impl fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.workload, self.clients)?;
        if self.keys == self.keys_max {
            return Ok(());
        }
        write!(f, ", {} keys", numbers::keys(self.keys))
    }
}

impl<'a> Column<'a> {
    /// The runs that there are.
    pub fn runs(&self) -> impl Iterator<Item = &'a Run> {
        self.rounds.iter().copied().flatten()
    }

    /// A measure, round by round.
    pub fn figures(&self, measure: Measure) -> Rounds {
        self.rounds.iter().map(|run| run.and_then(|run| measure.of(run))).collect()
    }

    /// The median of a figure over the rounds.
    pub fn median_of(&self, figure: impl Fn(&Run) -> Option<f64>) -> Option<f64> {
        median(&self.runs().filter_map(figure).collect::<Vec<_>>())
    }

    /// The median of a measure over the rounds.
    pub fn median(&self, measure: Measure) -> Option<f64> {
        self.median_of(|run| measure.of(run))
    }

    /// The least and the most of a measure.
    pub fn bounds(&self, measure: Measure) -> Option<(f64, f64)> {
        let figures = || self.runs().filter_map(|run| measure.of(run));
        Some((figures().min_by(f64::total_cmp)?, figures().max_by(f64::total_cmp)?))
    }

    /// The run in the middle by throughput, the lower of two: what is shown where a median cannot be, as of a curve.
    pub fn typical(&self) -> Option<&'a Run> {
        let mut runs: Vec<_> = self.runs().collect();
        runs.sort_by(|a, b| a.ops_per_s.total_cmp(&b.ops_per_s));
        runs.get(runs.len().saturating_sub(1) / 2).copied()
    }

    /// The latencies of a kind of operation in the typical run.
    pub fn latency(&self, kind: &str) -> Option<&'a Latency> {
        self.typical()?.latency.each().find_map(|(name, latency)| (name == kind).then_some(latency))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{run, sitting};

    #[test]
    fn runs_of_the_same_work_make_a_case_with_a_column_for_each_engine() {
        let mut other = run("slice", "slice", "overwrite", 0, 1e5);
        other.clients = 16;
        other.keys = 20_000;
        let results = sitting(vec![
            run("redb", "redb", "overwrite", 0, 1e5),
            run("slice", "slice", "overwrite", 2, 1e5),
            other,
        ]);
        let cases = cases(&results);
        assert_eq!(
            cases.iter().map(Case::to_string).collect::<Vec<_>>(),
            ["overwrite@4", "overwrite@16, 20 K keys"]
        );
        let columns: Vec<_> =
            cases[0].columns.iter().map(|column| (column.name, column.rounds.len())).collect();
        assert_eq!(
            columns,
            [("slice", 3), ("redb", 1)],
            "slice comes first, and was not run in rounds 0 and 1"
        );
    }

    #[test]
    fn the_typical_run_is_the_one_in_the_middle() {
        let rates = [3e5, 1e5, 2e5, 4e5];
        let runs = (0..).zip(rates).map(|(round, rate)| run("slice", "slice", "readhot", round, rate));
        let results = sitting(runs.collect());
        let cases = cases(&results);
        let typical = cases[0].columns[0].typical().map(|run| run.round);
        assert_eq!(typical, Some(2), "of four the lower one of the two in the middle");
        assert_eq!(cases[0].columns[0].bounds(Measure::Rate), Some((100.0, 400.0)));
    }

    #[test]
    fn the_best_rival_depends_on_what_is_better() {
        let mut fast = run("rocksdb", "RocksDB (tuned)", "overwrite", 0, 3e5);
        fast.disk_bytes *= 2;
        let results = sitting(vec![
            run("slice", "slice", "overwrite", 0, 2e5),
            run("redb", "redb", "overwrite", 0, 9e5),
            fast,
            run("fjall", "fjall", "overwrite", 0, 1e5),
        ]);
        let cases = cases(&results);
        let rival = |measure| cases[0].best_rival(measure).map(|column| column.name);
        assert_eq!((rival(Measure::Rate), rival(Measure::Disk)), (Some("RocksDB (tuned)"), Some("fjall")));
    }
}
