//! Where slice wins and where it loses: every measure of every piece of work that a rival did as well.

use super::table::Table;
use super::tables;
use crate::cases::{Case, text};
use crate::compare::measure::Measure;
use crate::compare::ratio::Ratio;
use crate::numbers;

/// The outcome of one measure of one piece of work.
struct Verdict {
    sitting: usize,
    case: String,
    measure: Measure,
    own: f64,
    rival: String,
    rivals: f64,
    ratio: Ratio,
}

impl Verdict {
    fn of(sitting: usize, case: &Case<'_>, measure: Measure) -> Option<Self> {
        let (ratio, rival) = (case.ratio(measure)?, case.best_rival(measure)?);
        Some(Self {
            sitting,
            case: case.to_string(),
            measure,
            own: case.own()?.median(measure)?,
            rival: rival.name.to_owned(),
            rivals: rival.median(measure)?,
            ratio,
        })
    }

    fn wins(&self) -> bool {
        self.ratio.median >= 1.0
    }

    /// Whether the rounds disagree on who is better.
    fn is_open(&self) -> bool {
        self.ratio.min < 1.0 && self.ratio.max > 1.0
    }

    fn cells(&self) -> [String; 5] {
        let rival = format!("{} ({})", text(self.measure, self.rivals), self.rival);
        let open = if self.is_open() { ", rounds disagree" } else { "" };
        let ratio = tables::ratio(self.ratio) + open;
        let work = format!("{} ({})", self.case, self.sitting);
        [work, short_name(self.measure).to_owned(), text(self.measure, self.own), rival, ratio]
    }
}

/// A measure in a word or two; its unit stands beside its figures.
fn short_name(measure: Measure) -> &'static str {
    match measure {
        Measure::Rate => "throughput",
        Measure::SettledRate => "throughput until settled",
        Measure::WriteTail => "p99.9 of writes",
        Measure::Open => "time to open",
        Measure::Disk => "disk",
        Measure::Written => "written",
        Measure::Memory => "memory",
    }
}

/// All outcomes.
pub(super) struct Verdicts(Vec<Verdict>);

impl Verdicts {
    /// Those of some sittings, each with its number.
    pub(super) fn of<'a>(sittings: impl Iterator<Item = (usize, &'a [Case<'a>])>) -> Self {
        let of_case = |sitting, case: &'a Case<'a>| {
            Measure::ALL.into_iter().filter_map(move |measure| Verdict::of(sitting, case, measure))
        };
        Self(
            sittings
                .flat_map(|(number, cases)| cases.iter().flat_map(move |case| of_case(number, case)))
                .collect(),
        )
    }

    /// How many of each there are, for each measure.
    pub(super) fn summary(&self) -> String {
        if self.0.is_empty() {
            return "No rival was run beside slice.\n".to_owned();
        }
        let mut table = Table::new(&["measure", "won", "lost", "worst ratio", "ratio in the mean"]);
        for measure in Measure::ALL {
            let ratios: Vec<_> = self
                .0
                .iter()
                .filter(|verdict| verdict.measure == measure)
                .map(|verdict| verdict.ratio.median)
                .collect();
            if ratios.is_empty() {
                continue;
            }
            let lost = ratios.iter().filter(|ratio| **ratio < 1.0).count();
            let worst = ratios.iter().copied().fold(f64::INFINITY, f64::min);
            let mean = (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp();
            table.row([
                short_name(measure).to_owned(),
                (ratios.len() - lost).to_string(),
                lost.to_string(),
                numbers::ratio(worst),
                numbers::ratio(mean),
            ]);
        }
        table.end()
    }

    /// The losses, the worst first.
    pub(super) fn losses(&self) -> String {
        let mut losses: Vec<_> = self.0.iter().filter(|verdict| !verdict.wins()).collect();
        losses.sort_by(|a, b| a.ratio.median.total_cmp(&b.ratio.median));
        listed(&losses, "Nowhere in these results.\n")
    }

    /// The wins, the greatest first.
    pub(super) fn wins(&self) -> String {
        let mut wins: Vec<_> = self.0.iter().filter(|verdict| verdict.wins()).collect();
        wins.sort_by(|a, b| b.ratio.median.total_cmp(&a.ratio.median));
        listed(&wins, "Nowhere in these results.\n")
    }
}

fn listed(verdicts: &[&Verdict], nothing: &str) -> String {
    if verdicts.is_empty() {
        return nothing.to_owned();
    }
    let mut table = Table::new(&["work (sitting)", "measure", "slice", "best rival", "ratio"]);
    for verdict in verdicts {
        table.row(verdict.cells());
    }
    table.end()
}
