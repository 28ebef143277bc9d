//! Wins and losses as tables, and how many there are of each.

use super::table::Table;
use crate::cases::Case;
use crate::compare::measure::Measure;
use crate::numbers;
use crate::verdicts::{Verdict, short_name};

/// All outcomes, each with the number of its sitting.
pub(super) struct Verdicts(Vec<(usize, Verdict)>);

impl Verdicts {
    /// Those of some sittings, each with its number.
    pub(super) fn of<'a>(sittings: impl Iterator<Item = (usize, &'a [Case<'a>])>) -> Self {
        let numbered = |(number, cases): (usize, &'a [Case<'a>])| {
            cases.iter().flat_map(Verdict::of).map(move |verdict| (number, verdict))
        };
        Self(sittings.flat_map(numbered).collect())
    }

    fn of_measure(&self, measure: Measure) -> Vec<f64> {
        let of_measure = self.0.iter().filter(|(_, verdict)| verdict.measure == measure);
        of_measure.map(|(_, verdict)| verdict.ratio.median).collect()
    }

    /// How many of each there are, for each measure.
    pub(super) fn summary(&self) -> String {
        if self.0.is_empty() {
            return "No rival was run beside slice.\n".to_owned();
        }
        let mut table = Table::new(&["measure", "won", "lost", "worst ratio", "ratio in the mean"]);
        for measure in Measure::ALL {
            let ratios = self.of_measure(measure);
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
        let mut losses: Vec<_> = self.0.iter().filter(|(_, verdict)| !verdict.wins()).collect();
        losses.sort_by(|(_, a), (_, b)| a.ratio.median.total_cmp(&b.ratio.median));
        listed(&losses, "Nowhere in these results.\n")
    }

    /// The wins, the greatest first.
    pub(super) fn wins(&self) -> String {
        let mut wins: Vec<_> = self.0.iter().filter(|(_, verdict)| verdict.wins()).collect();
        wins.sort_by(|(_, a), (_, b)| b.ratio.median.total_cmp(&a.ratio.median));
        listed(&wins, "Nowhere in these results.\n")
    }
}

fn listed(verdicts: &[&(usize, Verdict)], nothing: &str) -> String {
    if verdicts.is_empty() {
        return nothing.to_owned();
    }
    let mut table = Table::new(&["work (sitting)", "measure", "slice", "best rival", "ratio"]);
    for (sitting, verdict) in verdicts {
        let work = format!("{} ({sitting})", verdict.case);
        table.row([work].into_iter().chain(verdict.cells()));
    }
    table.end()
}
