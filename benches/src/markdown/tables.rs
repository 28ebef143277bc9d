//! The figures of a sitting: a table for each measure, with a row for each piece of work and a column for each engine.

use super::table::Table;
use crate::cases::{Case, order};
use crate::compare::measure::Measure;
use crate::numbers;
use crate::verdicts::ratio_text;

/// What is not known, or was not run.
const NOTHING: &str = "–";

/// A table for each measure that any run has.
pub(super) fn measures(cases: &[Case<'_>]) -> String {
    Measure::ALL.into_iter().filter(|measure| cases.iter().any(|case| case.tells(*measure))).fold(
        String::new(),
        |text, measure| {
            let mut title = measure.title().to_owned();
            title[..1].make_ascii_uppercase();
            text + &format!("\n**{title}**, medians\n\n") + &of(cases, measure)
        },
    )
}

fn of(cases: &[Case<'_>], measure: Measure) -> String {
    let columns = columns(cases);
    let mut table = Table::new(&heads(&columns, &["to the best rival"]));
    for case in cases.iter().filter(|case| case.tells(measure)) {
        let median = |name: &&str| case.column(name).and_then(|column| column.median(measure));
        let medians = columns.iter().map(|name| median(name).map_or_else(nothing, numbers::exact));
        let ratio = case.ratio(measure).map_or_else(nothing, ratio_text);
        table.row([case.to_string()].into_iter().chain(medians).chain([ratio]));
    }
    table.end()
}

/// What engines took for the slow ones among the operations.
pub(super) fn latencies(cases: &[Case<'_>]) -> String {
    let columns = columns(cases);
    let mut table = Table::new(&heads(&columns, &[]));
    let mut is_empty = true;
    for case in cases {
        for kind in ["reads", "writes", "scans", "neighbour"] {
            let latency = |name: &&str| case.column(name).and_then(|column| column.latency(kind));
            if columns.iter().all(|name| latency(name).is_none()) {
                continue;
            }
            let time = |us: f64| numbers::micros(us).replace(' ', "\u{a0}");
            let cells = columns.iter().map(|name| {
                latency(name).map_or_else(nothing, |latency| {
                    let [p50, p99, p99_9] = [latency.p50_us, latency.p99_us, latency.p99_9_us].map(time);
                    format!("{p50} / {p99} / {p99_9}")
                })
            });
            table.row([format!("{case} {kind}")].into_iter().chain(cells));
            is_empty = false;
        }
    }
    if is_empty {
        String::new()
    } else {
        "\n**Latency**: p50 / p99 / p99.9 of the round in the middle\n\n".to_owned() + &table.end()
    }
}

/// What is on the disk for each byte alive.
pub(super) fn space_amplification(cases: &[Case<'_>]) -> String {
    let columns = columns(cases);
    let mut table = Table::new(&heads(&columns, &[]));
    let mut is_empty = true;
    for case in cases.iter().filter(|case| case.tells(Measure::Disk)) {
        let kept = |name: &&str| case.column(name)?.median_of(|run| run.space_amplification);
        let cells = columns.iter().map(|name| kept(name).map_or_else(nothing, numbers::ratio));
        table.row([case.to_string()].into_iter().chain(cells));
        is_empty = false;
    }
    if is_empty {
        String::new()
    } else {
        "\n**Bytes on the disk for each byte alive**, medians\n\n".to_owned() + &table.end()
    }
}

/// The names of all columns, in their order.
fn columns<'a>(cases: &[Case<'a>]) -> Vec<&'a str> {
    let mut columns: Vec<(usize, &str)> = Vec::new();
    for column in cases.iter().flat_map(|case| &case.columns) {
        if columns.iter().all(|(_, name)| *name != column.name) {
            columns.push((order(column.engine), column.name));
        }
    }
    columns.sort_by_key(|(order, _)| *order);
    columns.into_iter().map(|(_, name)| name).collect()
}

fn heads<'a>(columns: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    ["work"].into_iter().chain(columns.iter().copied()).chain(more.iter().copied()).collect()
}

fn nothing() -> String {
    NOTHING.to_owned()
}
