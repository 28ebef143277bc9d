//! The comparison as a table for people: one for each measure, a row for each workload, a column for each engine.

use crate::compare::measure::Measure;
use crate::compare::ratio::{Ratio, Rounds, median, ratio};
use crate::results::Run;

/// Whose figures are divided, and by whose.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// The engine that is compared with the others.
    pub own: &'a str,
    /// Its rivals; engines that are neither are only shown.
    pub rivals: &'a [&'a str],
}

/// A row, before it is text.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The workload and its clients.
    pub name: String,
    /// The median of each column, in their order.
    pub medians: Vec<Option<f64>>,
    /// Of the one engine to the best of its rivals.
    pub ratio: Option<Ratio>,
}

/// The rows of a measure, in the order in which they were run first; none if no run has it.
pub fn lines(measure: Measure, runs: &[Run], sides: &Sides<'_>) -> Vec<Line> {
    let columns = distinct(runs, |run| run.engine.clone());
    let line = |name: String| {
        let rounds = |engine: &str| rounds(measure, runs, &name, engine);
        let rivals: Vec<_> = sides.rivals.iter().map(|rival| rounds(rival)).collect();
        Line {
            medians: columns.iter().map(|engine| middle(&rounds(engine))).collect(),
            ratio: ratio(measure.better(), &rounds(sides.own), &rivals),
            name,
        }
    };
    let all = distinct(runs, name).into_iter().map(line);
    all.filter(|line| line.medians.iter().any(Option::is_some)).collect()
}

/// All tables.
pub fn text(runs: &[Run], sides: &Sides<'_>) -> String {
    let mut text = String::new();
    let labels = distinct(runs, |run| run.column.clone());
    for measure in Measure::ALL {
        let lines = lines(measure, runs, sides);
        if !lines.is_empty() {
            write_table(&mut text, measure, &labels, &lines);
        }
    }
    text
}

fn write_table(text: &mut String, measure: Measure, labels: &[String], lines: &[Line]) {
    let mut write = |name: &str, cells: &[String], ratio: &str| {
        let cells: Vec<_> = cells.iter().map(|cell| format!("{cell:>18}")).collect();
        text.push_str(format!("{name:24} {}  {ratio}", cells.join(" ")).trim_end());
        text.push('\n');
    };
    write("", &[], "");
    write(measure.title(), &[], "");
    write("", labels, "ratio (of the rounds)");
    for Line { name, medians, ratio } in lines {
        let cells: Vec<_> = medians.iter().copied().map(number).collect();
        write(name, &cells, &ratio_text(*ratio));
    }
}

/// Three significant digits, and whole numbers in full.
fn number(figure: Option<f64>) -> String {
    match figure {
        None => "-".to_owned(),
        Some(figure) if figure >= 100.0 => format!("{figure:.0}"),
        Some(figure) if figure >= 10.0 => format!("{figure:.1}"),
        Some(figure) => format!("{figure:.2}"),
    }
}

/// What is worse than the best rival is marked, so that it is found.
fn ratio_text(ratio: Option<Ratio>) -> String {
    let Some(Ratio { median, min, max }) = ratio else { return String::new() };
    let mark = if median < 1.0 { "  <<< below 1" } else { "" };
    let range = if max > min { format!(" ({min:.2}..{max:.2})") } else { String::new() };
    format!("{median:5.2}{range}{mark}")
}

fn name(run: &Run) -> String {
    format!("{}@{}", run.workload, run.clients)
}

fn distinct(runs: &[Run], of: impl Fn(&Run) -> String) -> Vec<String> {
    let mut met = Vec::new();
    for one in runs.iter().map(of) {
        if !met.contains(&one) {
            met.push(one);
        }
    }
    met
}

fn rounds(measure: Measure, runs: &[Run], row: &str, engine: &str) -> Rounds {
    let count = runs.iter().map(|run| run.round + 1).max().unwrap_or(0);
    let of_round = |round| {
        let mut of_row =
            runs.iter().filter(|run| run.round == round && run.engine == engine && name(run) == row);
        of_row.find_map(|run| measure.of(run))
    };
    (0..count).map(of_round).collect()
}

fn middle(rounds: &Rounds) -> Option<f64> {
    median(&rounds.iter().copied().flatten().collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SIDES: Sides<'static> = Sides { own: "slice", rivals: &["rocksdb", "fjall"] };

    fn run(engine: &str, workload: &str, round: u64, ops_per_s: f64) -> Run {
        let run = json!({
            "engine": engine, "column": engine.to_uppercase(), "version": "1", "workload": workload,
            "round": round, "keys": 1, "value_bytes": 100, "clients": 4, "ops": 1, "wall_s": 1.0,
            "ops_per_s": ops_per_s, "settle_s": null, "ops_per_s_settled": null, "writer_ops_per_s": null,
            "latency": {}, "cpu_s": null, "peak_rss_bytes": 2_000_000, "written_bytes": null, "disk_bytes": 1,
            "live_raw_bytes": 1, "put_raw_bytes": 0, "write_amplification": null,
            "space_amplification": null, "stalls": null, "timeline_ms": 100, "timeline": [],
        });
        serde_json::from_value(run).unwrap()
    }

    fn runs() -> Vec<Run> {
        vec![
            run("slice", "readrandom", 0, 900e3),
            run("rocksdb", "readrandom", 0, 300e3),
            run("fjall", "readrandom", 0, 310e3),
            run("redb", "readrandom", 0, 9e6),
            run("rocksdb", "readrandom", 1, 220e3),
            run("slice", "readrandom", 1, 600e3),
            run("slice", "scan100", 0, 10e3),
            run("fjall", "scan100", 0, 20e3),
        ]
    }

    #[test]
    fn a_line_has_the_median_of_each_column_and_the_ratio_to_the_best_rival() {
        let lines = lines(Measure::Rate, &runs(), &SIDES);
        let names: Vec<_> = lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["readrandom@4", "scan100@4"]);
        assert_eq!(lines[0].medians, [Some(750.0), Some(260.0), Some(310.0), Some(9000.0)]);
        let ratio = lines[0].ratio.unwrap();
        assert!((ratio.max - 900.0 / 310.0).abs() < 1e-9 && (ratio.min - 600.0 / 220.0).abs() < 1e-9);
        assert_eq!(lines[1].medians, [Some(10.0), None, Some(20.0), None]);
    }

    #[test]
    fn only_what_is_worse_than_a_rival_is_marked() {
        let text = text(&runs(), &SIDES);
        let marked: Vec<_> = text.lines().filter(|line| line.contains("below 1")).collect();
        assert_eq!(marked.len(), 1, "{text}");
        assert!(marked[0].starts_with("scan100@4") && marked[0].contains(" 0.50"), "{text}");
        assert!(text.contains("REDB") && text.contains("2.82 (2.73..2.90)"), "{text}");
    }

    #[test]
    fn what_no_run_has_is_not_shown() {
        assert_eq!(lines(Measure::WriteTail, &runs(), &SIDES), []);
        assert!(!text(&runs(), &SIDES).contains(Measure::Open.title()));
        assert_eq!(text(&[], &SIDES), "");
    }
}
