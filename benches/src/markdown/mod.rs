//! `docs/BENCHMARK_RESULTS.md`: what people wrote, in `template.md`, with what was measured put in.
//!
//! The template has a mark on a line of its own for each part that is made here. The same results give the same bytes.

mod seed;
mod table;
mod tables;
#[cfg(test)]
mod tests;
mod verdicts;

pub use seed::SeedTerms;

use crate::cases::{Case, cases};
use crate::facts::{facts, heading};
use crate::results::Results;
use table::Table;
use verdicts::Verdicts;

const TEMPLATE: &str = include_str!("template.md");

/// The document on some sittings, and on what was measured on the seed's terms, if that was.
pub fn write(sittings: &[Results], seed: Option<&SeedTerms>) -> String {
    let sittings: Vec<_> =
        (1..).zip(sittings).map(|(number, sitting)| (number, sitting, cases(sitting))).collect();
    let verdicts = Verdicts::of(sittings.iter().map(|(number, _, cases)| (*number, cases.as_slice())));
    let figures: String =
        sittings.iter().map(|(number, sitting, cases)| one(*number, sitting, cases)).collect();
    let parts = [
        ("<!-- summary -->\n", verdicts.summary()),
        ("<!-- losses -->\n", verdicts.losses()),
        ("<!-- wins -->\n", verdicts.wins()),
        ("<!-- figures -->\n", if figures.is_empty() { "Nothing was run.\n".to_owned() } else { figures }),
        ("<!-- seed -->\n", seed::table(seed)),
    ];
    parts.iter().fold(TEMPLATE.to_owned(), |text, (mark, part)| text.replacen(mark, part, 1))
}

/// A sitting: where it ran, and a table for each measure.
fn one(number: usize, sitting: &Results, cases: &[Case<'_>]) -> String {
    let mut text = format!("\n### {}\n\n", table::escaped(&heading(number, cases)));
    let mut settings = Table::new(&["what", "value"]);
    for (name, fact) in facts(sitting) {
        settings.row([name, fact]);
    }
    text.push_str(&settings.end());
    text.push_str(&tables::measures(cases));
    text.push_str(&tables::latencies(cases));
    text.push_str(&tables::space_amplification(cases));
    text
}
