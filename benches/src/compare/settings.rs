//! What a comparison is told.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::compare::rows::Row;
use crate::knobs::Knobs;

/// How many writes a second a row that is counted is made for. The length of its runs is meant for engines as fast as
/// this; the others take longer, since all do as much.
const COUNTED_PER_S: f64 = 400_000.0;
/// What a run takes beside its operations: to copy a store, to write back, to open, to settle, to close.
const OVERHEAD_S: f64 = 2.0;
/// A shorter run says nothing.
const SHORTEST_S: f64 = 0.5;
/// Log bytes of a put of a key of 16 and a value of 100 bytes, about.
const LOGGED_BYTES: u64 = 128;
/// The log that a store finds after the crash.
const LOG_BYTES: u64 = 64 << 20;

/// Compares engines, run by run, in processes of their own.
#[derive(Clone, Debug, Args, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags of a command line")]
pub struct Settings {
    /// The engines, the first of which is compared with the others.
    #[arg(long, value_delimiter = ',', default_value = "slice")]
    pub engines: Vec<String>,
    /// The workloads, as `overwrite`, `overwrite@4` for 4 clients, `overwrite-fsync@16` or `readrandom-cold`; those that
    /// a comparison has if it is left out, or `all`.
    #[arg(long, visible_alias = "workload", value_delimiter = ',')]
    pub workloads: Vec<String>,
    /// How often all of it is done.
    #[arg(long, default_value_t = 3)]
    pub rounds: u64,
    /// How many keys the loaded stores have.
    #[arg(long, visible_alias = "num", default_value_t = 2_000_000)]
    pub keys: u64,
    /// The bytes of a value.
    #[arg(long, default_value_t = 100)]
    pub value_bytes: usize,
    /// How long a run is made to take; writes that are compacted are counted instead, at 400,000 a second.
    #[arg(long, default_value_t = 5.0)]
    pub seconds: f64,
    /// Runs of 2.5 seconds, one round, and fewer workloads, unless they are given.
    #[arg(long)]
    pub quick: bool,
    /// How many seconds all of it should take: the runs are made shorter for it.
    #[arg(long)]
    pub time_budget: Option<f64>,
    /// Leave the loaded stores, for the next comparison with the same keys, and use those that an earlier one has left.
    #[arg(long)]
    pub keep: bool,
    /// Where the stores are made.
    #[arg(long, default_value = "target/compare")]
    pub dir: PathBuf,
    /// Where all figures are written to, after each run anew, and beside them the page with the charts; a place named by
    /// the time below `target/bench` if it is left out.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Read every key after each run, and check its value.
    #[arg(long)]
    pub verify: bool,
    /// Overwrite as many bytes as the store has this many times before a run that writes to a loaded store.
    #[arg(long, default_value_t = 0)]
    pub steady: u64,
    /// Measure how late another task on the clients' runtime is, where clients are tasks.
    #[arg(long)]
    pub neighbour: bool,
    /// How long random keys are read before each run that reads.
    #[arg(long, default_value_t = 1.0)]
    pub warmup: f64,
    /// What all choices follow from.
    #[arg(long, default_value_t = 42)]
    pub seed: u64,
    /// What is set alike for all engines.
    #[command(flatten)]
    #[serde(flatten)]
    pub knobs: Knobs,
}

/// How much a run does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// So many operations.
    Ops(u64),
    /// As many as there is time for.
    For(Duration),
}

impl Settings {
    /// How much a run of a row does, if so many rows are compared.
    pub fn amount(&self, row: &Row, rows: usize) -> Amount {
        use crate::compare::rows::Start;
        let seconds = self.seconds_of_run(rows);
        match row.start {
            Start::Crashed => Amount::Ops(LOG_BYTES / LOGGED_BYTES),
            _ if row.loads() => Amount::Ops(self.keys),
            _ if row.is_counted() => Amount::Ops((seconds * COUNTED_PER_S).min(self.keys as f64) as u64),
            _ => Amount::For(Duration::from_secs_f64(seconds)),
        }
    }

    fn seconds_of_run(&self, rows: usize) -> f64 {
        let wanted = if self.quick { self.seconds.min(2.5) } else { self.seconds };
        let runs = self.engines.len() as f64 * self.rounds() as f64 * rows as f64;
        match self.time_budget {
            Some(budget) => (budget / runs - OVERHEAD_S).min(wanted).max(SHORTEST_S),
            None => wanted,
        }
    }

    /// How often all of it is done.
    pub fn rounds(&self) -> u64 {
        if self.quick { 1 } else { self.rounds }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::compare::rows::choose;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        settings: Settings,
    }

    fn amount(args: &[&str], row: &str) -> Amount {
        let settings = Line::parse_from([&["line", "--engines", "a,b"], args].concat()).settings;
        settings.amount(&choose(&[row.to_owned()], true).unwrap()[0], 10)
    }

    #[test]
    fn writes_that_are_compacted_are_counted_and_others_have_their_time() {
        assert_eq!(amount(&["--seconds", "2"], "overwrite@4"), Amount::Ops(800_000));
        assert_eq!(amount(&["--seconds", "2", "--keys", "1000"], "fillseq@1"), Amount::Ops(1000));
        for row in ["overwrite-fsync@16", "readrandom@2", "ycsb-a", "readrandom-cold"] {
            assert_eq!(amount(&["--seconds", "2"], row), Amount::For(Duration::from_secs(2)), "{row}");
        }
    }

    #[test]
    fn stores_are_loaded_with_all_keys_however_little_time_there_is() {
        let args = ["--keys", "1000000", "--time-budget", "1"];
        assert_eq!(amount(&args, "fillrandom-distinct"), Amount::Ops(1_000_000));
    }

    #[test]
    fn a_time_budget_is_shared_out_to_all_runs() {
        // 2 engines, 3 rounds and 10 rows are 60 runs: of 5 seconds each, 2 are for other things.
        let of_budget = |budget| amount(&["--time-budget", budget], "readrandom@2");
        assert_eq!(of_budget("300"), Amount::For(Duration::from_secs(3)));
        assert_eq!(of_budget("30"), Amount::For(Duration::from_millis(500)));
        assert_eq!(of_budget("30000"), Amount::For(Duration::from_secs(5)));
    }

    #[test]
    fn a_quick_comparison_has_one_round_of_short_runs() {
        assert_eq!(amount(&["--quick"], "readrandom@2"), Amount::For(Duration::from_millis(2500)));
        assert_eq!(Line::parse_from(["line", "--quick", "--rounds", "5"]).settings.rounds(), 1);
    }
}
