//! Where slice wins and where it loses: every measure of every piece of work that a rival did as well.

use crate::cases::{Case, text};
use crate::compare::measure::Measure;
use crate::compare::ratio::Ratio;
use crate::numbers;

/// What marks a loss, in words and tables.
pub const LOSS: &str = "▼";

/// The outcome of one measure of one piece of work.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What was done, as `overwrite@4`.
    pub case: String,
    /// What is compared.
    pub measure: Measure,
    /// The median of slice.
    pub own: f64,
    /// The rival with the best median.
    pub rival: String,
    /// That median.
    pub rivals: f64,
    /// How much better slice is, round by round.
    pub ratio: Ratio,
}

impl Verdict {
    /// The outcomes of a piece of work, of those measures that slice and a rival have.
    pub fn of<'a>(case: &'a Case<'_>) -> impl Iterator<Item = Self> + 'a {
        Measure::ALL.into_iter().filter_map(|measure| Self::on(case, measure))
    }

    fn on(case: &Case<'_>, measure: Measure) -> Option<Self> {
        let (ratio, rival) = (case.ratio(measure)?, case.best_rival(measure)?);
        Some(Self {
            case: case.to_string(),
            measure,
            own: case.own()?.median(measure)?,
            rival: rival.name.to_owned(),
            rivals: rival.median(measure)?,
            ratio,
        })
    }

    /// Whether slice is at least as good.
    pub fn wins(&self) -> bool {
        self.ratio.median >= 1.0
    }

    /// What is compared, the median of slice, that of the best rival, and the ratio, for a table.
    pub fn cells(&self) -> [String; 4] {
        let rival = format!("{} ({})", text(self.measure, self.rivals), self.rival);
        let is_open = self.ratio.min < 1.0 && self.ratio.max > 1.0;
        let open = if is_open { ", rounds disagree" } else { "" };
        let ratio = ratio_text(self.ratio) + open;
        [short_name(self.measure).to_owned(), text(self.measure, self.own), rival, ratio]
    }
}

/// `2.41 (2.30–2.52)`, with the mark of a loss.
pub fn ratio_text(ratio: Ratio) -> String {
    let Ratio { median, min, max } = ratio;
    let mark = if median < 1.0 { format!("{LOSS} ") } else { String::new() };
    let [median, least, most] = [median, min, max].map(numbers::ratio);
    if max > min { format!("{mark}{median} ({least}–{most})") } else { mark + &median }
}

/// A measure in a word or two; its unit stands beside its figures.
pub fn short_name(measure: Measure) -> &'static str {
    match measure {
        Measure::Rate => "throughput",
        Measure::SettledRate => "throughput until settled",
        Measure::WriteTail => "p99.9 of writes",
        Measure::Open => "time to open",
        Measure::Disk => "disk",
        Measure::Written => "written for a byte put",
        Measure::Memory => "memory",
    }
}
